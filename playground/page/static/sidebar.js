/** The sidebar: where one can go, how the bot is, and as whom one acts. */

import { post } from "./api.js";
import { el, icon, isNews } from "./dom.js";
import { notify, sentenceOf } from "./notify.js";
import { avatar, nameOf } from "./people.js";
import { store } from "./store.js";
import { formatted } from "./times.js";

/** @typedef {import("./store.js").Channel} Channel */

const DRAWINGS = { text: "hash", thread: "thread", dm: "at" };

const STATES = {
    starting: "starting…",
    running: "running",
    stopping: "stopping…",
    stopped: "stopped",
    crashed: "crashed",
};

const CONTROLS = [
    { label: "Restart", act: "restart", hint: "Ends the bot politely and starts it again", needsProcess: true },
    {
        label: "Crash",
        act: "kill",
        hint: "Kills the bot in the middle of what it does, and starts it again",
        needsProcess: true,
    },
    {
        label: "Cut connection",
        act: "cut",
        hint: "Drops the bot's connection to Discord; it has to resume",
        needsProcess: false,
    },
];

/** What came in while another channel was shown. @type {Map<string, {pings: number}>} */
const unread = new Map();

/**
 * @param {{channels: HTMLElement, bot: HTMLElement, actAs: HTMLSelectElement, avatar: HTMLElement,
 *     name: HTMLElement}} hosts
 */
export function mountSidebar(hosts) {
    const channels = () => drawChannels(hosts.channels);
    store.on("world", () => {
        hosts.name.textContent = store.server.name;
        channels();
        drawBot(hosts.bot);
        drawUsers(hosts.actAs);
        hosts.avatar.replaceChildren(avatar(store.me));
    });
    store.on("current", (id) => (unread.delete(id), channels()));
    store.on("message", (/** @type {import("./store.js").Message} */ message) => {
        if (message.channel === store.current || message.author === store.me || message.edited) return;
        const pings = (unread.get(message.channel)?.pings ?? 0) + Number(message.pings_me);
        unread.set(message.channel, { pings });
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

/**
 * Lets the sidebar slide in where the window is narrow.
 *
 * @param {{sidebar: HTMLElement, toggle: HTMLElement, shade: HTMLElement}} hosts
 */
export function mountDrawer({ sidebar, toggle, shade }) {
    const show = (/** @type {boolean} */ open) => {
        sidebar.classList.toggle("open", open);
        toggle.setAttribute("aria-expanded", String(open));
        if (open) sidebar.querySelector("button")?.focus();
    };
    toggle.addEventListener("click", () => show(!sidebar.classList.contains("open")));
    shade.addEventListener("click", () => show(false));
    store.on("current", () => show(false));
    sidebar.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !sidebar.classList.contains("open")) return;
        show(false);
        toggle.focus();
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
    const news = unread.get(channel.id);
    const name = el("span", { class: "channel-name" }, channel.name);
    const pings = news?.pings
        ? el("span", { class: "badge" }, String(news.pings), el("span", { class: "visually-hidden" }, " mentions"))
        : null;
    const mark = news ? el("span", { class: "visually-hidden" }, " (unread)") : null;
    const closed = channel.locked || channel.archived;
    const button = el("button", { type: "button", "data-id": channel.id, "data-kind": channel.kind });
    button.append(icon(DRAWINGS[channel.kind]), name);
    if (closed) button.append(icon("lock"), el("span", { class: "visually-hidden" }, closedWord(channel)));
    for (const extra of [mark, pings]) if (extra) button.append(extra);
    if (channel.id === store.current) button.setAttribute("aria-current", "page");
    button.classList.toggle("unread", Boolean(news));
    button.title = closed ? closedWord(channel) : "";
    return button;
}

/** @param {Channel} channel */
export function closedWord(channel) {
    return channel.locked ? "Locked" : "Archived";
}

/** @param {HTMLElement} host */
function drawBot(host) {
    if (!isNews(host, [store.bot, nameOf(store.botId)])) return;
    const { state, since, can_restart } = store.bot;
    const busy = state === "starting" || state === "stopping";
    const buttons = CONTROLS.map(({ label, act, hint, needsProcess }) => {
        const button = el(
            "button",
            { class: "button", type: "button", title: hint, onclick: () => control(act) },
            label,
        );
        button.disabled = busy || (needsProcess && !can_restart) || (act !== "restart" && state !== "running");
        return button;
    });
    const focused = [...host.querySelectorAll("button")].findIndex((button) => button === document.activeElement);
    const at = since ? `since ${formatted(new Date(since), "T")}` : "";
    const dot = el("span", { class: `state-dot ${state}`, "aria-hidden": "true" });
    const words = el("p", { role: "status" }, dot, el("strong", {}, nameOf(store.botId)), ` ${STATES[state]}`);
    host.replaceChildren(words, el("small", {}, at), el("div", { class: "bot-buttons" }, ...buttons));
    if (focused >= 0) buttons[focused].focus();
}

/** @param {string} act */
async function control(act) {
    try {
        await post("bot", { do: act });
    } catch (error) {
        notify(sentenceOf(error));
    }
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
