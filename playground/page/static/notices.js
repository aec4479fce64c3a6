/** The one notice above the composer, which tells what went wrong until it is dismissed. */

import { el, icon } from "./dom.js";

const SHOWN_MS = { error: 15_000, info: 6_000 };

/**
 * Shows what parts of the page announce by the event "notice".
 *
 * @param {HTMLElement} host
 */
export function mountNotices(host) {
    let timer = 0;
    const clear = () => host.replaceChildren();
    document.addEventListener("notice", (event) => {
        const { text, kind } = /** @type {CustomEvent<{text: string, kind: "error" | "info"}>} */ (event).detail;
        const dismiss = el("button", { class: "icon-button", type: "button", onclick: clear }, icon("close"));
        dismiss.setAttribute("aria-label", "Dismiss");
        host.dataset.kind = kind;
        host.replaceChildren(el("p", {}, text), dismiss);
        clearTimeout(timer);
        timer = setTimeout(clear, SHOWN_MS[kind]);
    });
}
