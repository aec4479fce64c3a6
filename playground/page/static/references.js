/** What a message refers to: people, channels, addresses. */

import { el } from "./dom.js";

/** @typedef {import("./inline.js").Names} Names */

/** Discord's own address of a message; here it stands for one in this page. */
const MESSAGE = /^https:\/\/discord\.com\/channels\/(?:\d+|@me)\/(?<channel>\d+)\/(?<message>\d+)$/;

/**
 * @param {string} sign what stands between < and the id
 * @param {string} id
 * @param {Names} names
 * @returns {HTMLElement}
 */
export function mention(sign, id, names) {
    if (sign === "#") {
        const name = names.channels.get(id)?.name;
        if (!name) return el("span", { class: "mention" }, "#unknown");
        return el("button", { class: "mention", type: "button", "data-channel": id }, `#${name}`);
    }
    const name = sign === "@&" ? "role" : (names.users.get(id)?.name ?? "unknown user");
    return el("span", { class: "mention" }, `@${name}`);
}

/**
 * @param {string} target
 * @param {(Node | string)[]} label
 * @returns {HTMLElement | null} null where the target is no address
 */
export function link(target, label) {
    if (!URL.canParse(target)) return null;
    const { channel, message } = MESSAGE.exec(target)?.groups ?? {};
    if (message) {
        const jump = { class: "mention", type: "button", "data-channel": channel, "data-jump": message };
        return el("button", jump, "the message");
    }
    const anchor = el("a", { href: target, title: target, target: "_blank", rel: "noopener noreferrer" });
    anchor.append(...label);
    return anchor;
}

/**
 * A full stop after an address, or a bracket around it, is not part of it.
 *
 * @param {string} url
 * @returns {string}
 */
export function withoutTrail(url) {
    let surplus = url.split(")").length - url.split("(").length;
    let end = url.length;
    for (; end > 0; end -= 1) {
        const last = url[end - 1];
        if (last === ")" && surplus > 0) surplus -= 1;
        else if (!".,:;!?\"'*_~|]\\".includes(last)) break;
    }
    return url.slice(0, end);
}
