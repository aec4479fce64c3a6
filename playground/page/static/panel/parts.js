/** What the sections of the panel have in common. */

import { el } from "../dom.js";

/**
 * @typedef {{what: string, limit: number, left: number, resets_in: number}} Bucket
 * @typedef {{at: string, method: string, what: string, status: number, ms: number}} Call
 * @typedef {{n: number, model: string, generated: number, visible: number, per_second: number | null,
 *     first_token_ms: number | null, prompt_tokens: number | null,
 *     state: "waiting" | "writing" | "done" | "cancelled" | "failed", question: string}} Answer
 * @typedef {{buckets: Bucket[], edits_per_second: number, calls_per_second: number, rate_limit_hits: number,
 *     unknown_routes: string[], calls: Call[], answers: Answer[]}} Gauges
 * @typedef {{element: HTMLElement, draw: (gauges: Gauges) => void}} Section
 */

/**
 * A part of the panel under a heading, with an explanation that opens for whoever wants it.
 *
 * @param {string} title
 * @param {string[]} explanation its paragraphs
 * @param {...Node} children
 * @returns {HTMLElement}
 */
export function section(title, explanation, ...children) {
    return el(
        "section",
        { class: "panel-section" },
        el("h3", {}, title),
        ...children,
        el("details", {}, el("summary", {}, "What is this?"), ...explanation.map((text) => el("p", {}, text))),
    );
}

/**
 * Sets a text only where it is another: this is called twice a second, and what somebody selects shall stay selected.
 *
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

/**
 * Keeps one row for each key: rows that stay are drawn anew where they are, so that focus and selection survive.
 *
 * @template Item
 * @param {HTMLElement} parent
 * @param {() => {element: HTMLElement, draw: (item: Item) => void}} make
 * @returns {(items: Array<[string, Item]>) => void}
 */
export function rows(parent, make) {
    /** @type {Map<string, ReturnType<typeof make>>} */
    let shown = new Map();
    return (items) => {
        const next = new Map(items.map(([key]) => [key, shown.get(key) ?? make()]));
        for (const [key, row] of shown) {
            if (!next.has(key)) row.element.remove();
        }
        items.forEach(([key, item], place) => {
            const row = /** @type {ReturnType<typeof make>} */ (next.get(key));
            row.draw(item);
            const there = parent.children[place] ?? null;
            if (there !== row.element) parent.insertBefore(row.element, there);
        });
        shown = next;
    };
}
