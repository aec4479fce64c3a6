/** Short ways to build DOM nodes. Text is only ever set as text, so nothing that people write can become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes (a value of `true` sets an empty one; `false`, `null` and `undefined` set none),
 * listeners (functions, named `onclick` and the like) and children (strings become text; falsy ones are left out).
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") {
            element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(name, value === true ? "" : String(value));
        }
    }
    for (const child of children) {
        if (child) element.append(child);
    }
    return element;
}

/**
 * One of the drawings in index.html; hidden from screen readers, since a label says the same.
 *
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `#icon-${name}`);
    svg.append(use);
    return svg;
}

/** Three dots that breathe: somebody is at work. */
export function dots() {
    return el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();

/**
 * Whether an element is to be drawn anew. What is not, keeps its focus, and a list that is open stays open.
 *
 * @param {Element} element
 * @param {unknown} value all that it shows, as it could be written in JSON
 * @returns {boolean}
 */
export function isNews(element, value) {
    const key = JSON.stringify(value);
    if (shown.get(element) === key) return false;
    shown.set(element, key);
    return true;
}

/**
 * The element that index.html promises under this id.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
    const element = document.getElementById(id);
    if (!element) throw new Error(`There is no element with the id ${id}.`);
    return /** @type {T} */ (element);
}
