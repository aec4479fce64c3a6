/** What parts of the page tell the user by the one notice that they share. */

/**
 * @param {string} text one sentence
 * @param {"error" | "info"} [kind]
 */
export function notify(text, kind = "error") {
    document.dispatchEvent(new CustomEvent("notice", { detail: { text, kind } }));
}

/**
 * The sentence of an error that may be anything.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function sentenceOf(error) {
    return error instanceof Error ? error.message : String(error);
}
