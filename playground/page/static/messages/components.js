/** What the bot puts below or into a message besides text: buttons, selects, and the layout of Components V2. */

import { el } from "../dom.js";
import { settle } from "../interactions.js";
import { render } from "../markdown.js";
import { notify } from "../notices.js";
import { store } from "../store.js";

/**
 * @typedef {import("../store.js").Message} Message
 */

const ROW = 1;
const BUTTON = 2;
const STRING_SELECT = 3;
const SECTION = 9;
const TEXT = 10;
const SEPARATOR = 14;
const CONTAINER = 17;
/** What Discord has and this page does not show. */
const OTHERS = new Map([
    [5, "Choice of users"],
    [6, "Choice of roles"],
    [7, "Choice of users and roles"],
    [8, "Choice of channels"],
    [11, "Thumbnail"],
    [12, "Media gallery"],
    [13, "File"],
]);
const LINK = 5;
const STYLES = ["", "primary", "secondary", "success", "danger"];
const WEB_ADDRESS = /^https?:\/\//i;

/** Controls whose interaction the bot has not responded to yet: a message may be redrawn meanwhile. */
const pending = new Set();

/**
 * @param {Message} message
 * @returns {Node[]}
 */
export function components(message) {
    return message.components.map((component) => draw(component, message));
}

/**
 * @param {any} component
 * @param {Message} message
 * @returns {Node}
 */
function draw(component, message) {
    const inside = () => (component.components ?? []).map((/** @type {any} */ part) => draw(part, message));
    switch (component.type) {
        case ROW:
            return el("div", { class: "row" }, ...inside());
        case BUTTON:
            return component.style === LINK ? link(component) : button(component, message);
        case STRING_SELECT:
            return select(component, message);
        case SECTION:
            return el("div", { class: "section" }, el("div", {}, ...inside()), draw(component.accessory, message));
        case TEXT:
            return el("div", {}, render(component.content, store));
        case SEPARATOR:
            return el("hr", { class: component.divider === false ? "gap" : "separator" });
        case CONTAINER:
            return el("div", { class: "container" }, ...inside());
        default:
            return unknown(component);
    }
}

/** @param {any} component */
function unknown({ type }) {
    return el("p", { class: "unknown" }, `${OTHERS.get(type) ?? "Component"} (type ${type}), not shown here`);
}

/** @param {any} component */
function link({ url, label, emoji }) {
    // Whatever else an address may begin with, such as "javascript:", must not be followed.
    const href = WEB_ADDRESS.test(url) ? url : undefined;
    return el("a", { class: "button", href, target: "_blank", rel: "noopener noreferrer" }, words(label, emoji));
}

/**
 * @param {any} component
 * @param {Message} message
 */
function button({ custom_id, style, label, emoji, disabled }, message) {
    const attributes = { type: "button", class: `button ${STYLES[style] ?? "secondary"}`, disabled };
    const own = el("button", { ...attributes, ...identity(message, custom_id) }, words(label, emoji));
    own.addEventListener("click", () => void begin(message, custom_id, "click", {}));
    return own;
}

/**
 * A native select with a button: its arrow keys change the value at each press, which must not run anything.
 *
 * @param {any} component
 * @param {Message} message
 */
function select(component, message) {
    const { custom_id, placeholder = "Choose…", disabled, options, min_values = 1, max_values = 1 } = component;
    const field = el("select", { class: "field", "aria-label": placeholder, disabled, multiple: max_values > 1 });
    if (max_values === 1) field.append(el("option", { value: "" }, placeholder));
    for (const { value, label, description, default: selected } of options) {
        field.append(el("option", { value, selected }, description ? `${label}: ${description}` : label));
    }
    const attributes = { type: "button", class: "button", disabled, ...identity(message, custom_id) };
    const choose = () => {
        const values = [...field.selectedOptions].map((option) => option.value).filter(Boolean);
        if (values.length >= min_values && values.length <= max_values) {
            void begin(message, custom_id, "select", { values });
        } else {
            notify(`Choose ${min_values === max_values ? min_values : `${min_values} to ${max_values}`} of the list.`);
            field.focus();
        }
    };
    return el("div", { class: "select" }, field, el("button", { ...attributes, onclick: choose }, "Choose"));
}

/**
 * @param {string | undefined} label
 * @param {{name?: string} | undefined} emoji
 */
function words(label, emoji) {
    return [emoji?.name, label].filter(Boolean).join(" ");
}

/**
 * By what a control is found again after its message was redrawn.
 *
 * @param {Message} message
 * @param {string} customId
 */
function identity(message, customId) {
    const control = `${message.id}/${customId}`;
    return { "data-control": control, "aria-busy": pending.has(control) ? "true" : undefined };
}

/**
 * @param {Message} message
 * @param {string} customId
 * @param {"click" | "select"} path
 * @param {Record<string, unknown>} data
 */
async function begin(message, customId, path, data) {
    const control = `${message.id}/${customId}`;
    if (pending.has(control)) return;
    setPending(control, true);
    const { ok, error } = await settle(path, { message: message.id, custom_id: customId, ...data });
    setPending(control, false);
    if (!ok) notify(error);
}

/**
 * Marks a control as busy. It is not disabled, which would take the focus from it.
 *
 * @param {string} control
 * @param {boolean} on
 */
function setPending(control, on) {
    if (on) pending.add(control);
    else pending.delete(control);
    for (const element of document.querySelectorAll(`[data-control="${CSS.escape(control)}"]`)) {
        if (on) element.setAttribute("aria-busy", "true");
        else element.removeAttribute("aria-busy");
    }
}
