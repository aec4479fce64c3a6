/** The line above the composer: what sending would do now, with buttons; Escape does what the last of them does. */

import { el, icon } from "../dom.js";

/** @typedef {{label: string, press: () => boolean | void, pressed?: boolean}} BarButton a switch returns its state */

export class Bar {
    element = el("div", { class: "composer-bar", hidden: true });
    #cancel = () => {};

    get shown() {
        return !this.element.hidden;
    }

    /**
     * @param {string} text
     * @param {BarButton[]} buttons
     * @param {string} cancelLabel what the button with the cross does
     * @param {() => void} cancel
     */
    show(text, buttons, cancelLabel, cancel) {
        this.#cancel = cancel;
        const close = { type: "button", class: "icon-button", "aria-label": cancelLabel, onclick: cancel };
        this.element.replaceChildren(
            el("span", { class: "composer-bar-text", role: "status" }, text),
            ...buttons.map(barButton),
            el("button", close, icon("close")),
        );
        this.element.hidden = false;
    }

    hide() {
        this.element.hidden = true;
        this.element.replaceChildren();
    }

    cancel() {
        this.#cancel();
    }
}

/** @param {BarButton} wanted */
function barButton({ label, press, pressed }) {
    const state = pressed === undefined ? undefined : String(pressed);
    const button = el("button", { type: "button", class: "bar-button", "aria-pressed": state }, label);
    button.addEventListener("click", () => {
        const now = press();
        if (state !== undefined) button.setAttribute("aria-pressed", String(now));
    });
    return button;
}
