/** How the bot is, and the buttons that meddle with it. */

import { post } from "./api.js";
import { el, isNews } from "./dom.js";
import { notify, sentenceOf } from "./notices.js";
import { nameOf } from "./people.js";
import { store } from "./store.js";
import { formatted } from "./times.js";

const STATES = {
    starting: "starting…",
    running: "running",
    reconnecting: "reconnecting…",
    stopping: "stopping…",
    stopped: "stopped",
    crashed: "crashed",
};

const CONTROLS = [
    { label: "Restart", act: "restart", hint: "Ends the bot politely and starts it again" },
    { label: "Crash", act: "kill", hint: "Kills the bot in the middle of what it does, and starts it again" },
    { label: "Cut connection", act: "cut", hint: "Drops the bot's connection to Discord; it has to resume" },
];

/** @param {HTMLElement} host */
export function mountBotCard(host) {
    store.on("world", () => draw(host));
}

/** @param {HTMLElement} host */
function draw(host) {
    if (!isNews(host, [store.bot, nameOf(store.botId)])) return;
    const { state, since, can_restart } = store.bot;
    const buttons = CONTROLS.map(({ label, act, hint }) => {
        const button = el(
            "button",
            { class: "button", type: "button", title: hint, onclick: () => control(act) },
            label,
        );
        button.disabled = !can_restart || (act !== "restart" && state !== "running");
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
        // Restarts take seconds that the card tells of; this is over before anybody can read it.
        if (act === "cut") notify("The bot's connection to Discord was cut. It comes back by itself.");
    } catch (error) {
        notify(sentenceOf(error));
    }
}
