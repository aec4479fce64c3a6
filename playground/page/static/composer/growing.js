/** A text field that is as high as its text. */

import { el } from "../dom.js";

/**
 * Wraps a textarea. The style sheet gives the height by a copy of the text in `::after`, because not every browser
 * knows `field-sizing`, and the page's policy allows no inline styles.
 *
 * @param {HTMLTextAreaElement} textarea
 * @returns {{box: HTMLElement, write: (text: string) => void}} `write` replaces the text
 */
export function growing(textarea) {
    const box = el("div", { class: "growing" }, textarea);
    const copy = () => {
        // Where it is empty, the placeholder must fit.
        box.dataset.text = textarea.value || textarea.placeholder;
    };
    textarea.addEventListener("input", copy);
    const write = (/** @type {string} */ text) => {
        textarea.value = text;
        copy();
    };
    return { box, write };
}
