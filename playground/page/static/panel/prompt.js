/** The dialog that shows what the model really got for one answer. */

import { get } from "../api.js";
import { copyFrom } from "../copying.js";
import { el } from "../dom.js";
import { notify, sentenceOf } from "../notices.js";
import { formatted } from "../times.js";

/**
 * @typedef {{role: string, content: string, images?: string[]}} Message
 * @typedef {{n: number, model: string, at: string, messages: Message[],
 *     options: Record<string, unknown>, other: Record<string, unknown>, answer: string}} Prompt
 */

/** @type {Record<string, string>} */
const ROLES = {
    system: "Instructions (system)",
    user: "Person (user)",
    assistant: "Model (assistant)",
    prompt: "All of it as one text, at whose end the model goes on",
};

/**
 * Opens the dialog; trouble becomes a notice.
 *
 * @param {number} number of the answer
 */
export async function showPrompt(number) {
    try {
        open(await get(`prompts/${number}`));
    } catch (error) {
        notify(sentenceOf(error));
    }
}

/** @param {Prompt} prompt */
function open(prompt) {
    const copy = el("button", { class: "button", type: "button", onclick: () => copied(copy, prompt) }, "Copy as JSON");
    const close = el("button", { class: "button primary", type: "button", onclick: () => dialog.close() }, "Close");
    // The heading takes the focus: a button below would scroll the beginning out of sight.
    const heading = el("h2", { id: "panel-prompt-title", tabindex: "-1", autofocus: true }, "What the model got");
    const dialog = el(
        "dialog",
        { class: "dialog panel-prompt", "aria-labelledby": heading.id, onclose: () => dialog.remove() },
        heading,
        el("p", { class: "panel-empty" }, `${prompt.model}, asked at ${formatted(new Date(prompt.at), "T")}`),
        el("ol", {}, ...prompt.messages.map(message)),
        ...fields("Options", prompt.options),
        ...fields("Other fields", prompt.other),
        el("h3", {}, "Its answer so far"),
        prompt.answer ? el("pre", {}, prompt.answer) : el("p", { class: "panel-empty" }, "Nothing yet."),
        el("div", { class: "dialog-buttons" }, copy, close),
    );
    document.body.append(dialog);
    dialog.showModal();
}

/** @param {Message} message */
function message({ role, content, images = [] }) {
    return el(
        "li",
        {},
        el("h3", {}, ROLES[role] ?? role),
        el("pre", {}, content),
        ...images.map((size) => el("p", { class: "panel-empty" }, `With an image of ${size}`)),
    );
}

/**
 * @param {string} title
 * @param {Record<string, unknown>} values
 */
function fields(title, values) {
    const names = Object.keys(values);
    if (!names.length) return [];
    const pairs = names.flatMap((name) => [el("dt", {}, name), el("dd", {}, JSON.stringify(values[name]))]);
    return [el("h3", {}, title), el("dl", {}, ...pairs)];
}

/**
 * @param {HTMLButtonElement} button
 * @param {Prompt} prompt
 */
async function copied(button, prompt) {
    if (await copyFrom(button, JSON.stringify(prompt, null, 2))) return;
    notify("The browser does not allow copying here. Mark the text and copy it yourself.");
}
