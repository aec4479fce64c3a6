/** Interactions that this tab began: how each ended, and the modals that they opened. */

import { post } from "./api.js";
import { sentenceOf } from "./notices.js";
import { store } from "./store.js";

/**
 * @typedef {{ok: boolean, error: string}} Outcome
 * @typedef {{interaction: string, modal: any}} OpenedModal
 */

const REMEMBERED = 50;
/** The playground itself gives the bot three seconds; after this we have lost the connection. */
const PATIENCE_MS = 6000;
const LOST = "The connection broke before Llampost's response arrived. Look whether it is there before you try again.";

/** @type {Set<string>} */
const ours = new Set();
/** @type {Map<string, (outcome: Outcome) => void>} */
const waiting = new Map();
// Events can overtake the answer to the POST that caused them, so those of unknown interactions are kept for a while.
/** @type {Map<string, Outcome>} */
const earlyOutcomes = new Map();
/** @type {Map<string, OpenedModal>} */
const earlyModals = new Map();
/** @type {(opened: OpenedModal) => void} */
let showModal = () => {};

/**
 * Posts something that the bot has to respond to.
 *
 * @param {string} path
 * @param {Record<string, unknown>} data
 * @param {File[]} [files]
 * @returns {Promise<{outcome: Promise<Outcome>}>} fulfilled as soon as it is posted; `outcome` is never rejected
 * @throws {Error} its message says why it could not be posted
 */
export async function begin(path, data, files = []) {
    const { interaction } = await post(path, data, files);
    ours.add(interaction);
    const opened = earlyModals.get(interaction);
    if (opened) showModal(opened);
    return { outcome: outcomeOf(interaction) };
}

/**
 * Posts, and waits for the end.
 *
 * @param {string} path
 * @param {Record<string, unknown>} data
 * @returns {Promise<Outcome>} never rejected
 */
export async function settle(path, data) {
    try {
        return await (await begin(path, data)).outcome;
    } catch (error) {
        return { ok: false, error: sentenceOf(error) };
    }
}

/**
 * Has modals shown that this tab's interactions open.
 *
 * @param {(opened: OpenedModal) => void} show
 */
export function onModal(show) {
    showModal = show;
}

/** @param {string} id @returns {Promise<Outcome>} */
function outcomeOf(id) {
    const early = earlyOutcomes.get(id);
    if (early) return Promise.resolve(early);
    return new Promise((resolve) => {
        const late = setTimeout(() => settled(id, { ok: false, error: LOST }), PATIENCE_MS);
        waiting.set(id, (outcome) => {
            clearTimeout(late);
            resolve(outcome);
        });
    });
}

/** @param {string} id @param {Outcome} outcome */
function settled(id, outcome) {
    const resolve = waiting.get(id);
    waiting.delete(id);
    if (resolve) resolve(outcome);
    else remember(earlyOutcomes, id, outcome);
}

/** @template T @param {Map<string, T>} map @param {string} id @param {T} event */
function remember(map, id, event) {
    map.set(id, event);
    for (const oldest of map.keys()) {
        if (map.size <= REMEMBERED) break;
        map.delete(oldest);
    }
}

store.on("settled", (/** @type {Outcome & {interaction: string}} */ event) => settled(event.interaction, event));
store.on("modal", (/** @type {OpenedModal} */ event) => {
    if (ours.has(event.interaction)) showModal(event);
    else remember(earlyModals, event.interaction, event);
});
