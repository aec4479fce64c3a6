/** What stands in the composer: a text with files and perhaps a reply, a command's form, or a message being changed. */

import { el } from "../dom.js";
import { nameOf } from "../people.js";
import { store } from "../store.js";
import { Attachments } from "./attachments.js";
import { Bar } from "./bar.js";
import { EMPTY, together } from "./drafts.js";
import { CommandForm } from "./form.js";
import { withNames } from "./mentions.js";
import { offersHere, Picker } from "./picker.js";
import { Writing } from "./writing.js";

/**
 * @typedef {import("../commands.js").Call} Call
 * @typedef {import("./drafts.js").Draft} Draft
 * @typedef {import("./drafts.js").Kept} Kept
 * @typedef {import("./drafts.js").Reply} Reply
 * @typedef {import("../store.js").Message} Message
 */

export class Editor {
    #form;
    #status = el("p", { class: "visually-hidden", role: "status" });
    #attachments = new Attachments(() => this.focus());
    #writing;
    #picker;
    /** @type {Reply | null} */
    #reply = null;
    /** @type {Kept | null} */
    #kept = null;
    /** @type {{message: Message, aside: Draft} | null} */
    #editing = null;
    /** @type {CommandForm | null} */
    command = null;
    bar = new Bar();

    /**
     * @param {HTMLFormElement} form
     * @param {(files: File[]) => void} take gets the files that are chosen to be attached
     */
    constructor(form, take) {
        this.#form = form;
        this.#writing = new Writing(take);
        this.#picker = new Picker(this.textarea, this.#status, ({ path }) => this.open({ path, values: new Map() }));
        const { element } = this.#writing;
        form.replaceChildren(this.#picker.element, this.bar.element, this.#attachments.element, element, this.#status);
    }

    get textarea() {
        return this.#writing.textarea;
    }

    get text() {
        return this.#writing.text;
    }

    get isEmpty() {
        return !this.text.trim() && !this.#attachments.files.length;
    }

    /** The message that is being changed. */
    get edited() {
        return this.#editing?.message ?? null;
    }

    /** What is begun and not sent; while a message is being changed, what waits below. @returns {Draft} */
    get draft() {
        if (this.#editing) return this.#editing.aside;
        return {
            text: this.text,
            files: this.#attachments.files,
            reply: this.#reply,
            call: this.command?.call ?? null,
            kept: this.#kept,
        };
    }

    /**
     * Says where the text goes, or why nothing can be written there.
     *
     * @param {string} name of the channel
     * @param {string} reason empty where one may write
     */
    place(name, reason) {
        this.#writing.place(name, reason);
        if (reason && this.command) this.leave("");
    }

    focus() {
        if (this.command) this.command.focus();
        else this.textarea.focus();
    }

    /**
     * Shows a draft in place of all that stands here.
     *
     * @param {Draft} draft
     */
    show(draft) {
        this.#editing = null;
        this.#put(draft);
        this.#showCommand(draft.call);
        this.#showBar();
    }

    /**
     * Puts back what could not be sent, before what was begun since.
     *
     * @param {Draft} draft
     */
    giveBack(draft) {
        const all = together(draft, this.draft);
        if (this.#editing) {
            this.#editing.aside = all;
            return;
        }
        const hadFocus = document.activeElement === this.textarea;
        this.#put(all);
        if (!this.command) this.#showCommand(all.call);
        this.#showBar();
        if (hadFocus) this.focus();
    }

    /**
     * Turns to a command. The text that led here has done its work; any other waits below.
     *
     * @param {Call} call
     */
    open(call) {
        const { draft } = this;
        const kept = keptOf(draft.call) ?? (draft.kept?.call === call ? null : draft.kept);
        this.show({ ...draft, text: draft.text.startsWith("/") ? "" : draft.text, call, kept });
        this.command?.focus();
    }

    /**
     * Goes from a command back to messages.
     *
     * @param {string} typed what to write there, where nothing else waits
     */
    leave(typed) {
        const { draft } = this;
        this.show({ ...draft, text: draft.text || typed, call: null, kept: keptOf(draft.call) ?? draft.kept });
        this.textarea.focus();
        this.#picker.update();
    }

    /**
     * Writes a text, as if it were typed.
     *
     * @param {string} text
     */
    write(text) {
        this.#put({ ...this.draft, text });
        this.textarea.focus();
        this.#picker.update();
    }

    /** @param {Message} message */
    change(message) {
        const aside = this.draft;
        this.show({ ...EMPTY, text: withNames(message.content, store.users) });
        this.#editing = { message, aside };
        this.#showBar();
        this.textarea.focus();
    }

    /** Leaves what is being changed as it was. */
    cancelChange() {
        if (this.#editing) this.show(this.#editing.aside);
    }

    /** @param {Message} message */
    replyTo(message) {
        this.cancelChange();
        if (this.command) this.leave("");
        this.#reply = { message, ping: true };
        this.#showBar();
        this.textarea.focus();
    }

    /** @param {string} id of a message that is gone */
    forget(id) {
        if (this.edited?.id === id) this.cancelChange();
        if (this.#reply?.message.id === id) this.#dropReply();
    }

    /** @param {File[]} files */
    attach(files) {
        this.#attachments.add(files);
    }

    /** @param {Draft} draft */
    #put(draft) {
        this.#writing.text = draft.text;
        this.#picker.hide();
        this.#attachments.files = draft.files;
        this.#reply = draft.reply;
        this.#kept = draft.kept;
    }

    /** @param {Call | null} call */
    #showCommand(call) {
        const before = this.command?.element;
        const offer = call && offersHere().find(({ path }) => path === call.path);
        this.command = offer ? new CommandForm(offer, (typed) => this.leave(typed)) : null;
        if (call) this.command?.fill(call.values);
        if (this.command) this.#writing.element.before(this.command.element);
        before?.remove();
        this.#form.classList.toggle("commanding", Boolean(this.command));
    }

    #showBar() {
        this.#writing.verb = this.#editing ? "Save" : "Send";
        if (this.command || this.textarea.disabled) this.bar.hide();
        else if (this.#editing) this.bar.show("Editing your message", [], "Cancel editing", () => this.cancelChange());
        else if (this.#reply) this.#showReply(this.#reply);
        else if (this.#kept) this.#showKept(this.#kept);
        else this.bar.hide();
    }

    /** @param {Reply} reply */
    #showReply(reply) {
        const { author } = reply.message;
        const press = () => {
            reply.ping = !reply.ping;
            return reply.ping;
        };
        const buttons = author === store.me ? [] : [{ label: "Ping", press, pressed: reply.ping }];
        this.bar.show(`Replying to ${nameOf(author)}`, buttons, "Cancel the reply", () => this.#dropReply());
    }

    #dropReply() {
        this.#reply = null;
        this.#showBar();
    }

    /** @param {Kept} kept */
    #showKept({ call, button }) {
        const again = { label: button, press: () => this.open(call) };
        this.bar.show(`/${call.path} is kept as you wrote it.`, [again], "Forget it", () => {
            this.#kept = null;
            this.#showBar();
        });
    }
}

/** @param {Call | null} call @returns {Kept | null} */
function keptOf(call) {
    return call?.values.size ? { call, button: "Go on" } : null;
}
