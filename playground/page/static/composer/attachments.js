/** The files that are to be sent with a message, and the ways in which they come: chosen, dropped or pasted. */

import { el, icon } from "../dom.js";
import { notify } from "../notices.js";
import { readableSize } from "../sizes.js";

const MOST = 10;

export class Attachments {
    element = el("ul", { class: "attaching", "aria-label": "Files to send", hidden: true });
    /** @type {File[]} */
    #files = [];
    #emptied;

    /** @param {() => void} emptied called when the user has removed a file and the focus needs a new place */
    constructor(emptied) {
        this.#emptied = emptied;
    }

    get files() {
        return this.#files;
    }

    /** @param {File[]} files */
    set files(files) {
        this.#files = files;
        this.element.replaceChildren(...files.map((file) => this.#chip(file)));
        this.element.hidden = !files.length;
    }

    /** @param {File[]} files */
    add(files) {
        const all = [...this.#files, ...files];
        if (all.length > MOST) notify(`A message takes up to ${MOST} files; the others were left out.`);
        this.files = all.slice(0, MOST);
    }

    /** @param {File} file */
    #chip(file) {
        const remove = () => {
            this.files = this.#files.filter((one) => one !== file);
            this.#emptied();
        };
        const label = `Remove ${file.name}`;
        const attributes = { type: "button", class: "icon-button", "aria-label": label, onclick: remove };
        return el(
            "li",
            { class: "attaching-file" },
            el("span", { class: "attaching-name" }, file.name),
            el("span", { class: "attaching-size" }, readableSize(file.size)),
            el("button", attributes, icon("close")),
        );
    }
}

/**
 * A button that opens the browser's own dialog for files.
 *
 * @param {(files: File[]) => void} take
 * @returns {{button: HTMLButtonElement, input: HTMLInputElement}} the button, and the hidden field behind it
 */
export function attachButton(take) {
    const input = el("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files to attach" });
    input.addEventListener("change", () => {
        take([...(input.files ?? [])]);
        // Or the same file could not be chosen a second time.
        input.value = "";
    });
    const label = { "aria-label": "Attach files", title: "Attach files" };
    const plus = el("span", { class: "plus", "aria-hidden": "true" }, "+");
    const button = el("button", { type: "button", class: "icon-button", ...label, onclick: () => input.click() }, plus);
    return { button, input };
}

/**
 * Takes files that are dropped anywhere on the page, or pasted into the form.
 *
 * @param {HTMLElement} form shows by its class "dropping" that files would be taken
 * @param {(files: File[]) => void} take
 */
export function receiveFiles(form, take) {
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragover", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        form.classList.add("dropping");
    });
    document.addEventListener("dragleave", (event) => {
        if (!event.relatedTarget) form.classList.remove("dropping");
    });
    document.addEventListener("drop", (event) => {
        form.classList.remove("dropping");
        if (!hasFiles(event)) return;
        event.preventDefault();
        take([...(event.dataTransfer?.files ?? [])]);
    });
    form.addEventListener("paste", (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (!files.length) return;
        event.preventDefault();
        take(files);
    });
}
