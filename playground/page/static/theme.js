/** Dark or light: as the system says, until the reader says otherwise. */

import { icon } from "./dom.js";
import { remember, remembered } from "./remembered.js";

const KEY = "playground-theme";
const LIGHT = matchMedia("(prefers-color-scheme: light)");

/**
 * Applies the remembered theme and lets a button change it.
 *
 * @param {HTMLButtonElement} toggle
 */
export function mountTheme(toggle) {
    apply(chosen(), toggle);
    LIGHT.addEventListener("change", () => apply(chosen(), toggle));
    toggle.addEventListener("click", () => {
        const next = shown() === "dark" ? "light" : "dark";
        remember(KEY, next);
        apply(next, toggle);
    });
}

function shown() {
    return document.documentElement.dataset.theme ?? (LIGHT.matches ? "light" : "dark");
}

/**
 * @param {string | null} theme null follows the system
 * @param {HTMLButtonElement} toggle
 */
function apply(theme, toggle) {
    if (theme) document.documentElement.dataset.theme = theme;
    const other = shown() === "dark" ? "light" : "dark";
    toggle.replaceChildren(icon(other === "dark" ? "moon" : "sun"));
    toggle.setAttribute("aria-label", `Change to the ${other} theme`);
    toggle.title = `Change to the ${other} theme`;
}

/** @returns {string | null} */
function chosen() {
    const theme = remembered(KEY);
    return theme === "dark" || theme === "light" ? theme : null;
}
