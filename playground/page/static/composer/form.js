/** The form into which the composer turns for a command. */

import { post } from "../api.js";
import { OptionType } from "../commands.js";
import { el, icon } from "../dom.js";
import { notify } from "../notices.js";
import { store } from "../store.js";
import { Field } from "./fields.js";

/**
 * @typedef {import("../commands.js").Offer} Offer
 * @typedef {import("../commands.js").Option} Option
 * @typedef {import("../commands.js").Call} Call
 * @typedef {import("../commands.js").Value} Value
 */

export class CommandForm {
    element;
    #offer;
    #leave;
    /** @type {Map<Option, Field>} in the order of the offer's options */
    #fields = new Map();
    #list = el("div", { class: "options" });
    #more = el("div", { class: "more-options" });
    #run = el("button", { type: "submit", class: "button primary" }, "Run");

    /**
     * @param {Offer} offer
     * @param {(typed: string) => void} leave goes back to writing messages, with this text
     */
    constructor(offer, leave) {
        this.#offer = offer;
        this.#leave = leave;
        const name = el("strong", { class: "command-name", id: "command-name" }, `/${offer.path}`);
        const description = el("span", { class: "command-description" }, offer.description);
        const close = el(
            "button",
            { type: "button", class: "icon-button", "aria-label": "Leave the command", onclick: () => leave("") },
            icon("close"),
        );
        this.element = el(
            "div",
            { class: "command", role: "group", "aria-labelledby": "command-name" },
            el("div", { class: "command-head" }, name, description, close),
            this.#list,
            el("div", { class: "command-foot" }, this.#more, this.#run),
        );
        this.element.addEventListener("keydown", (event) => this.#key(event));
        for (const option of offer.options) if (option.required) this.#add(option);
        this.#arrange();
    }

    get path() {
        return this.#offer.path;
    }

    /** @returns {Call} what was filled in so far */
    get call() {
        /** @type {Map<string, Value>} */
        const values = new Map();
        for (const [option, field] of this.#fields) {
            const value = field.read();
            if (value !== undefined) values.set(option.name, value);
        }
        return { path: this.path, values };
    }

    /** @param {Map<string, Value>} values */
    fill(values) {
        for (const option of this.#offer.options) {
            const value = values.get(option.name);
            if (value !== undefined) this.#add(option).write(value);
        }
        this.#arrange();
    }

    /** Goes to the first field that still needs something, else to the last one, else to the button. */
    focus() {
        const fields = [...this.#fields.values()];
        const next = fields.find((field) => field.option.required && field.isEmpty) ?? fields.at(-1);
        (next ?? this.#run).focus();
    }

    /**
     * Takes a dropped file, if the command has an option for one.
     *
     * @param {File} file
     */
    attach(file) {
        const option = this.#offer.options.find((one) => one.type === OptionType.ATTACHMENT);
        if (!option) {
            notify(`/${this.path} takes no file.`);
            return;
        }
        this.#add(option).write(file);
        this.#arrange();
    }

    /**
     * Says what is wrong or missing, and goes there.
     *
     * @returns {boolean} whether the command can be run
     */
    check() {
        const wrong = [...this.#fields.values()].filter((field) => !field.check());
        wrong[0]?.focus();
        return !wrong.length;
    }

    /** @param {Option} option */
    #add(option) {
        const field = this.#fields.get(option) ?? new Field(option, this.#complete, () => this.#remove(option));
        this.#fields.set(option, field);
        return field;
    }

    /** @param {Option} option */
    #remove(option) {
        this.#fields.get(option)?.element.remove();
        this.#fields.delete(option);
        this.#arrange();
        this.focus();
    }

    /** Puts fields and the buttons for further ones in the order in which the bot declared the options. */
    #arrange() {
        const { options } = this.#offer;
        const fields = options.flatMap((option) => this.#fields.get(option) ?? []);
        this.#fields = new Map(fields.map((field) => [field.option, field]));
        // Only what is new is put in, since moving a field would take the focus out of it.
        fields.forEach(({ element }, index) => {
            if (this.#list.children[index] !== element) this.#list.insertBefore(element, this.#list.children[index]);
        });
        const missing = options.filter((option) => !this.#fields.has(option));
        this.#more.replaceChildren(...missing.map((option) => this.#moreButton(option)));
    }

    /** @param {Option} option */
    #moreButton(option) {
        const add = () => {
            const field = this.#add(option);
            this.#arrange();
            field.focus();
        };
        const { name, description } = option;
        return el("button", { type: "button", class: "more-option", title: description, onclick: add }, `+ ${name}`);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        if (event.isComposing) return;
        const field = [...this.#fields.values()].find((one) => one.owns(event.target));
        if (event.key === "Enter" && !event.shiftKey && field && field.option.type !== OptionType.ATTACHMENT) {
            event.preventDefault();
            this.#run.form?.requestSubmit();
        } else if (event.key === "Escape" || (event.key === "Backspace" && (field || event.target === this.#run))) {
            if (this.#goBack(field, event.key)) event.preventDefault();
        }
    }

    /**
     * @param {Field | undefined} field where the key was pressed
     * @param {string} key
     * @returns {boolean} whether there was something to leave
     */
    #goBack(field, key) {
        if (key === "Escape" && [...this.#fields.values()].some((one) => !one.isEmpty)) {
            // What was filled in is kept, and can be gone on with.
            this.#leave("");
            return true;
        }
        if (field && !field.isEmpty) return false;
        if (field && !field.option.required) {
            this.#remove(field.option);
            return true;
        }
        const [first] = this.#fields.values();
        if (field !== first) return false;
        // As in Discord, Backspace takes one step back: to the list of commands, with this name typed.
        this.#leave(key === "Backspace" ? `/${this.path}` : "");
        return true;
    }

    /** @type {import("./controls.js").Complete} */
    #complete = async (option, text) => {
        const given = [...this.call.values];
        const others = given.filter(([name, value]) => name !== option.name && !(value instanceof File));
        const { choices } = await post("complete", {
            channel: store.current,
            command: this.path,
            focused: option.name,
            text,
            options: Object.fromEntries(others),
        });
        return choices;
    };
}
