/** The list of messages of the current channel. */

import { copyFrom } from "../copying.js";
import { wordsIn } from "../markdown.js";
import { store } from "../store.js";
import { daysAgo, formatted } from "../times.js";
import { MessageView, reveal } from "./message.js";
import { mountScrolling } from "./scrolling.js";

/** @typedef {import("../store.js").Message} Message */

/** A later message of the same author gets a head of its own again. */
const GROUP_MS = 7 * 60 * 1000;
const FLASH_MS = 2000;

/** @type {Map<string, MessageView>} */
const views = new Map();
/** @type {HTMLElement} */
let list;

/**
 * @param {HTMLElement} log
 * @param {HTMLElement} inner holds the articles
 * @param {HTMLButtonElement} jump
 */
export function mountMessages(log, inner, jump) {
    list = inner;
    const { arrived, toEnd } = mountScrolling(log, inner, jump);
    let names = "";

    store.on("current", () => (draw(), toEnd()));
    store.on("messages", draw);
    store.on("message", (/** @type {Message} */ message) => {
        if (message.channel !== store.current) return;
        const isNew = !views.has(message.id);
        drawOne(message);
        if (isNew) regroup();
        if (isNew && message.author === store.me) toEnd();
        else arrived();
    });
    store.on("gone", ({ id }) => (remove(id), regroup()));
    store.on("world", () => {
        const seen = JSON.stringify([[...store.users.values()], [...store.channels.values()], store.commands]);
        if (seen !== names) for (const view of views.values()) view.refresh();
        names = seen;
    });
    list.addEventListener("click", clicked);
    list.addEventListener("keydown", pressed);
    list.addEventListener("focusin", (event) => makeCurrent(articleOf(event.target)));
}

/**
 * @param {string} id
 * @returns {string} a message as it could be read aloud
 */
export function wordsOf(id) {
    const content = views.get(id)?.element.querySelector(".content")?.cloneNode(true);
    return content instanceof Element ? wordsIn(content) : "";
}

/** Makes the list what the store says, and leaves alone what is right already. */
function draw() {
    const messages = store.messages.get(store.current) ?? new Map();
    for (const id of views.keys()) if (!messages.has(id)) remove(id);
    let next = list.firstElementChild;
    for (const message of messages.values()) {
        const { element } = drawOne(message, next);
        next = element.nextElementSibling;
    }
    regroup();
}

/**
 * @param {Message} message
 * @param {Element | null} [before] where to put it if it is new
 */
function drawOne(message, before = null) {
    const known = views.get(message.id);
    if (known) {
        known.update(message);
        return known;
    }
    const view = new MessageView(message);
    views.set(message.id, view);
    list.insertBefore(view.element, before);
    return view;
}

/** @param {string} id */
function remove(id) {
    const view = views.get(id);
    if (!view) return;
    const hadFocus = view.element.contains(document.activeElement);
    const neighbour = view.element.nextElementSibling ?? view.element.previousElementSibling;
    views.delete(id);
    view.element.remove();
    // Who deletes with the keyboard goes on from there, not from the top of the page.
    if (hadFocus && neighbour instanceof HTMLElement) neighbour.focus();
}

/** Sets which messages follow another one of the same author, where a day begins, and which one Tab reaches. */
function regroup() {
    /** @type {Message | undefined} */
    let previous;
    for (const article of articles()) {
        const message = /** @type {MessageView} */ (views.get(article.dataset.id ?? "")).message;
        const day = new Date(message.at).toDateString();
        const newDay = !previous || new Date(previous.at).toDateString() !== day;
        article.classList.toggle("grouped", !newDay && previous !== undefined && follows(message, previous));
        if (newDay) article.dataset.day = dayName(new Date(message.at));
        else delete article.dataset.day;
        previous = message;
    }
    // Whoever comes from elsewhere comes to the newest.
    if (!list.contains(document.activeElement)) makeCurrent(articles().at(-1));
}

/**
 * @param {Message} message
 * @param {Message} previous
 */
function follows(message, previous) {
    return (
        message.author === previous.author &&
        message.ephemeral === previous.ephemeral &&
        !message.reply_to &&
        !message.used &&
        Date.parse(message.at) - Date.parse(previous.at) < GROUP_MS
    );
}

/** @param {Date} date */
function dayName(date) {
    return ["Today", "Yesterday"][daysAgo(date)] ?? formatted(date, "D");
}

/** @returns {HTMLElement[]} */
function articles() {
    return /** @type {HTMLElement[]} */ ([...list.children]);
}

/** @param {EventTarget | null} target */
function articleOf(target) {
    return target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("article")) : null;
}

/**
 * One message at a time is in the order of Tab; the arrows go from one to the next.
 *
 * @param {HTMLElement | null | undefined} article
 */
function makeCurrent(article) {
    if (!article) return;
    for (const other of list.querySelectorAll("article[tabindex='0']")) other.setAttribute("tabindex", "-1");
    article.tabIndex = 0;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches(".spoiler") && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        reveal(target);
        return;
    }
    const article = articleOf(target);
    if (event.key === "Escape" && article && target !== article) article.focus();
    if (target !== article) return;
    const all = articles();
    const at = all.indexOf(article);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    all[to].focus();
}

/** @param {MouseEvent} event */
function clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const spoiler = target.closest(".spoiler:not(.shown)");
    const copy = target.closest("button.copy");
    const jump = /** @type {HTMLElement | null} */ (target.closest("[data-jump]"));
    const channel = /** @type {HTMLElement | null} */ (target.closest("[data-channel]"));
    if (spoiler) reveal(spoiler);
    else if (copy) void copyCode(/** @type {HTMLButtonElement} */ (copy));
    if (channel?.dataset.channel) store.select(channel.dataset.channel);
    if (jump?.dataset.jump) show(jump.dataset.jump);
}

/** @param {string} id of the message to bring into view */
function show(id) {
    const article = views.get(id)?.element;
    if (!article) return;
    article.scrollIntoView({ block: "center" });
    article.focus({ preventScroll: true });
    article.classList.add("flash");
    setTimeout(() => article.classList.remove("flash"), FLASH_MS);
}

/** @param {HTMLButtonElement} button */
async function copyCode(button) {
    const code = button.closest("figure")?.querySelector("code");
    if (!code || (await copyFrom(button, code.textContent ?? ""))) return;
    // The reader can still copy what is selected.
    getSelection()?.selectAllChildren(code);
}
