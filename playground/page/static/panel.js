/** The aside "What goes on": the model's answers, Discord's limits and the bot's calls, live while it is open. */

import { el, icon } from "./dom.js";
import { answersSection } from "./panel-answers.js";
import { callsSection, limitsSection } from "./panel-calls.js";
import { store } from "./store.js";

/** @typedef {import("./panel-parts.js").Gauges} Gauges */

const KEY = "playground-panel";

/**
 * @param {HTMLElement} aside
 * @param {HTMLElement} toggle the button that opens and closes it
 */
export function mountPanel(aside, toggle) {
    const close = el("button", { class: "icon-button", type: "button", "aria-label": "Close" }, icon("close"));
    const sections = [answersSection(), limitsSection(), callsSection()];
    aside.append(
        el("header", { class: "panel-head" }, el("h2", {}, "What goes on"), close),
        ...sections.map((section) => section.element),
    );

    /** @param {boolean} open */
    const show = (open) => {
        aside.hidden = !open;
        toggle.setAttribute("aria-expanded", String(open));
        remember(open);
        store.watchGauges(open);
    };
    store.on("gauges", (/** @type {Gauges} */ gauges) => {
        for (const section of sections) section.draw(gauges);
    });
    toggle.addEventListener("click", () => show(Boolean(aside.hidden)));
    close.addEventListener("click", () => {
        show(false);
        toggle.focus();
    });
    if (wasOpen()) show(true);
}

function wasOpen() {
    try {
        return localStorage.getItem(KEY) === "open";
    } catch {
        return false; // A browser may forbid storage; then the panel begins closed each time.
    }
}

/** @param {boolean} open */
function remember(open) {
    try {
        localStorage.setItem(KEY, open ? "open" : "closed");
    } catch {
        // See wasOpen().
    }
}
