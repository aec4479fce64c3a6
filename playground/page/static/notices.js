/** The one notice above the composer, which tells what went wrong until it is dismissed. */

import { byId, el, icon } from "./dom.js";

const SHOWN_MS = 15_000;

let timer = 0;

/**
 * Tells the user something.
 *
 * @param {string} text one sentence
 */
export function notify(text) {
    const host = byId("notice");
    const clear = () => host.replaceChildren();
    const label = { "aria-label": "Dismiss" };
    const dismiss = el("button", { class: "icon-button", type: "button", onclick: clear, ...label }, icon("close"));
    host.replaceChildren(el("p", {}, text), dismiss);
    clearTimeout(timer);
    timer = setTimeout(clear, SHOWN_MS);
}

/**
 * The sentence of an error that may be anything.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function sentenceOf(error) {
    return error instanceof Error ? error.message : String(error);
}
