/** "@Anna" as people write it, <@123> as Discord sends it. */

/** @typedef {{id: string, name: string}} User */

const CODE = /(```[\s\S]*?```|`[^`\n]*`)/;

/**
 * Puts ids in place of names, outside of code.
 *
 * @param {string} text
 * @param {Iterable<User>} users
 * @returns {string}
 */
export function withIds(text, users) {
    // The longest name first, or "@Anna" would be found in "@Anna Lena".
    const known = [...users].sort((one, other) => other.name.length - one.name.length);
    if (!known.length) return text;
    const names = known.map((user) => user.name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|");
    const written = new RegExp(`(?<![\\p{L}\\p{N}_<])@(${names})(?![\\p{L}\\p{N}_])`, "giu");
    /** @param {string} whole @param {string} name */
    const replaced = (whole, name) => {
        const user = known.find((one) => one.name.toLowerCase() === name.toLowerCase());
        return user ? `<@${user.id}>` : whole;
    };
    return text
        .split(CODE)
        .map((part, index) => (index % 2 ? part : part.replace(written, replaced)))
        .join("");
}

/**
 * Puts names in place of ids, so that a message can be edited as it was typed.
 *
 * @param {string} text
 * @param {Map<string, User>} users
 * @returns {string}
 */
export function withNames(text, users) {
    return text.replace(/<@!?(\d+)>/g, (whole, id) => (users.has(id) ? `@${users.get(id)?.name}` : whole));
}

/**
 * The name that is being typed after an "@" before the caret.
 *
 * @param {string} text
 * @param {number} caret
 * @returns {{start: number, typed: string} | null} `start` is the index of the "@"
 */
export function mentionBefore(text, caret) {
    const found = /(?<=^|\s)@([^\s@]*)$/u.exec(text.slice(0, caret));
    return found && { start: found.index, typed: found[1] };
}
