/** Where one writes: what keys and other parts of the page do in the composer, and what becomes of what is sent. */

import { parse } from "../commands.js";
import { notify, sentenceOf } from "../notices.js";
import { store } from "../store.js";
import { receiveFiles } from "./attachments.js";
import { Drafts, EMPTY, together } from "./drafts.js";
import { Editor } from "./editor.js";
import { offersHere } from "./picker.js";
import { edit, refusal, run, say } from "./sending.js";

/**
 * @typedef {import("../commands.js").Call} Call
 * @typedef {import("./drafts.js").Draft} Draft
 */

/**
 * Fills the form with the composer. It listens for "try" on the form (detail: `{text}`), and for "reply" and
 * "edit-message" (detail: the message) on the document.
 *
 * @param {HTMLFormElement} form
 */
export function mountComposer(form) {
    form.noValidate = true;
    new Composer(form).listen();
}

class Composer {
    #form;
    #editor;
    #drafts = new Drafts();
    /** Whose draft for which channel is shown. */
    #place = "";
    /** What "try" put in; the next one may replace it. */
    #tried = "";

    /** @param {HTMLFormElement} form */
    constructor(form) {
        this.#form = form;
        this.#editor = new Editor(form, (files) => this.#take(files));
        this.#sync();
    }

    listen() {
        const form = this.#form;
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.#submit();
        });
        form.addEventListener("keydown", (event) => this.#key(event));
        form.addEventListener("try", (event) => this.#try(/** @type {CustomEvent} */ (event).detail.text));
        this.#editor.textarea.addEventListener("input", () => this.#typed());
        document.addEventListener("reply", (event) => this.#editor.replyTo(/** @type {CustomEvent} */ (event).detail));
        document.addEventListener("edit-message", (event) => {
            this.#editor.cancelChange();
            this.#editor.change(/** @type {CustomEvent} */ (event).detail);
        });
        receiveFiles(form, (files) => this.#take(files));
        addEventListener("pagehide", () => this.#drafts.set(this.#place, this.#editor.draft));
        store.on("world", () => this.#sync());
        store.on("current", () => this.#sync());
        store.on("gone", ({ id }) => this.#editor.forget(id));
    }

    /** Follows the user and the channel, and what one may do there. */
    #sync() {
        const place = `${store.me} in ${store.current}`;
        const before = this.#place;
        if (before && before !== place) this.#drafts.set(before, this.#editor.draft);
        this.#place = place;
        const channel = store.channels.get(store.current);
        const name = channel?.kind === "text" ? `#${channel.name}` : (channel?.name ?? "");
        if (before !== place) this.#editor.show(this.#drafts.get(place));
        this.#editor.place(name, channel?.may_write ? "" : channel?.writable_reason || "You cannot write here.");
    }

    #typed() {
        const line = this.#editor.text;
        const meant = this.#editor.edited ? null : parse(line, offersHere());
        // Only a space says that the name is complete: "/persona set" may become "/persona settings".
        if (meant && line.length > `/${meant.call.path}`.length) this.#editor.open(meant.call);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        if (event.defaultPrevented || event.isComposing) return;
        const { bar, textarea, isEmpty, edited } = this.#editor;
        if (event.key === "Escape" && bar.shown) {
            bar.cancel();
            this.#editor.focus();
        } else if (event.target !== textarea) {
            return;
        } else if (event.key === "Enter" && !event.shiftKey) {
            this.#form.requestSubmit();
        } else if (event.key === "ArrowUp" && isEmpty && !edited) {
            this.#takeBack();
        } else {
            return;
        }
        event.preventDefault();
    }

    /** Takes back what one did last: a command that was not run, else one's last message. */
    #takeBack() {
        const { kept } = this.#editor.draft;
        const messages = [...(store.messages.get(store.current)?.values() ?? [])];
        const last = messages.findLast((one) => one.author === store.me && one.content && !one.ephemeral);
        if (kept) this.#editor.open(kept.call);
        else if (last) this.#editor.change(last);
    }

    /** @param {string} text */
    #try(text) {
        if (this.#editor.textarea.disabled) {
            notify(this.#editor.textarea.placeholder);
            return;
        }
        this.#editor.cancelChange();
        const meant = parse(text, offersHere());
        if (meant) {
            this.#editor.open(meant.call);
            return;
        }
        if (this.#editor.command) this.#editor.leave("");
        const before = this.#editor.text;
        this.#tried = before && before !== this.#tried ? `${before}\n${text}` : text;
        this.#editor.write(this.#tried);
    }

    /** @param {File[]} files */
    #take(files) {
        const { textarea, command, edited } = this.#editor;
        if (textarea.disabled || !files.length) return;
        if (command) command.attach(files[0]);
        else if (edited) notify("A message that was sent takes no further files.");
        else this.#editor.attach(files);
    }

    #submit() {
        const { command, edited, isEmpty, text, draft } = this.#editor;
        const meant = !command && !edited && parse(text, offersHere());
        if (command) {
            if (command.check()) void this.#run(command.call);
        } else if (isEmpty) {
            if (edited) notify("A message cannot become empty; delete it instead.");
        } else if (meant) {
            this.#editor.open(meant.call);
        } else if (refusal(text)) {
            notify(refusal(text));
        } else if (edited) {
            void this.#save(edited.id, text);
        } else {
            void this.#say(draft);
        }
    }

    /** @param {Draft} draft */
    async #say(draft) {
        const place = this.#place;
        this.#editor.show({ ...EMPTY, kept: draft.kept });
        try {
            await say(store.current, draft);
        } catch (error) {
            this.#giveBack(place, { ...draft, kept: null }, sentenceOf(error));
        }
    }

    /**
     * Keeps the text where it is until it is saved.
     *
     * @param {string} id
     * @param {string} text
     */
    async #save(id, text) {
        try {
            await edit(id, text);
            if (this.#editor.edited?.id === id) this.#editor.cancelChange();
        } catch (error) {
            notify(sentenceOf(error));
        }
    }

    /** @param {Call} call */
    async #run(call) {
        const place = this.#place;
        this.#editor.show({ ...this.#editor.draft, call: null });
        this.#editor.focus();
        try {
            const { outcome } = await run(store.current, call);
            const { ok, error } = await outcome;
            if (!ok) this.#giveBack(place, { ...EMPTY, kept: { call, button: "Try again" } }, error);
        } catch (error) {
            this.#giveBack(place, { ...EMPTY, call }, sentenceOf(error));
        }
    }

    /**
     * Says what went wrong, and puts back where it came from what could not be sent.
     *
     * @param {string} place
     * @param {Draft} draft
     * @param {string} sentence
     */
    #giveBack(place, draft, sentence) {
        if (place === this.#place) this.#editor.giveBack(draft);
        else this.#drafts.set(place, together(draft, this.#drafts.get(place)));
        notify(sentence);
    }
}
