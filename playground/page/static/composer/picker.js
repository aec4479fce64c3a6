/** The lists that open while one writes a message: commands after "/", people after "@". */

import { matching, offered } from "../commands.js";
import { store } from "../store.js";
import { Listbox } from "./listbox.js";
import { mentionBefore } from "./mentions.js";

/**
 * @typedef {import("../commands.js").Offer} Offer
 * @typedef {import("./listbox.js").Suggestion & {offer?: Offer, name?: string}} Item
 */

const PEOPLE = 10;

/**
 * The commands that the current user may run in the current channel.
 *
 * @returns {Offer[]}
 */
export function offersHere() {
    const channel = store.channels.get(store.current);
    return channel ? offered(store.commands, channel) : [];
}

export class Picker {
    #textarea;
    #chooseCommand;
    #status;
    /** @type {Listbox<Item>} */
    #list;

    /**
     * @param {HTMLTextAreaElement} textarea
     * @param {HTMLElement} status a live region: screen readers are not told by themselves that a list has opened
     * @param {(offer: Offer) => void} chooseCommand
     */
    constructor(textarea, status, chooseCommand) {
        this.#textarea = textarea;
        this.#chooseCommand = chooseCommand;
        this.#status = status;
        this.#list = new Listbox(textarea, "Commands and people", (item) => this.#chosen(item));
        textarea.addEventListener("input", () => this.update());
        textarea.addEventListener("click", () => this.update());
    }

    /** The list, to be placed beside the textarea. */
    get element() {
        return this.#list.element;
    }

    /** Shows what fits the text before the caret. */
    update() {
        const items = this.#commands() ?? this.#people() ?? [];
        this.#list.show(items);
        const news = items.length ? `Suggestions: ${items.length}. Choose with the arrow keys and Enter.` : "";
        if (this.#status.textContent !== news) this.#status.textContent = news;
    }

    hide() {
        this.#list.hide();
    }

    /** @returns {Item[] | undefined} */
    #commands() {
        const text = this.#textarea.value;
        if (!text.startsWith("/") || text.includes("\n")) return undefined;
        return matching(offersHere(), text.slice(1)).map((offer) => ({
            label: `/${offer.path}`,
            hint: offer.options.map((option) => (option.required ? option.name : `${option.name}?`)).join("  "),
            description: offer.description,
            offer,
        }));
    }

    /** @returns {Item[] | undefined} */
    #people() {
        const found = mentionBefore(this.#textarea.value, this.#textarea.selectionStart);
        if (!found) return undefined;
        const typed = found.typed.toLowerCase();
        const fitting = [...store.users.values()].filter((user) => user.name.toLowerCase().includes(typed));
        fitting.sort((one, other) => rank(one.name, typed) - rank(other.name, typed));
        return fitting
            .slice(0, PEOPLE)
            .map(({ name, bot }) => ({ label: `@${name}`, hint: bot ? "app" : "", name }));
    }

    /** @param {Item} item */
    #chosen(item) {
        if (item.offer) {
            this.#chooseCommand(item.offer);
            return;
        }
        const caret = this.#textarea.selectionStart;
        const { start } = mentionBefore(this.#textarea.value, caret) ?? { start: caret };
        this.#textarea.setRangeText(`@${item.name} `, start, caret, "end");
        // What else follows the text, such as the height, listens for what a key would have caused.
        this.#textarea.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
}

/** @param {string} name @param {string} typed */
function rank(name, typed) {
    return name.toLowerCase().startsWith(typed) ? 0 : 1;
}
