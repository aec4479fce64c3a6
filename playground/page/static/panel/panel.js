/** The aside "What goes on": the model's answers, Discord's limits and the bot's calls, live while it is open. */

import { el, icon } from "../dom.js";
import { remember, remembered } from "../remembered.js";
import { store } from "../store.js";
import { answersSection } from "./answers.js";
import { callsSection, limitsSection } from "./calls.js";

/** @typedef {import("./parts.js").Gauges} Gauges */

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
        remember(KEY, open ? "open" : "closed");
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
    if (remembered(KEY) === "open") show(true);
}
