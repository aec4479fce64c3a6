/** The head of the chat: where one is, what this place is, and whether the line holds. */

import { closedWord } from "./channels.js";
import { dots, el, icon } from "./dom.js";
import { nameOf } from "./people.js";
import { store } from "./store.js";

/** How long a typing indicator stays without news. */
const TYPING_MS = 10_000;
const SAFE = "Simulated Discord, nothing leaves this machine.";

/** @param {{title: HTMLElement, banner: HTMLElement, connection: HTMLElement}} hosts */
export function mountHeader({ title, banner, connection }) {
    const draw = () => {
        title.replaceChildren(...titleOf(store.current));
        document.title = `${title.textContent} · Simulated Discord`;
    };
    store.on("world", () => {
        draw();
        banner.replaceChildren(el("strong", {}, SAFE), ` ${store.demo.note}`);
    });
    store.on("current", draw);
    store.on("connected", (connected) => {
        connection.textContent = connected ? "" : "Connection lost, trying again…";
    });
}

/** @param {string} id */
function titleOf(id) {
    const channel = store.channels.get(id);
    if (!channel) return [];
    const name = el("span", {}, channel.name);
    if (channel.kind === "dm") return [icon("at"), name];
    const parent = channel.parent && store.channels.get(channel.parent);
    const closed = channel.locked || channel.archived;
    const parts = parent
        ? [icon("hash"), el("span", { class: "parent" }, `${parent.name} ›`), name]
        : [icon("hash"), name];
    return closed ? [...parts, el("span", { class: "chip" }, closedWord(channel))] : parts;
}

/**
 * Says who is writing in the channel that is shown.
 *
 * @param {HTMLElement} host
 */
export function mountTyping(host) {
    /** @type {Map<string, number>} user to the timer that ends it */
    const typing = new Map();

    const draw = () => {
        const names = [...typing.keys()].map(nameOf).join(" and ");
        if (names)
            host.replaceChildren(dots(), el("strong", {}, names), typing.size > 1 ? " are typing…" : " is typing…");
        else host.replaceChildren();
    };
    const end = (/** @type {string} */ user) => {
        clearTimeout(typing.get(user));
        if (typing.delete(user)) draw();
    };
    store.on("typing", ({ channel, user }) => {
        if (channel !== store.current || user === store.me) return;
        clearTimeout(typing.get(user));
        typing.set(user, setTimeout(end, TYPING_MS, user));
        draw();
    });
    store.on("message", (message) => end(message.author));
    store.on("current", () => [...typing.keys()].forEach(end));
}
