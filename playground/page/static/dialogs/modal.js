/** The windows with fields that the bot opens. */

import { el } from "../dom.js";
import { onModal, settle } from "../interactions.js";
import { render } from "../markdown.js";
import { store } from "../store.js";
import { modalField } from "./inputs.js";

/**
 * @typedef {import("./inputs.js").ModalField} ModalField
 * @typedef {{title: string, components: any[]}} Modal
 */

const ROW = 1;
const TEXT = 10;
const LABEL = 18;

/**
 * Shows in `host` what this tab's interactions open.
 *
 * @param {HTMLElement} host
 */
export function mountModals(host) {
    onModal(({ interaction, modal }) => new ModalWindow(interaction, modal).open(host));
}

class ModalWindow {
    #interaction;
    #dialog = el("dialog", { class: "dialog modal", "aria-labelledby": "modal-title" });
    #error = el("p", { class: "modal-error", role: "alert" });
    #submit = el("button", { class: "button primary" }, "Submit");
    /** @type {ModalField[]} */
    #fields = [];

    /**
     * @param {string} interaction
     * @param {Modal} modal
     */
    constructor(interaction, modal) {
        this.#interaction = interaction;
        const parts = modal.components.map((part) => this.#part(part));
        const form = el(
            "form",
            { novalidate: true },
            el("h2", { id: "modal-title" }, modal.title),
            ...parts,
            this.#error,
            el(
                "div",
                { class: "dialog-buttons" },
                el("button", { class: "button", type: "button", onclick: () => this.#dialog.close() }, "Cancel"),
                this.#submit,
            ),
        );
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            void this.#send();
        });
        this.#dialog.append(form);
    }

    /** @param {HTMLElement} host */
    open(host) {
        // Not removed when it closes: Chromium then gives the focus back to the composer, but takes no text there.
        for (const closed of host.querySelectorAll("dialog:not([open])")) closed.remove();
        host.append(this.#dialog);
        this.#dialog.showModal();
        this.#fields[0]?.input.focus();
    }

    /**
     * @param {any} part a row, a label or a text
     * @returns {Node}
     */
    #part(part) {
        if (part.type === TEXT) return el("div", {}, render(part.content, store));
        if (part.type === LABEL) return this.#field(part.component, part);
        if (part.type !== ROW) return this.#field(part, part);
        return el("div", {}, ...part.components.map((/** @type {any} */ inner) => this.#field(inner, inner)));
    }

    /**
     * @param {any} component
     * @param {{label?: string, description?: string}} label
     * @returns {Node}
     */
    #field(component, label) {
        const field = modalField(component, label.label ?? "", label.description ?? "");
        if (!field) {
            return el("p", { class: "unknown" }, `${label.label ?? "Field"} (type ${component.type}), not shown here`);
        }
        this.#fields.push(field);
        return field.element;
    }

    async #send() {
        const wrong = this.#fields.filter((field) => !field.check());
        wrong[0]?.input.focus();
        if (wrong.length || this.#submit.getAttribute("aria-busy") === "true") return;
        this.#error.textContent = "";
        this.#setBusy(true);
        const texts = Object.fromEntries(this.#fields.map(({ id, input }) => [id, input.value]));
        const { ok, error } = await settle("submit", { interaction: this.#interaction, texts });
        this.#setBusy(false);
        // What was written stays: it stands nowhere else.
        if (ok) this.#dialog.close();
        else this.#error.textContent = error;
    }

    /** @param {boolean} busy */
    #setBusy(busy) {
        this.#submit.textContent = busy ? "Sending…" : "Submit";
        this.#submit.setAttribute("aria-busy", String(busy));
    }
}
