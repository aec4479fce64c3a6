/** One option of a command as a labelled field. */

import { OptionType } from "../commands.js";
import { el, icon } from "../dom.js";
import { controlFor } from "./controls.js";

/**
 * @typedef {import("../commands.js").Option} Option
 * @typedef {import("../commands.js").Value} Value
 */

const LONGEST_TEXT = 6000;

export class Field {
    element;
    #control;
    #error = el("span", { class: "option-error" });

    /**
     * @param {Option} option
     * @param {import("./controls.js").Complete} complete
     * @param {() => void} remove takes an optional field away again
     */
    constructor(option, complete, remove) {
        this.option = option;
        this.#control = controlFor(option, complete);
        const { input } = this.#control;
        const id = `option-${option.name}`;
        input.id = id;
        const help = el("span", { id: `${id}-help` }, option.description);
        this.#error.id = `${id}-error`;
        input.setAttribute("aria-describedby", `${help.id} ${this.#error.id}`);
        if (option.required) input.setAttribute("aria-required", "true");
        input.addEventListener("input", () => this.complain(""));
        this.element = el(
            "div",
            { class: "option" },
            el("label", { class: "option-name", for: id }, option.name),
            this.#control.box,
            !option.required && removeButton(option.name, remove),
            el("p", { class: "option-note" }, help, this.#error),
        );
    }

    get isEmpty() {
        return this.#control.read() === undefined && !this.#isGarbled;
    }

    /** A number field keeps what is no number to itself. */
    get #isGarbled() {
        return this.#control.input.validity.badInput;
    }

    /** @returns {Value | undefined} */
    read() {
        return this.#control.read();
    }

    /** @param {Value} value */
    write(value) {
        if (!this.#control.write(value)) this.complain(`${this.option.name} cannot be “${value}”.`);
    }

    focus() {
        this.#control.input.focus();
    }

    /** @param {EventTarget | null} target */
    owns(target) {
        return target === this.#control.input;
    }

    /**
     * Says what Discord's app would refuse, and returns whether there is nothing of that.
     *
     * @returns {boolean}
     */
    check() {
        this.complain(this.#isGarbled ? `${this.option.name} is a number.` : problem(this.option, this.read()));
        return !this.#error.textContent;
    }

    /** @param {string} sentence empty where all is well */
    complain(sentence) {
        this.#error.textContent = sentence;
        if (sentence) this.#control.input.setAttribute("aria-invalid", "true");
        else this.#control.input.removeAttribute("aria-invalid");
    }
}

/**
 * @param {Option} option
 * @param {Value | undefined} value
 * @returns {string} one sentence, or nothing
 */
function problem(option, value) {
    const { name, type } = option;
    if (value === undefined) return option.required ? `${name} is needed.` : "";
    if (typeof value === "string" && type === OptionType.STRING) {
        const most = option.max_length ?? LONGEST_TEXT;
        // No `maxlength` on the field: it would cut a pasted text without a word.
        const range = outside(value.length, option.min_length ?? 0, most);
        return range && `${name} takes ${range} characters, and these are ${value.length.toLocaleString("en")}.`;
    }
    if (typeof value === "number") {
        if (type === OptionType.INTEGER && !Number.isInteger(value)) return `${name} is a whole number.`;
        const range = outside(value, option.min_value ?? -Infinity, option.max_value ?? Infinity);
        return range && `${name} is a number of ${range}.`;
    }
    return "";
}

/**
 * @param {number} size
 * @param {number} least
 * @param {number} most
 * @returns {string} the range as words where the size is outside of it, else nothing
 */
function outside(size, least, most) {
    if (size >= least && size <= most) return "";
    const [from, to] = [least, most].map((limit) => limit.toLocaleString("en"));
    if (!Number.isFinite(least)) return `at most ${to}`;
    return Number.isFinite(most) ? `${from} to ${to}` : `at least ${from}`;
}

/**
 * @param {string} name
 * @param {() => void} remove
 */
function removeButton(name, remove) {
    const label = `Remove ${name}`;
    return el("button", { type: "button", class: "icon-button", "aria-label": label, onclick: remove }, icon("close"));
}
