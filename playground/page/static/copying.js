/** Buttons that copy a text. */

const DONE = "Copied";
const SAID_MS = 2000;

/**
 * Copies a text, and lets the button that asked for it say so for a while.
 *
 * @param {HTMLButtonElement} button
 * @param {string} text
 * @returns {Promise<boolean>} false where the browser gives no leave to write to the clipboard
 */
export async function copyFrom(button, text) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        return false;
    }
    const words = button.textContent;
    // Pressed twice, it would go on saying so for ever.
    if (words === DONE) return true;
    button.textContent = DONE;
    setTimeout(() => (button.textContent = words), SAID_MS);
    return true;
}
