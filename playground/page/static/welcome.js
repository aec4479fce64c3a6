/** How a channel begins, and what a newcomer can try in it. */

import { DRAWINGS } from "./channels.js";
import { el, icon, isNews } from "./dom.js";
import { nameOf } from "./people.js";
import { store } from "./store.js";

/** Each is done when the responses to its commands have been seen in this order. */
const STEPS = [
    { words: "Ask something", text: "/ask What is the capital of Poland?", seen: ["ask"] },
    { words: "Let somebody else answer", text: "/persona use commentator", seen: ["persona use"] },
    { words: "Ask who that is", text: "/ask Who are you?", seen: ["persona use", "ask"] },
    { words: "Set a parameter", text: "/settings set temperature 0", seen: ["settings set"] },
    {
        words: "Restart the bot (in the sidebar), then see what it remembers",
        text: "/history show",
        seen: ["history show"],
    },
];

/** After which events the beginning may look otherwise. */
const KINDS = /** @type {const} */ (["world", "current", "messages", "message", "gone"]);

/**
 * @param {{start: HTMLElement, popup: HTMLElement, composer: HTMLElement}} hosts `start` is the beginning of the list
 *     of messages, `popup` a popover with the same steps
 */
export function mountWelcome({ start, popup, composer }) {
    const tryOut = (/** @type {string} */ text) => {
        popup.hidePopover();
        composer.dispatchEvent(new CustomEvent("try", { detail: { text } }));
    };
    const drawPopup = () => popup.replaceChildren(el("h2", {}, "Things to try"), steps(tryOut));
    const draw = () => {
        const empty = !store.messages.get(store.current)?.size;
        const channel = store.channels.get(store.current);
        if (!isNews(start, [channel?.id, channel?.name, store.users.get(store.botId), empty && progress()])) return;
        start.replaceChildren(...beginning());
        if (empty) start.append(steps(tryOut));
    };
    for (const kind of KINDS) store.on(kind, draw);
    popup.addEventListener("beforetoggle", drawPopup);
}

/** @returns {Node[]} */
function beginning() {
    const channel = store.channels.get(store.current);
    if (!channel) return [];
    const bot = nameOf(store.botId);
    const [title, ...sentences] = {
        text: [
            `Welcome to #${channel.name}`,
            `This is the real ${bot} in a small Discord of its own.`,
            `Type / for its commands, or write @${bot} and your question. What to try stays under “Try this”, above.`,
        ],
        thread: [
            channel.name,
            `This is the beginning of the thread.`,
            `A thread has a memory of its own: ${bot} knows here only what was said here.`,
        ],
        dm: [channel.name, `This is your conversation with ${bot} alone.`, "Type / for its commands, or just write."],
    }[channel.kind];
    const drawing = el("span", { class: "start-icon" }, icon(DRAWINGS[channel.kind]));
    return [drawing, el("h3", {}, title), el("p", {}, sentences.join(" "))];
}

/** @param {(text: string) => void} tryOut */
function steps(tryOut) {
    const list = el("ol", { class: "steps" });
    const achieved = progress();
    for (const [index, { words, text }] of STEPS.entries()) {
        const done = achieved[index];
        const mark = el("span", { class: "step-mark" }, done && icon("check"));
        const hint = done ? el("span", { class: "visually-hidden" }, " (done)") : null;
        const label = el("span", { class: "step-words" }, words, hint, el("code", {}, text));
        list.append(
            el(
                "li",
                { class: done ? "done" : "" },
                el("button", { type: "button", onclick: () => tryOut(text) }, mark, label),
            ),
        );
    }
    return list;
}

/** @returns {boolean[]} which steps are done, as far as the messages show */
function progress() {
    const used = [...store.messages.values()]
        .flatMap((messages) => [...messages.values()])
        .sort((one, other) => one.at.localeCompare(other.at))
        .map((message) => message.used?.command ?? "");
    return STEPS.map(({ seen }) => inOrder(seen, used));
}

/**
 * @param {string[]} wanted
 * @param {string[]} used
 */
function inOrder(wanted, used) {
    let next = 0;
    for (const command of used) if (command === wanted[next]) next += 1;
    return next === wanted.length;
}
