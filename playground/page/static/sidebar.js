/** The sidebar: where one can go, and as whom one acts. */

import { closedWord, DRAWINGS } from "./channels.js";
import { el, icon, isNews } from "./dom.js";
import { avatar } from "./people.js";
import { store } from "./store.js";

/** @typedef {import("./store.js").Channel} Channel */

/** Where something came in unseen, with how often it pings. @type {Map<string, number>} */
const unread = new Map();

/**
 * @param {{channels: HTMLElement, actAs: HTMLSelectElement, avatar: HTMLElement, name: HTMLElement}} hosts
 */
export function mountSidebar(hosts) {
    const channels = () => drawChannels(hosts.channels);
    store.on("world", () => {
        hosts.name.textContent = store.server.name;
        channels();
        drawUsers(hosts.actAs);
        hosts.avatar.replaceChildren(avatar(store.me));
    });
    store.on("current", (id) => (unread.delete(id), channels()));
    store.on("message", (/** @type {import("./store.js").Message} */ message) => {
        if (message.channel === store.current || message.author === store.me || message.edited) return;
        unread.set(message.channel, (unread.get(message.channel) ?? 0) + Number(message.pings_me));
        channels();
    });
    hosts.channels.addEventListener("click", (event) => {
        const button = /** @type {HTMLElement} */ (event.target).closest("button");
        if (button?.dataset.id) store.select(button.dataset.id);
    });
    hosts.actAs.addEventListener("change", () => {
        unread.clear();
        store.actAs(hosts.actAs.value);
    });
}

/** @param {HTMLElement} host */
function drawChannels(host) {
    if (!isNews(host, [[...store.channels.values()], [...unread], store.current])) return;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest("#channels button"))?.dataset.id;
    const all = [...store.channels.values()];
    const entries = all
        .filter((channel) => channel.kind === "text")
        .flatMap((channel) => [channel, ...all.filter((thread) => thread.parent === channel.id)]);
    const messages = all.filter((channel) => channel.kind === "dm");
    host.replaceChildren(...group("Channels", entries), ...group("Direct messages", messages));
    if (focused) /** @type {HTMLElement | null} */ (host.querySelector(`[data-id="${focused}"]`))?.focus();
}

/**
 * @param {string} title
 * @param {Channel[]} channels
 */
function group(title, channels) {
    if (!channels.length) return [];
    const items = el("ul");
    for (const channel of channels) items.append(el("li", {}, channelButton(channel)));
    return [el("h2", {}, title), items];
}

/** @param {Channel} channel */
function channelButton(channel) {
    const isUnread = unread.has(channel.id);
    const count = unread.get(channel.id);
    const name = el("span", { class: "channel-name" }, channel.name);
    const pings = count
        ? el("span", { class: "badge" }, String(count), el("span", { class: "visually-hidden" }, " mentions"))
        : null;
    const mark = isUnread ? el("span", { class: "visually-hidden" }, " (unread)") : null;
    const closed = channel.locked || channel.archived;
    const button = el("button", { type: "button", "data-id": channel.id, "data-kind": channel.kind });
    button.append(icon(DRAWINGS[channel.kind]), name);
    if (closed) button.append(icon("lock"), el("span", { class: "visually-hidden" }, closedWord(channel)));
    for (const extra of [mark, pings]) if (extra) button.append(extra);
    if (channel.id === store.current) button.setAttribute("aria-current", "page");
    button.classList.toggle("unread", isUnread);
    button.title = closed ? closedWord(channel) : "";
    return button;
}

/** @param {HTMLSelectElement} select */
function drawUsers(select) {
    if (!isNews(select, [[...store.users], store.me])) return;
    const people = [...store.users.values()].filter((user) => !user.bot);
    select.replaceChildren(
        ...people.map((user) => {
            const said = !user.role || user.name.includes(user.role);
            const option = el("option", { value: user.id }, said ? user.name : `${user.name} (${user.role})`);
            option.selected = user.id === store.me;
            return option;
        }),
    );
}
