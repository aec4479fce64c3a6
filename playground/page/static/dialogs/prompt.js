/** A small dialog that asks for one line. */

import { el } from "../dom.js";

/**
 * @param {{title: string, label: string, value: string, confirm: string, limit: number}} wanted `limit` in characters
 * @returns {Promise<string>} what was written; empty where nothing was, or the dialog was left
 */
export function prompt({ title, label, value, confirm, limit }) {
    const input = el("input", {
        class: "field",
        id: "prompt-text",
        maxlength: limit,
        required: true,
        autocomplete: "off",
    });
    input.value = value;
    const dialog = el("dialog", { class: "dialog", "aria-labelledby": "prompt-title" });
    const form = el(
        "form",
        { onsubmit: (/** @type {Event} */ event) => [event.preventDefault(), dialog.close(input.value.trim())] },
        el("h2", { id: "prompt-title" }, title),
        el("label", { for: "prompt-text" }, label),
        input,
        el(
            "div",
            { class: "dialog-buttons" },
            el("button", { class: "button", type: "button", onclick: () => dialog.close("") }, "Cancel"),
            el("button", { class: "button primary" }, confirm),
        ),
    );
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
    input.select();
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => {
            dialog.remove();
            resolve(dialog.returnValue);
        });
    });
}
