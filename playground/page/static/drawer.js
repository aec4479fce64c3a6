/** The sidebar as a drawer, where the window is too narrow for both. */

import { store } from "./store.js";

/**
 * Lets the sidebar slide in where the window is narrow.
 *
 * @param {{sidebar: HTMLElement, toggle: HTMLElement, shade: HTMLElement}} hosts
 */
export function mountDrawer({ sidebar, toggle, shade }) {
    const show = (/** @type {boolean} */ open) => {
        sidebar.classList.toggle("open", open);
        toggle.setAttribute("aria-expanded", String(open));
        if (open) sidebar.querySelector("button")?.focus();
    };
    toggle.addEventListener("click", () => show(!sidebar.classList.contains("open")));
    shade.addEventListener("click", () => show(false));
    store.on("current", () => show(false));
    sidebar.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !sidebar.classList.contains("open")) return;
        show(false);
        toggle.focus();
    });
}
