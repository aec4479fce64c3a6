/** Users as the page shows them: a name, and a round avatar. */

import { el } from "./dom.js";
import { store } from "./store.js";

const TONES = 8;

/**
 * @param {string} userId
 * @returns {string}
 */
export function nameOf(userId) {
    return store.users.get(userId)?.name ?? "Unknown user";
}

/**
 * The first letter of the name on a colour. Colours go by the order of users, so that few people share none.
 *
 * @param {string} userId
 * @returns {HTMLElement}
 */
export function avatar(userId) {
    const place = [...store.users.keys()].indexOf(userId);
    const [letter = "?"] = nameOf(userId).trim();
    return el("span", { class: `avatar tone-${(place + TONES) % TONES}`, "aria-hidden": "true" }, letter.toUpperCase());
}
