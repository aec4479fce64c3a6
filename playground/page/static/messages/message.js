/** One message as an article: drawn once, then redrawn only in the parts that changed. */

import { CommandType } from "../commands.js";
import { dots, el, icon } from "../dom.js";
import { render, wordsIn } from "../markdown.js";
import { avatar, nameOf } from "../people.js";
import { readableSize } from "../sizes.js";
import { store } from "../store.js";
import { formatted, spoken } from "../times.js";
import { actions } from "./actions.js";
import { components } from "./components.js";

/** @typedef {import("../store.js").Message} Message */

/**
 * @typedef {object} Part
 * @property {string} name also the class of its element
 * @property {(message: Message) => unknown} depends what it shows: as long as this stays, so does the element
 * @property {(message: Message) => (Node | string)[]} draw
 */

/** @type {Part[]} in the order of the article */
const PARTS = [
    { name: "context", depends: ({ reply_to, reply, used }) => [reply_to, reply, used], draw: context },
    { name: "byline", depends: ({ author, at }) => [nameOf(author), at], draw: byline },
    { name: "content", depends: ({ content, thinking }) => [content, thinking], draw: content },
    { name: "embeds", depends: ({ embeds }) => embeds, draw: ({ embeds }) => embeds.map(embed) },
    { name: "attachments", depends: (message) => message.attachments, draw: attachments },
    { name: "components", depends: (message) => message.components, draw: (message) => components(message) },
    { name: "private", depends: ({ ephemeral }) => ephemeral, draw: privacy },
    { name: "actions", depends: ({ thinking }) => [thinking, rights()], draw: actions },
];

/** A message's article. */
export class MessageView {
    /** @type {Message} */
    message;
    element;
    /** @type {Map<string, string>} part to what it showed last */
    #drawn = new Map();
    /** @type {Map<string, HTMLElement>} */
    #parts = new Map();

    /** @param {Message} message */
    constructor(message) {
        this.message = message;
        this.element = el("article", {
            class: "message",
            tabindex: -1,
            "data-id": message.id,
            "data-author": message.author,
            "data-at": message.at,
        });
        for (const { name } of PARTS) {
            const part = el("div", { class: name });
            this.#parts.set(name, part);
            this.element.append(part);
        }
        this.update(message);
    }

    /** @param {Message} message */
    update(message) {
        this.message = message;
        this.element.classList.toggle("edited", message.edited && !message.thinking);
        this.element.classList.toggle("ephemeral", message.ephemeral);
        this.element.classList.toggle("pings-me", message.pings_me);
        this.element.setAttribute("aria-label", `${nameOf(message.author)}, ${spoken(new Date(message.at))}`);
        for (const { name, depends, draw } of PARTS) {
            const key = JSON.stringify(depends(message) ?? null);
            if (this.#drawn.get(name) === key) continue;
            this.#drawn.set(name, key);
            replace(/** @type {HTMLElement} */ (this.#parts.get(name)), draw(message));
        }
    }

    /** Draws all anew, because names or rights have changed. */
    refresh() {
        this.#drawn.clear();
        this.update(this.message);
    }
}

/**
 * Keeps each child that stays the same, and with it what is selected, focused or scrolled in it.
 *
 * @param {HTMLElement} part
 * @param {(Node | string)[]} children
 */
function replace(part, children) {
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const next = children.map((child) => (typeof child === "string" ? new Text(child) : child));
    next.forEach((child, index) => {
        const old = part.childNodes[index];
        if (!old) part.append(child);
        else if (!isSame(old, child)) old.replaceWith(child);
    });
    while (part.childNodes.length > next.length) part.lastChild?.remove();
    if (focused && !focused.isConnected) refocus(part, focused);
}

/**
 * Focuses what took the place of a control; never another one, which the next key press would set off.
 *
 * @param {HTMLElement} part
 * @param {Element} gone
 */
function refocus(part, gone) {
    const twin = [...part.querySelectorAll(gone.tagName)].find((one) => one.textContent === gone.textContent);
    const next = twin ?? part.closest("article");
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

/**
 * @param {Node} old
 * @param {Node} next
 */
function isSame(old, next) {
    if (!(old instanceof Element) || !(next instanceof Element)) return old.isEqualNode(next);
    const shown = old.querySelectorAll(".spoiler");
    const fresh = next.querySelectorAll(".spoiler");
    fresh.forEach((spoiler, index) => shown[index]?.classList.contains("shown") && reveal(spoiler));
    return old.isEqualNode(next);
}

/**
 * Shows what a spoiler hides.
 *
 * @param {Element} spoiler
 */
export function reveal(spoiler) {
    spoiler.classList.add("shown");
    spoiler.removeAttribute("role");
    spoiler.removeAttribute("tabindex");
    spoiler.removeAttribute("aria-label");
    spoiler.firstElementChild?.removeAttribute("inert");
}

/**
 * @param {string} name
 * @returns {string} with a slash where it is typed, without one where it stands in a menu
 */
function nameOfCommand(name) {
    const isInMenu = store.commands.some((command) => command.name === name && command.type === CommandType.MESSAGE);
    return isInMenu ? name : `/${name}`;
}

/** @param {Message} message */
function context({ reply_to, reply, used }) {
    if (used) {
        const who = el("strong", {}, nameOf(used.user));
        return [el("p", {}, who, " used ", el("span", { class: "mention" }, nameOfCommand(used.command)))];
    }
    if (!reply_to) return [];
    if (!reply?.author) return [el("p", { class: "reply" }, el("em", {}, "The original message was deleted"))];
    return [
        el(
            "button",
            { class: "reply", type: "button", "data-jump": reply_to },
            el("span", { class: "visually-hidden" }, "Reply to "),
            el("strong", {}, nameOf(reply.author)),
            ": ",
            wordsIn(render(reply.text, store)) || el("em", {}, "a message without text"),
        ),
    ];
}

/** @param {Message} message */
function byline({ author, at }) {
    const date = new Date(at);
    const user = store.users.get(author);
    return [
        avatar(author),
        el("span", { class: "author" }, nameOf(author)),
        user?.bot && el("span", { class: "app-tag" }, "APP"),
        el("time", { class: "at", datetime: at, title: formatted(date, "F") }, spoken(date)),
        // Beside a message that follows another one of the same author there is room for the hour only.
        el("time", { class: "at-short", datetime: at, "aria-hidden": "true" }, formatted(date, "t")),
    ].filter((part) => part instanceof Node);
}

/** @param {Message} message */
function content(message) {
    if (!message.thinking) return [...render(message.content, store).childNodes];
    return [el("p", { class: "thinking" }, dots(), `${nameOf(message.author)} is thinking…`)];
}

/** @param {any} raw */
function embed(raw) {
    const card = el("div", { class: "embed" });
    if (raw.title) card.append(el("strong", {}, raw.title));
    if (raw.description) card.append(render(raw.description, store));
    for (const field of raw.fields ?? []) card.append(el("strong", {}, field.name), render(field.value, store));
    if (raw.footer?.text) card.append(el("small", { class: "subtext" }, raw.footer.text));
    return card;
}

const PREVIEWED = /^image\/(png|jpeg|gif|webp)\b/u;

/** @param {Message} message */
function attachments(message) {
    return message.attachments.map(({ name, size, url, type }) => {
        if (PREVIEWED.test(type)) {
            const image = el("img", { src: url, alt: name });
            return el("a", { class: "attachment image", href: url, target: "_blank", rel: "noopener" }, image);
        }
        const words = el("span", {}, el("strong", {}, name), el("small", {}, readableSize(size)));
        return el("a", { class: "attachment", href: url, download: name }, icon("file"), words);
    });
}

/** @param {Message} message */
function privacy(message) {
    if (!message.ephemeral) return [];
    const dismiss = el("button", { type: "button", class: "text-button", onclick: () => store.dismiss(message) });
    dismiss.append("Dismiss message");
    return [icon("eye"), el("span", {}, "Only you can see this"), " • ", dismiss];
}

/** What the actions depend on, beside the message. */
function rights() {
    const channel = store.channels.get(store.current);
    const apps = store.commands.filter((one) => one.type === CommandType.MESSAGE).map((one) => one.name);
    return [store.me, channel?.permissions, channel?.may_write, channel?.kind, apps];
}
