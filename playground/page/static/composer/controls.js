/** What an option's value is typed or chosen with, by the option's type. */

import { OptionType } from "../commands.js";
import { el } from "../dom.js";
import { store } from "../store.js";
import { growing } from "./growing.js";
import { suggesting } from "./suggesting.js";

/**
 * @typedef {import("../commands.js").Option} Option
 * @typedef {import("../commands.js").Value} Value
 * @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Input
 * @typedef {object} Control
 * @property {HTMLElement} box what is put into the page
 * @property {Input} input what takes the focus
 * @property {() => Value | undefined} read undefined while nothing is given
 * @property {(value: Value) => boolean} write whether the value could be taken
 * @typedef {(option: Option, text: string) => Promise<import("../commands.js").Choice[]>} Complete
 */

const { STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT } = OptionType;
const YES_AND_NO = [
    { name: "True", value: true },
    { name: "False", value: false },
];
/** Channel types of Discord by the kinds of the playground. */
const CHANNEL_TYPES = { text: 0, dm: 1, thread: 11 };

/**
 * @param {Option} option
 * @param {Complete} complete asks the bot for suggestions
 * @returns {Control}
 */
export function controlFor(option, complete) {
    if (option.choices?.length) return choosing(option.choices);
    if (option.autocomplete) return suggesting(option, complete);
    if (option.type === BOOLEAN) return choosing(YES_AND_NO);
    if (option.type === INTEGER || option.type === NUMBER) return counting(option);
    if (option.type === ATTACHMENT) return attaching();
    if (option.type === CHANNEL) return choosing(channels(option));
    if (option.type === USER || option.type === MENTIONABLE) return choosing(people());
    // The playground tells the page of no roles: their id is what can be typed.
    return writing(option.type === STRING || option.type === ROLE ? "" : `An option of type ${option.type}`);
}

/**
 * @param {string} placeholder
 * @returns {Control}
 */
function writing(placeholder) {
    const input = el("textarea", { class: "option-input", rows: 1, placeholder });
    const { box, write } = growing(input);
    return {
        box,
        input,
        read: () => input.value || undefined,
        write: (value) => {
            write(String(value));
            return true;
        },
    };
}

/**
 * @param {{name: string, value: string | number | boolean}[]} choices
 * @returns {Control}
 */
function choosing(choices) {
    const options = choices.map((choice, index) => el("option", { value: index }, choice.name));
    const input = el("select", { class: "option-input" }, el("option", { value: "" }, "Choose…"), ...options);
    return {
        box: input,
        input,
        read: () => (input.value ? choices[Number(input.value)].value : undefined),
        write: (value) => {
            const wanted = String(value).toLowerCase();
            const index = choices.findIndex((choice) =>
                [String(choice.value), choice.name].some((one) => one.toLowerCase() === wanted),
            );
            input.value = index < 0 ? "" : String(index);
            return index >= 0;
        },
    };
}

/**
 * @param {Option} option
 * @returns {Control}
 */
function counting(option) {
    const input = el("input", {
        class: "option-input",
        type: "number",
        min: option.min_value,
        max: option.max_value,
        step: option.type === INTEGER ? 1 : "any",
    });
    return {
        box: input,
        input,
        read: () => (input.value ? Number(input.value) : undefined),
        write: (value) => {
            input.value = String(value);
            return input.value !== "";
        },
    };
}

/** @returns {Control} */
function attaching() {
    const input = el("input", { class: "option-input", type: "file" });
    return {
        box: input,
        input,
        read: () => input.files?.[0],
        write: (value) => {
            if (!(value instanceof File)) return false;
            const transfer = new DataTransfer();
            transfer.items.add(value);
            input.files = transfer.files;
            return true;
        },
    };
}

function people() {
    return [...store.users.values()].map((user) => ({ name: `@${user.name}`, value: user.id }));
}

/** @param {Option} option */
function channels(option) {
    const fitting = [...store.channels.values()].filter(
        (channel) => !option.channel_types?.length || option.channel_types.includes(CHANNEL_TYPES[channel.kind]),
    );
    return fitting.map((channel) => ({ name: `#${channel.name}`, value: channel.id }));
}
