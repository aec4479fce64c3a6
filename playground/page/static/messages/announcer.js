/**
 * What a screen reader hears: that an answer begins, and the whole of it once, when it has stood still.
 *
 * A live region around the messages themselves would read every edit of a growing answer from its first word.
 */

import { nameOf } from "../people.js";
import { store } from "../store.js";

/** @typedef {import("../store.js").Message} Message */

/** Longer than the rhythm of the edits, which is about one a second. */
const STILL_MS = 3000;

/**
 * @param {HTMLElement} region
 * @param {(id: string) => string} wordsOf what a message reads as it is shown
 */
export function mountAnnouncer(region, wordsOf) {
    /** @type {Map<string, {timer: number, said: string}>} what was said of each message that came or changed */
    const heard = new Map();

    const finish = (/** @type {Message} */ { id, author }) => {
        const entry = heard.get(id);
        const words = wordsOf(id);
        // The last edit often takes away a button only.
        if (!entry || !words || entry.said === words) return;
        entry.said = words;
        region.textContent = `${nameOf(author)}: ${words}`;
    };
    store.on("message", (/** @type {Message} */ message) => {
        if (message.channel !== store.current || message.author === store.me) return;
        const known = heard.get(message.id);
        if (!known && message.author === store.botId)
            region.textContent = `${nameOf(message.author)} begins to answer.`;
        clearTimeout(known?.timer);
        const timer = message.thinking ? 0 : setTimeout(finish, STILL_MS, message);
        heard.set(message.id, { timer, said: known?.said ?? "" });
    });
    store.on("gone", ({ id }) => {
        clearTimeout(heard.get(id)?.timer);
        heard.delete(id);
    });
}
