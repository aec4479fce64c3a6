/** What the composer posts, and what it need not even try to. */

import { post } from "../api.js";
import { CommandType } from "../commands.js";
import { begin } from "../interactions.js";
import { store } from "../store.js";
import { withIds } from "./mentions.js";

/**
 * @typedef {import("../commands.js").Call} Call
 * @typedef {import("./drafts.js").Draft} Draft
 */

/** In UTF-16 units, as Discord counts. */
export const LONGEST = 2000;

/**
 * A text as it is sent.
 *
 * @param {string} text
 * @returns {string}
 */
function contentOf(text) {
    return withIds(text.trim(), store.users.values());
}

/**
 * Why a text cannot be sent as a message.
 *
 * @param {string} text
 * @returns {string} one sentence, or nothing
 */
export function refusal(text) {
    const [, command] = /^\/(\S+)/.exec(text) ?? [];
    if (store.commands.some((one) => one.type === CommandType.CHAT_INPUT && one.name === command)) {
        return `/${command} is not complete, or not offered to you here; type / for the list of commands.`;
    }
    const { length } = contentOf(text);
    if (length <= LONGEST) return "";
    const [most, these] = [LONGEST, length].map((count) => count.toLocaleString("en"));
    return `A message takes up to ${most} characters, and these are ${these}.`;
}

/**
 * @param {string} channel
 * @param {Draft} draft
 * @throws {Error} its message says why it could not be posted
 */
export async function say(channel, draft) {
    const reply = draft.reply ? { reply_to: draft.reply.message.id, ping_reply: draft.reply.ping } : {};
    await post("say", { channel, content: contentOf(draft.text), ...reply }, draft.files);
}

/**
 * @param {string} message id
 * @param {string} text
 * @throws {Error} its message says why it could not be changed
 */
export async function edit(message, text) {
    await post("edit", { message, content: contentOf(text) });
}

/**
 * @param {string} channel
 * @param {Call} call
 * @returns {Promise<{outcome: Promise<import("../interactions.js").Outcome>}>} as soon as it is posted
 * @throws {Error} its message says why it could not be posted
 */
export async function run(channel, call) {
    /** @type {File[]} */
    const files = [];
    const options = [...call.values].map(([name, value]) => [
        name,
        value instanceof File ? { file: files.push(value) - 1 } : value,
    ]);
    return begin("command", { channel, command: call.path, options: Object.fromEntries(options) }, files);
}
