/** A text field whose suggestions come from the bot, as for options with autocomplete. */

import { OptionType } from "../commands.js";
import { el } from "../dom.js";
import { sentenceOf } from "../notices.js";
import { Listbox } from "./listbox.js";

/**
 * @typedef {import("../commands.js").Option} Option
 * @typedef {import("../commands.js").Choice} Choice
 */

const PAUSE_MS = 150;

/**
 * @param {Option} option
 * @param {import("./controls.js").Complete} complete
 * @returns {import("./controls.js").Control}
 */
export function suggesting(option, complete) {
    const input = el("input", { class: "option-input", type: "text", autocomplete: "off", spellcheck: "false" });
    const status = el("span", { class: "visually-hidden", role: "status" });
    /** @type {Choice | null} */
    let chosen = null;
    /** @type {Listbox<{label: string, choice: Choice}>} */
    const list = new Listbox(input, `Suggestions for ${option.name}`, ({ choice }) => {
        chosen = choice;
        input.value = choice.name;
    });
    const ask = asking(input, list, status, (text) => complete(option, text));
    input.addEventListener("focus", () => ask());
    input.addEventListener("input", () => {
        chosen = null;
        ask();
    });
    return {
        box: el("div", { class: "suggesting" }, list.element, input, status),
        input,
        read: () => (chosen ? chosen.value : typed(option, input.value)),
        write: (value) => {
            chosen = null;
            input.value = String(value);
            return true;
        },
    };
}

/**
 * @param {Option} option
 * @param {string} text
 */
function typed(option, text) {
    const isNumber = option.type === OptionType.INTEGER || option.type === OptionType.NUMBER;
    return isNumber && text.trim() && Number.isFinite(Number(text)) ? Number(text) : text || undefined;
}

/**
 * Makes a function that asks for suggestions once typing pauses, and shows them unless the text has changed since.
 *
 * @param {HTMLInputElement} input
 * @param {Listbox<{label: string, choice: Choice}>} list
 * @param {HTMLElement} status
 * @param {(text: string) => Promise<Choice[]>} complete
 */
function asking(input, list, status, complete) {
    let newest = 0;
    let timer = 0;
    const ask = async (/** @type {number} */ number) => {
        const text = input.value;
        const isCurrent = () => number === newest && text === input.value && document.activeElement === input;
        try {
            const choices = await complete(text);
            if (!isCurrent()) return;
            // Where nothing is typed, or all of it, nothing is to be chosen: Tab and Enter go on as in other fields.
            const isChosen = !text || choices.some((choice) => choice.name === text);
            list.show(choices.map((choice) => ({ label: choice.name, choice })), isChosen ? -1 : 0);
            status.textContent = `Suggestions: ${choices.length}.`;
        } catch (error) {
            if (!isCurrent()) return;
            list.hide();
            status.textContent = `No suggestions: ${sentenceOf(error)}`;
        }
    };
    return () => {
        newest += 1;
        clearTimeout(timer);
        timer = window.setTimeout(ask, PAUSE_MS, newest);
    };
}
