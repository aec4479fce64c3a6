/** The composer's row for texts: the growing field with its buttons and the count of what is left. */

import { el } from "../dom.js";
import { attachButton } from "./attachments.js";
import { growing } from "./growing.js";
import { LONGEST } from "./sending.js";

/** How many characters are left when it begins to be shown. */
const COUNTED = 200;

export class Writing {
    textarea = el("textarea", { id: "composer-text", rows: 1, "aria-describedby": "composer-reason" });
    element;
    #growing = growing(this.textarea);
    #reason = el("span", { id: "composer-reason", class: "visually-hidden" });
    #count = el("span", { class: "composer-count" });
    #send = el("button", { type: "submit", class: "button composer-send" }, "Send");
    /** @type {HTMLButtonElement} */
    #attach;

    /** @param {(files: File[]) => void} take */
    constructor(take) {
        const { button, input } = attachButton(take);
        this.#attach = button;
        this.element = el(
            "div",
            { class: "composer-row" },
            button,
            input,
            this.#growing.box,
            this.#reason,
            this.#count,
            this.#send,
        );
        this.textarea.addEventListener("input", () => this.#showCount());
    }

    get text() {
        return this.textarea.value;
    }

    set text(text) {
        this.#growing.write(text);
        this.#showCount();
    }

    /** @param {string} verb what the button says */
    set verb(verb) {
        this.#send.textContent = verb;
    }

    /**
     * Says where the text goes, or why nothing can be written there.
     *
     * @param {string} name of the channel
     * @param {string} reason empty where one may write
     */
    place(name, reason) {
        this.textarea.setAttribute("aria-label", `Message ${name}`);
        this.textarea.placeholder = reason || `Message ${name}`;
        this.#reason.textContent = reason;
        for (const control of [this.textarea, this.#attach, this.#send]) control.disabled = Boolean(reason);
        this.text = this.textarea.value;
    }

    #showCount() {
        const left = LONGEST - this.text.length;
        this.#count.textContent = left < COUNTED ? String(left).replace("-", "−") : "";
        this.#count.classList.toggle("too-long", left < 0);
    }
}
