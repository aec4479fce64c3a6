/**
 * Discord's Markdown as DOM nodes: first the blocks, line by line, then what is within them.
 *
 * Only text nodes ever carry what somebody wrote, so HTML in a message is shown, not obeyed.
 */

import { el } from "./dom.js";
import { inline } from "./inline.js";

/** @typedef {import("./inline.js").Names} Names */

const HEADING = /^(#{1,3}) +(\S.*)$/u;
const SUBTEXT = /^-# +(\S.*)$/u;
/** A code block within an item ends the list: it is shown below it. */
const ITEM = /^(?!.*```)( *)([-*]|\d{1,9}\.) +(\S.*)$/u;
const QUOTE = /^> (.*)$/u;
const QUOTE_ALL = /^>>> /u;
const LANGUAGE = /^([A-Za-z0-9_+\-.#]+)\n/u;
const FENCE = "```";
/** What a block's own margin stands for. */
const AFTER_BLOCK = / *\n?/uy;

/**
 * @param {string} text
 * @param {Names} names who and what the ids in mentions are
 * @returns {DocumentFragment} one element for each block
 */
export function render(text, names) {
    const fragment = document.createDocumentFragment();
    fragment.append(...new Blocks(text, names, true).elements());
    return fragment;
}

/**
 * Formatted text as plain words, to be read aloud or quoted; what a spoiler hides stays hidden.
 *
 * @param {Element | DocumentFragment} formatted what `render` returned, or an element around it; is used up
 * @returns {string} a line for each block and item
 */
export function wordsIn(formatted) {
    for (const caption of formatted.querySelectorAll("figcaption")) caption.remove();
    for (const item of formatted.querySelectorAll("li, .paragraph, .subtext")) item.prepend("\n");
    for (const spoiler of formatted.querySelectorAll(".spoiler:not(.shown)")) spoiler.textContent = "(spoiler)";
    return [...formatted.children].map((block) => block.textContent?.trim()).join("\n");
}

class Blocks {
    /** @type {HTMLElement[]} */
    #done = [];
    /** @type {string[]} lines that are plain text so far */
    #plain = [];
    #at = 0;
    #fences = true;
    #text;
    #names;
    #quotes;

    /**
     * @param {string} text
     * @param {Names} names
     * @param {boolean} quotes whether a quote may begin: it holds no other
     */
    constructor(text, names, quotes) {
        this.#text = text;
        this.#names = names;
        this.#quotes = quotes;
    }

    /** @returns {HTMLElement[]} */
    elements() {
        while (this.#at < this.#text.length) {
            if (!(this.#quote() || this.#list() || this.#oneLine())) this.#plainLine();
        }
        this.#flush();
        return this.#done;
    }

    /** @param {number} [from] */
    #line(from = this.#at) {
        const end = this.#text.indexOf("\n", from);
        return this.#text.slice(from, end < 0 ? undefined : end);
    }

    /** @param {string} line */
    #pass(line) {
        this.#at += line.length + 1;
    }

    /** @param {HTMLElement} block */
    #push(block) {
        this.#flush();
        this.#done.push(block);
    }

    #flush() {
        const text = this.#plain.join("\n");
        this.#plain = [];
        if (!text.trim()) return;
        this.#done.push(this.#filled(el("div", { class: "paragraph" }), text));
    }

    /**
     * @param {HTMLElement} element
     * @param {string} text
     */
    #filled(element, text) {
        element.append(...inline(text, this.#names));
        return element;
    }

    /** @returns {boolean} */
    #quote() {
        if (!this.#quotes) return false;
        let quoted = "";
        if (QUOTE_ALL.test(this.#line())) {
            quoted = this.#text.slice(this.#at + 4);
            this.#at = this.#text.length;
        } else {
            const lines = this.#while(QUOTE, (match) => match[1]);
            if (!lines.length) return false;
            quoted = lines.join("\n");
        }
        const block = el("blockquote");
        block.append(...new Blocks(quoted, this.#names, false).elements());
        this.#push(block);
        return true;
    }

    /** @returns {boolean} */
    #list() {
        const items = this.#while(ITEM, ([, indent, sign, words]) => ({ depth: indent.length, sign, words }));
        if (!items.length) return false;
        for (const list of this.#listsOf(items)) this.#push(list);
        return true;
    }

    /**
     * Lists within lists, by how far their items are indented. A number after bullets, or the reverse, begins another.
     *
     * @param {{depth: number, sign: string, words: string}[]} items
     */
    #listsOf(items) {
        /** @type {HTMLElement[]} */
        const roots = [];
        /** @type {{list: HTMLElement, depth: number}[]} */
        let open = [];
        for (const { depth, sign, words } of items) {
            const within = open.filter((level) => level.depth <= depth);
            open = within.length ? within : open.slice(0, 1);
            const last = open.at(-1);
            const deeper = last && depth > last.depth && open.length < DEEPEST_LIST;
            if (!last || deeper || last.list.tagName !== newList(sign).tagName) {
                if (last && !deeper) open.pop();
                const list = newList(sign);
                const parent = open.at(-1)?.list.lastElementChild;
                if (parent) parent.append(list);
                else roots.push(list);
                open.push({ list, depth });
            }
            open.at(-1)?.list.append(this.#filled(el("li"), words));
        }
        return roots;
    }

    /** @returns {boolean} whether the line was a heading or small print */
    #oneLine() {
        const line = this.#line();
        const heading = HEADING.exec(line);
        const subtext = SUBTEXT.exec(line);
        // The page has an h1 and an h2 of its own, so that a message begins below them.
        if (heading) this.#push(this.#filled(el(HEADINGS[heading[1].length - 1]), heading[2]));
        else if (subtext) this.#push(this.#filled(el("small", { class: "subtext" }), subtext[1]));
        else return false;
        this.#pass(line);
        return true;
    }

    /** A line of text, or the part of it before a code block, and that block. */
    #plainLine() {
        const line = this.#line();
        const fence = this.#opensFence(line);
        if (!fence) {
            this.#plain.push(line);
            this.#pass(line);
            return;
        }
        if (line.slice(0, fence.open).trim()) this.#plain.push(line.slice(0, fence.open));
        const inside = this.#text.slice(this.#at + fence.open + FENCE.length, fence.close);
        this.#push(codeBlock(inside));
        AFTER_BLOCK.lastIndex = fence.close + FENCE.length;
        AFTER_BLOCK.test(this.#text);
        this.#at = AFTER_BLOCK.lastIndex;
    }

    /**
     * @param {string} line
     * @returns {{open: number, close: number} | null} null also where no fence closes it, or nothing is in it
     */
    #opensFence(line) {
        const open = this.#fences ? line.indexOf(FENCE) : -1;
        if (open < 0 || line[open - 1] === "\\") return null;
        const begin = this.#at + open + FENCE.length;
        const close = this.#text.indexOf(FENCE, begin);
        // Looked for once: where no fence closes this one, none closes a later one.
        if (close < 0) this.#fences = false;
        return close > begin && this.#text.slice(begin, close).trim() ? { open, close } : null;
    }

    /**
     * Takes lines for as long as they match.
     *
     * @template T
     * @param {RegExp} pattern
     * @param {(match: RegExpExecArray) => T} part
     * @returns {T[]}
     */
    #while(pattern, part) {
        const parts = [];
        while (this.#at < this.#text.length) {
            const line = this.#line();
            const match = pattern.exec(line);
            if (!match) break;
            parts.push(part(match));
            this.#pass(line);
        }
        return parts;
    }
}

const HEADINGS = /** @type {const} */ (["h3", "h4", "h5"]);

/** Discord nests no deeper either. */
const DEEPEST_LIST = 11;

/** @param {string} sign */
function newList(sign) {
    return /\d/u.test(sign) ? el("ol", { start: parseInt(sign, 10) }) : el("ul");
}

/** @param {string} inside all between the fences */
function codeBlock(inside) {
    const language = LANGUAGE.exec(inside)?.[1] ?? "";
    const code = inside.slice(language ? language.length : 0).replace(/^\n+|\n+$/gu, "");
    return el(
        "figure",
        { class: "code-block" },
        el(
            "figcaption",
            {},
            el("span", { class: "language" }, language || "text"),
            el("button", { class: "copy", type: "button" }, "Copy"),
        ),
        // Wide code scrolls, and the keyboard must reach it.
        el("pre", { tabindex: 0, "aria-label": `Code, ${language || "plain text"}` }, el("code", {}, code)),
    );
}
