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
    const response = await send(path, JSON.stringify({ as: store.me, ...data }), files);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.error ?? `The playground answered with the status ${response.status}.`);
    return answer;
}

/**
 * @param {string} path
 * @param {string} json
 * @param {File[]} files
 */
async function send(path, json, files) {
    try {
        if (!files.length) {
            return await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: json });
        }
        const form = new FormData();
        form.append("data", json);
        for (const file of files) form.append("file", file, file.name);
        return await fetch(path, { method: "POST", body: form });
    } catch {
        throw new Error("The playground cannot be reached. Is it still running?");
    }
}
