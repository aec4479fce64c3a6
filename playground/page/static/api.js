/** What the page asks the playground to do. */

import { store } from "./store.js";

/**
 * Sends a request in the name of the user that this tab acts as.
 *
 * @param {string} path one of the paths of the contract, such as "say"
 * @param {Record<string, unknown>} [data]
 * @param {File[]} [files]
 * @returns {Promise<any>} the answer, parsed
 * @throws {Error} its message is one sentence that can be shown to the user
 */
export async function post(path, data = {}, files = []) {
    const json = JSON.stringify({ as: store.me, ...data });
    if (!files.length) {
        return answer(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: json });
    }
    const form = new FormData();
    form.append("data", json);
    for (const file of files) form.append("file", file, file.name);
    return answer(path, { method: "POST", body: form });
}

/**
 * Fetches what is no user's own.
 *
 * @param {string} path such as "prompts/1"
 * @returns {Promise<any>} the answer, parsed
 * @throws {Error} its message is one sentence that can be shown to the user
 */
export async function get(path) {
    return answer(path, {});
}

/**
 * @param {string} path
 * @param {RequestInit} request
 */
async function answer(path, request) {
    const response = await fetch(path, request).catch(() => {
        throw new Error("The playground cannot be reached. Is it still running?");
    });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.error ?? `The playground answered with the status ${response.status}.`);
    return body;
}
