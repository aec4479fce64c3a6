/** Channels as the page shows them. */

/** @typedef {import("./store.js").Channel} Channel */

/** The drawing of each kind, by its name in index.html. */
export const DRAWINGS = { text: "hash", thread: "thread", dm: "at" };

/**
 * What an archived or locked thread is called.
 *
 * @param {Channel} channel
 */
export function closedWord(channel) {
    return channel.locked ? "Locked" : "Archived";
}
