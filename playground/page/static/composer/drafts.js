/** What was begun and not sent, for each user in each channel of this tab. */

/**
 * @typedef {import("../commands.js").Call} Call
 * @typedef {import("../store.js").Message} Message
 * @typedef {{message: Message, ping: boolean}} Reply
 * @typedef {{call: Call, button: string}} Kept with what to call its way back
 * @typedef {object} Draft
 * @property {string} text
 * @property {File[]} files
 * @property {Reply | null} reply
 * @property {Call | null} call the command that is being filled in; the text waits below it
 * @property {Kept | null} kept a command that failed or was left, to be taken back
 */

const KEY = "drafts";

/** @type {Readonly<Draft>} */
export const EMPTY = Object.freeze({ text: "", files: [], reply: null, call: null, kept: null });

/**
 * Both drafts as one: what was begun later stands behind.
 *
 * @param {Draft} earlier
 * @param {Draft} later
 * @returns {Draft}
 */
export function together(earlier, later) {
    return {
        text: [earlier.text, later.text].filter(Boolean).join("\n"),
        files: [...earlier.files, ...later.files],
        reply: later.reply ?? earlier.reply,
        call: later.call ?? earlier.call,
        kept: earlier.kept ?? (later.call && earlier.call ? { call: earlier.call, button: "Try again" } : later.kept),
    };
}

export class Drafts {
    /** @type {Map<string, Draft>} */
    #drafts = new Map();

    constructor() {
        for (const [key, draft] of stored()) this.#drafts.set(key, draft);
    }

    /**
     * @param {string} key
     * @returns {Draft}
     */
    get(key) {
        return this.#drafts.get(key) ?? EMPTY;
    }

    /**
     * @param {string} key
     * @param {Draft} draft
     */
    set(key, draft) {
        this.#drafts.set(key, draft);
        const kept = [...this.#drafts].map(([place, one]) => [place, withoutFiles(one)]);
        sessionStorage.setItem(KEY, JSON.stringify(kept));
    }
}

/**
 * What a reload keeps: the texts, which took the work. Files cannot be kept, and a reply is quickly chosen again.
 *
 * @param {Draft} draft
 */
function withoutFiles({ text, call }) {
    const values = [...(call?.values ?? [])].filter(([, value]) => !(value instanceof File));
    return { text, path: call?.path, values };
}

/** @returns {[string, Draft][]} */
function stored() {
    try {
        /** @type {[string, {text: string, path?: string, values: [string, string][]}][]} */
        const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
        return kept.map(([key, { text, path, values }]) => [
            key,
            { ...EMPTY, text, call: path ? { path, values: new Map(values) } : null },
        ]);
    } catch {
        return [];
    }
}
