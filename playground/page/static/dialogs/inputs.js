/** One field of a window that the bot opened. */

import { el } from "../dom.js";

/**
 * @typedef {object} ModalField
 * @property {string} id the component's custom id
 * @property {HTMLElement} element
 * @property {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} input
 * @property {() => boolean} check says below the field what is wrong with it; whether there is nothing
 */

const STRING_SELECT = 3;
const TEXT_INPUT = 4;
const PARAGRAPH = 2;
const LONGEST = 4000;
const ROWS = 10;

/**
 * @param {any} component as Discord describes it
 * @param {string} label
 * @param {string} description
 * @returns {ModalField | null} null for a type that is not known here
 */
export function modalField(component, label, description) {
    const input = inputFor(component);
    if (!input) return null;
    const required = component.required ?? true;
    const id = `modal-${component.custom_id}`;
    const help = el("p", { class: "modal-help", id: `${id}-help` }, description);
    const error = el("p", { class: "modal-error", id: `${id}-error` });
    input.id = id;
    input.setAttribute("aria-describedby", `${help.id} ${error.id}`);
    input.setAttribute("aria-required", String(required));
    const complain = (/** @type {string} */ sentence) => {
        error.textContent = sentence;
        input.setAttribute("aria-invalid", String(Boolean(sentence)));
    };
    input.addEventListener("input", () => complain(""));
    const mark = required && el("span", { class: "required", "aria-hidden": "true" }, " *");
    return {
        id: component.custom_id,
        element: el("div", { class: "modal-field" }, el("label", { for: id }, label, mark), help, input, error),
        input,
        check: () => {
            complain(problem(component, label, required, input.value));
            return !error.textContent;
        },
    };
}

/** @param {any} component */
function inputFor(component) {
    if (component.type === STRING_SELECT) return selectFor(component);
    if (component.type !== TEXT_INPUT) return null;
    const attributes = { class: "field", placeholder: component.placeholder };
    const isLong = component.style === PARAGRAPH;
    const input = isLong ? el("textarea", { ...attributes, rows: ROWS }) : el("input", attributes);
    input.value = component.value ?? "";
    return input;
}

/** @param {any} component */
function selectFor(component) {
    const select = el("select", { class: "field" }, el("option", { value: "" }, component.placeholder ?? "Choose…"));
    for (const choice of component.options) {
        select.append(el("option", { value: choice.value, selected: choice.default }, choice.label));
    }
    return select;
}

/**
 * @param {any} component
 * @param {string} label
 * @param {boolean} required
 * @param {string} value
 * @returns {string} one sentence, or nothing
 */
function problem(component, label, required, value) {
    if (!value) return required ? `${label} is needed.` : "";
    const [least, most] = [component.min_length ?? 0, component.max_length ?? LONGEST];
    if (component.type !== TEXT_INPUT || (value.length >= least && value.length <= most)) return "";
    // No `maxlength` on the field: it would cut a pasted text without a word.
    const [from, to, these] = [least, most, value.length].map((count) => count.toLocaleString("en"));
    return `${label} takes ${least ? `${from} to` : "up to"} ${to} characters, and these are ${these}.`;
}
