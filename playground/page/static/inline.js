/**
 * Discord's Markdown within a line or paragraph.
 *
 * One pass from left to right. At most one marker of each kind is open at a time, so that neither time nor depth
 * grows with what somebody types: a marker that comes again, or is never closed, is shown as it was written.
 */

import { el } from "./dom.js";
import { link, mention, withoutTrail } from "./references.js";
import { timestamp } from "./times.js";

/**
 * @typedef {{users: Map<string, {name: string}>, channels: Map<string, {name: string}>}} Names
 * @typedef {{marker: string, run: number, nodes: Node[]}} Frame
 */

const TOKEN = new RegExp(
    [
        String.raw`\\(?<escaped>[^0-9A-Za-z\s])`,
        String.raw`(?<code>\x60+)`,
        String.raw`(?<run>\*+|_+|~~|\|\|)`,
        String.raw`<(?<mention>@[!&]?|#)(?<id>\d{1,20})>`,
        String.raw`<t:(?<seconds>-?\d{1,13})(?::(?<style>[tTdDfFRsS]))?>`,
        String.raw`<\/(?<command>[^:<>\n]{1,100}):\d{1,20}>`,
        String.raw`<a?(?<emoji>:\w{1,32}:)\d{1,20}>`,
        String.raw`<(?<quiet>https?:\/\/[^\s<>]+)>`,
        String.raw`\[(?<label>[^[\]\n]+)\]\(<?(?<target>https?:\/\/[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?\)`,
        String.raw`(?<url>https?:\/\/(?:(?!\|\||\*\*|~~)[^\s<>])+)`,
        String.raw`(?<everyone>@everyone|@here)\b`,
    ].join("|"),
    "gu",
);

/** Longer runs of stars or underscores are rulers and blanks to fill in, not markup. */
const LONGEST_RUN = 3;

/** @type {Record<string, () => HTMLElement>} */
const ELEMENTS = {
    "*": () => el("em"),
    _: () => el("em"),
    "**": () => el("strong"),
    __: () => el("u"),
    "~~": () => el("s"),
};

/**
 * @param {string} text
 * @param {Names} names
 * @returns {Node[]}
 */
export function inline(text, names) {
    return new Inline(text, names).nodes();
}

class Inline {
    /** @type {Frame[]} the text itself, and within it one frame for each open marker */
    #frames = [{ marker: "", run: -1, nodes: [] }];
    /** Lengths of backtick runs that do not come again: to look once is enough. @type {Set<number>} */
    #lonely = new Set();
    #text;
    #names;

    /**
     * @param {string} text
     * @param {Names} names
     */
    constructor(text, names) {
        this.#text = text;
        this.#names = names;
    }

    /** @returns {Node[]} */
    nodes() {
        const token = new RegExp(TOKEN);
        let end = 0;
        for (let match = token.exec(this.#text); match; match = token.exec(this.#text)) {
            this.#add(this.#text.slice(end, match.index));
            token.lastIndex = end = this.#take(match);
        }
        this.#add(this.#text.slice(end));
        this.#unwind(1);
        return this.#frames[0].nodes;
    }

    /** @param {Node | string} node */
    #add(node) {
        if (node === "") return;
        const nodes = this.#frames[this.#frames.length - 1].nodes;
        const last = nodes[nodes.length - 1];
        if (typeof node !== "string") nodes.push(node);
        else if (last instanceof Text) last.appendData(node);
        else nodes.push(new Text(node));
    }

    /**
     * @param {RegExpExecArray} match
     * @returns {number} where to go on
     */
    #take(match) {
        const found = match.groups ?? {};
        const end = match.index + match[0].length;
        if (found.code) return this.#code(match.index, found.code.length);
        if (found.run) this.#run(match.index, found.run);
        else if (found.url) return this.#url(match.index, found.url);
        else this.#add(found.escaped ?? this.#simple(found, match[0]));
        return end;
    }

    /**
     * @param {Record<string, string>} found
     * @param {string} source
     * @returns {Node | string}
     */
    #simple(found, source) {
        if (found.id) return mention(found.mention, found.id, this.#names);
        if (found.seconds) return timestamp(Number(found.seconds), found.style) ?? source;
        if (found.command) return el("span", { class: "mention" }, `/${found.command}`);
        if (found.emoji) return found.emoji;
        if (found.everyone) return el("span", { class: "mention" }, found.everyone);
        if (found.quiet) return link(found.quiet, [found.quiet]) ?? source;
        // A label that looks like an address of its own could lead somewhere else than it says.
        if (!found.label.trim() || /https?:\/\//u.test(found.label)) return source;
        return link(found.target, inline(found.label, this.#names)) ?? source;
    }

    /**
     * @param {number} start
     * @param {string} found
     */
    #url(start, found) {
        const url = withoutTrail(found);
        this.#add(link(url, [url]) ?? url);
        return start + url.length;
    }

    /**
     * @param {number} start
     * @param {number} length of the run of backticks
     */
    #code(start, length) {
        const begin = start + length;
        const close = this.#lonely.has(length) ? -1 : closingTicks(this.#text, begin, length);
        if (close < 0) {
            this.#lonely.add(length);
            this.#add("`".repeat(length));
            return begin;
        }
        const code = this.#text.slice(begin, close);
        // A blank on each side is there to let the code itself begin or end with a backtick.
        this.#add(el("code", {}, /^ .*` $|^ `.* $/su.test(code) ? code.slice(1, -1) : code));
        return close + length;
    }

    /**
     * A run of one kind of character, cut into the markers that it closes and opens.
     *
     * @param {number} index
     * @param {string} run
     */
    #run(index, run) {
        if (run.length > LONGEST_RUN) return this.#add(run);
        const before = this.#text[index - 1] ?? " ";
        const after = this.#text[index + run.length] ?? " ";
        const closes = run[0] === "_" ? !/[\p{L}\p{N}]/u.test(after) : !/\s/u.test(before);
        let rest = run;
        while (rest) {
            const marker = rest.length < LONGEST_RUN ? rest : (this.#innermost(rest, closes) ?? rest.slice(1));
            if (!this.#close(marker, closes)) this.#open(marker, index, after);
            rest = rest.slice(marker.length);
        }
    }

    /**
     * Which of the two markers in a run of three closes first.
     *
     * @param {string} run
     * @param {boolean} closes
     */
    #innermost(run, closes) {
        const open = this.#frames.findLast(({ marker }) => marker && run.startsWith(marker));
        return open && (closes || open.marker.length > 1) ? open.marker : undefined;
    }

    /**
     * @param {string} marker
     * @param {boolean} closes
     */
    #close(marker, closes) {
        if (marker.length === 1 && !closes) return false;
        let at = this.#frames.findLastIndex((frame) => frame.marker === marker);
        if (at < 1) return false;
        at = this.#swapped(at);
        this.#unwind(at + 1);
        const frame = /** @type {Frame} */ (this.#frames.pop());
        if (!frame.nodes.length) this.#add(marker + marker);
        else this.#add(wrap(marker, frame.nodes));
        return true;
    }

    /**
     * Both markers of one run of three began at one place, so the one that closes first was the inner one.
     *
     * @param {number} at
     */
    #swapped(at) {
        const inner = this.#frames[at + 1];
        const outer = this.#frames[at];
        if (at + 2 !== this.#frames.length || inner.run !== outer.run || outer.nodes.length) return at;
        [inner.marker, outer.marker] = [outer.marker, inner.marker];
        return at + 1;
    }

    /**
     * @param {string} marker
     * @param {number} run
     * @param {string} after
     */
    #open(marker, run, after) {
        const open = this.#frames.findLastIndex((frame) => frame.marker === marker);
        if (marker.length === 1 && /\s/u.test(after)) return this.#add(marker);
        if (open > 0) this.#unwind(open);
        this.#frames.push({ marker, run, nodes: [] });
    }

    /**
     * Shows what is open from this depth on as it was written.
     *
     * @param {number} depth
     */
    #unwind(depth) {
        while (this.#frames.length > depth) {
            const frame = /** @type {Frame} */ (this.#frames.pop());
            this.#add(frame.marker);
            for (const node of frame.nodes) this.#add(node instanceof Text ? node.data : node);
        }
    }
}

/**
 * @param {string} marker
 * @param {Node[]} nodes
 */
function wrap(marker, nodes) {
    const create = ELEMENTS[marker];
    if (!create) return spoiler(nodes);
    const element = create();
    element.append(...nodes);
    return element;
}

/** @param {Node[]} nodes */
function spoiler(nodes) {
    const hidden = el("span", { class: "spoiler-text", inert: true });
    hidden.append(...nodes);
    return el("span", { class: "spoiler", role: "button", tabindex: 0, "aria-label": "Spoiler, show" }, hidden);
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} length
 */
function closingTicks(text, from, length) {
    const ticks = /`+/gu;
    ticks.lastIndex = from;
    for (let match = ticks.exec(text); match; match = ticks.exec(text)) {
        if (match[0].length === length) return match.index;
    }
    return -1;
}
