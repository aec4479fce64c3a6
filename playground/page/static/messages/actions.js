/** What can be done with a message: the row of buttons that appears beside it. */

import { post } from "../api.js";
import { CommandType, isOffered } from "../commands.js";
import { prompt } from "../dialogs/prompt.js";
import { el, icon } from "../dom.js";
import { settle } from "../interactions.js";
import { notify, sentenceOf } from "../notices.js";
import { store } from "../store.js";

/** @typedef {import("../store.js").Message} Message */

const MANAGE_MESSAGES = 1n << 13n;
const THREAD_NAME_LIMIT = 100;

/**
 * @param {Message} message
 * @returns {HTMLElement[]} only what this user may do here
 */
export function actions(message) {
    const channel = store.channels.get(message.channel);
    if (!channel || message.thinking) return [];
    const mine = message.author === store.me;
    const manages = Boolean(BigInt(channel.permissions || "0") & MANAGE_MESSAGES);
    const kept = !message.ephemeral;
    const buttons = [
        kept && channel.may_write && button("Reply", "reply", (own) => send(own, "reply", message)),
        kept && mine && button("Edit", "edit", (own) => send(own, "edit-message", message)),
        kept && channel.kind === "text" && button("Thread", "thread", () => openThread(message)),
        kept && messageCommands().length > 0 && apps(message),
        kept && (mine || manages) && button("Delete", "delete", () => attempt(post("delete", { message: message.id }))),
    ];
    return buttons.filter((one) => one instanceof HTMLElement);
}

function messageCommands() {
    const place = store.channels.get(store.current);
    return place ? store.commands.filter((one) => one.type === CommandType.MESSAGE && isOffered(one, place)) : [];
}

/**
 * @param {string} label
 * @param {string} drawing
 * @param {(own: HTMLButtonElement) => void} act
 */
function button(label, drawing, act) {
    const own = el(
        "button",
        { class: "icon-button", type: "button", title: label, "aria-label": label },
        icon(drawing),
    );
    own.addEventListener("click", () => act(own));
    return own;
}

/**
 * Hands the message to the composer.
 *
 * @param {HTMLElement} from
 * @param {string} name
 * @param {Message} message
 */
function send(from, name, message) {
    from.closest("article")?.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: newest(message) }));
}

/**
 * The buttons stay while the text goes on changing.
 *
 * @param {Message} message
 */
function newest(message) {
    return store.messages.get(message.channel)?.get(message.id) ?? message;
}

/** @param {Promise<unknown>} request */
async function attempt(request) {
    try {
        return await request;
    } catch (error) {
        notify(sentenceOf(error));
        return null;
    }
}

/** @param {Message} message */
async function openThread(message) {
    const name = await prompt({
        title: "Create a thread",
        label: "Name of the thread",
        value: newest(message).content.split("\n")[0].slice(0, 40).trim() || "New thread",
        confirm: "Create",
        limit: THREAD_NAME_LIMIT,
    });
    if (!name) return;
    const answer = await attempt(post("thread", { channel: message.channel, name, message: message.id }));
    if (answer) store.select(/** @type {{channel: string}} */ (answer).channel);
}

/**
 * The bot's commands for messages, in a menu that is built when it is asked for.
 *
 * @param {Message} message
 */
function apps(message) {
    const own = button("Apps", "apps", () => openMenu(own, message));
    own.setAttribute("aria-haspopup", "true");
    return own;
}

/**
 * @param {HTMLButtonElement} opener
 * @param {Message} message
 */
function openMenu(opener, message) {
    const menu = el("div", { class: "menu", popover: "auto", "aria-label": "Apps" });
    for (const { name } of messageCommands()) {
        const choose = () => {
            menu.hidePopover();
            void run(name, message);
        };
        menu.append(el("button", { type: "button", onclick: choose }, name));
    }
    menu.addEventListener("toggle", (event) => {
        if (/** @type {ToggleEvent} */ (event).newState === "closed") menu.remove();
    });
    opener.after(menu);
    menu.showPopover();
    place(menu, opener.getBoundingClientRect());
    menu.querySelector("button")?.focus();
}

/**
 * Below the button, or above it where the window ends.
 *
 * @param {HTMLElement} menu
 * @param {DOMRect} at
 */
function place(menu, at) {
    const { width, height } = menu.getBoundingClientRect();
    const below = at.bottom + 4;
    menu.style.left = `${Math.max(8, at.right - width)}px`;
    menu.style.top = `${below + height > innerHeight ? at.top - 4 - height : below}px`;
}

/**
 * @param {string} command
 * @param {Message} message
 */
async function run(command, message) {
    const { ok, error } = await settle("message-command", { channel: message.channel, command, message: message.id });
    if (!ok) notify(error);
}
