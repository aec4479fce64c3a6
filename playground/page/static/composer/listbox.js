/** A list of suggestions for a text field, used by keyboard while the focus stays in the field, or by mouse. */

import { el } from "../dom.js";

/**
 * @typedef {object} Suggestion
 * @property {string} label
 * @property {string} [hint] shown beside the label
 * @property {string} [description] shown below it
 */

let made = 0;

/** @template {Suggestion} Item */
export class Listbox {
    element;
    #input;
    /** @type {Item[]} */
    #items = [];
    #active = -1;
    /** @type {(item: Item) => void} */
    #choose;

    /**
     * @param {HTMLInputElement | HTMLTextAreaElement} input the field whose keys and text decide
     * @param {string} label what the list offers, for screen readers
     * @param {(item: Item) => void} choose
     */
    constructor(input, label, choose) {
        this.#input = input;
        this.#choose = choose;
        made += 1;
        this.element = el("div", { class: "listbox", id: `listbox-${made}`, role: "listbox", "aria-label": label });
        input.setAttribute("aria-autocomplete", "list");
        input.setAttribute("aria-haspopup", "listbox");
        input.setAttribute("aria-controls", this.element.id);
        // A field of several lines cannot be a combobox in ARIA; as a text box it takes the same attributes but one.
        if (input instanceof HTMLInputElement) input.setAttribute("role", "combobox");
        this.hide();
        // A press must not take the focus out of the field, which would close the list before the click arrives.
        this.element.addEventListener("pointerdown", (event) => event.preventDefault());
        input.addEventListener("keydown", (event) => this.#key(/** @type {KeyboardEvent} */ (event)));
        input.addEventListener("blur", () => this.hide());
    }

    get open() {
        return !this.element.hidden;
    }

    /**
     * Shows items, or nothing where there are none.
     *
     * @param {Item[]} items
     * @param {number} [active] the one that is chosen by Enter or Tab; -1 for none
     */
    show(items, active = 0) {
        if (!items.length) {
            this.hide();
            return;
        }
        this.#items = items;
        this.element.replaceChildren(...items.map((item, index) => this.#option(item, index)));
        this.element.hidden = false;
        this.element.scrollTop = 0;
        this.#expanded(true);
        this.#activate(active);
    }

    hide() {
        this.element.hidden = true;
        this.#items = [];
        this.#expanded(false);
        this.#activate(-1);
    }

    /**
     * @param {Item} item
     * @param {number} index
     */
    #option(item, index) {
        return el(
            "div",
            {
                role: "option",
                id: `${this.element.id}-${index}`,
                class: "suggestion",
                onclick: () => this.#chosen(index),
                onpointermove: () => this.#activate(index),
            },
            el("span", { class: "suggestion-label" }, item.label),
            item.hint && el("span", { class: "suggestion-hint" }, item.hint),
            item.description && el("span", { class: "suggestion-description" }, item.description),
        );
    }

    /** @param {boolean} expanded */
    #expanded(expanded) {
        if (this.#input instanceof HTMLInputElement) this.#input.setAttribute("aria-expanded", String(expanded));
    }

    /** @param {number} index */
    #activate(index) {
        this.#active = index;
        for (const [at, option] of [...this.element.children].entries()) {
            option.setAttribute("aria-selected", String(at === index));
        }
        const active = this.element.children[index];
        if (!active) {
            this.#input.removeAttribute("aria-activedescendant");
            return;
        }
        this.#input.setAttribute("aria-activedescendant", active.id);
        active.scrollIntoView({ block: "nearest" });
    }

    /** @param {number} index */
    #chosen(index) {
        const item = this.#items[index];
        this.hide();
        this.#choose(item);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        if (!this.open || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
        const count = this.#items.length;
        const chooses = (event.key === "Enter" || event.key === "Tab") && !event.shiftKey;
        if (event.key === "ArrowDown") this.#activate((this.#active + 1) % count);
        else if (event.key === "ArrowUp") this.#activate((Math.max(this.#active, 0) - 1 + count) % count);
        else if (event.key === "Escape") this.hide();
        else if (chooses && this.#active >= 0) this.#chosen(this.#active);
        else return;
        event.preventDefault();
        // The form around would take Enter as "send" and Escape as "cancel".
        event.stopImmediatePropagation();
    }
}
