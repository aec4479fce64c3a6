/** All that this tab knows, kept up to date by one stream of server-sent events. */

/**
 * @typedef {{id: string, name: string, bot: boolean, role: "owner" | "moderator" | "member" | ""}} User
 * @typedef {{id: string, kind: "text" | "thread" | "dm", name: string, parent: string | null, archived: boolean,
 *     locked: boolean, may_write: boolean, permissions: string, writable_reason: string}} Channel
 * @typedef {{id: string, name: string, size: number, url: string, type: string}} Attachment
 * @typedef {{id: string, channel: string, author: string, content: string, at: string, edited: boolean,
 *     thinking: boolean, ephemeral: boolean, reply_to: string | null, reply: {author: string, text: string} | null,
 *     used: {user: string, command: string} | null, pings_me: boolean, attachments: Attachment[],
 *     components: any[], embeds: any[]}} Message
 * @typedef {{state: "starting" | "running" | "reconnecting" | "stopping" | "stopped" | "crashed", since: string,
 *     can_restart: boolean}} Bot
 * @typedef {{me: string, bot_id: string, users: User[], server: {id: string, name: string}, channels: Channel[],
 *     commands: any[], demo: {model: string, embedded: boolean, note: string}, bot: Bot}} World
 * @typedef {"world" | "messages" | "message" | "gone" | "typing" | "modal" | "settled" | "gauges" | "current"
 *     | "connected"} Kind
 */

/** How long to wait where the browser has given up by itself, which it does after any answer that is not a stream. */
const RETRY_MS = 2000;

/** After so many refusals in a row, a user who was there before counts as gone. */
const PATIENCE = 5;

const PASSED_ON = /** @type {const} */ (["typing", "modal", "settled", "gauges"]);

class Store {
    me = "";
    botId = "";
    /** @type {Map<string, User>} */
    users = new Map();
    server = { id: "", name: "" };
    /** @type {Map<string, Channel>} */
    channels = new Map();
    /** @type {any[]} raw registered application commands */
    commands = [];
    demo = { model: "", embedded: false, note: "" };
    /** @type {Bot} */
    bot = { state: "starting", since: "", can_restart: false };
    /** The channel that is shown; empty until the world is known. */
    current = "";
    /** @type {Map<string, Map<string, Message>>} channel to its messages, oldest first */
    messages = new Map();
    connected = false;

    #as = "";
    #wanted = "";
    #gauges = false;
    #retry = 0;
    #refusals = 0;
    /** @type {EventSource | null} */
    #stream = null;
    /** @type {Map<Kind, Set<(data: any) => void>>} */
    #handlers = new Map();

    /** Reads the address and opens the stream. */
    start() {
        this.#readHash();
        this.#open();
        addEventListener("hashchange", () => this.#hashChanged());
        document.addEventListener("visibilitychange", () => this.#open());
    }

    /**
     * @param {Kind} kind
     * @param {(data: any) => void} handler
     */
    on(kind, handler) {
        const handlers = this.#handlers.get(kind) ?? new Set();
        this.#handlers.set(kind, handlers.add(handler));
    }

    /**
     * Shows another channel; one that is not known yet is shown as soon as it is.
     *
     * @param {string} channelId
     */
    select(channelId) {
        this.#wanted = channelId;
        if (this.#chooseCurrent()) this.#tell("current", this.current);
    }

    /**
     * Becomes another user, in this tab only.
     *
     * @param {string} userId
     */
    actAs(userId) {
        if (userId === this.#as) return;
        this.#as = userId;
        this.#writeHash();
        this.#open();
    }

    /**
     * Asks for the figures of the panel, or no more.
     *
     * @param {boolean} on
     */
    watchGauges(on) {
        if (on === this.#gauges) return;
        this.#gauges = on;
        // Before the start there is no stream yet; the first one will ask for them.
        if (this.#stream) this.#open();
    }

    /**
     * Drops an ephemeral message here, as Discord does: the server keeps it until the tab loads anew.
     *
     * @param {Message} message
     */
    dismiss(message) {
        this.#gone({ id: message.id, channel: message.channel });
    }

    /** Opens the stream anew; a tab that nobody sees has none, since a browser has six connections for all of them. */
    #open() {
        clearTimeout(this.#retry);
        this.#stream?.close();
        this.#stream = null;
        if (document.hidden) return;
        const query = new URLSearchParams();
        if (this.#as) query.set("as", this.#as);
        if (this.#gauges) query.set("gauges", "1");
        const stream = new EventSource(`stream?${query}`);
        this.#stream = stream;
        stream.addEventListener("open", () => this.#connection(true));
        stream.addEventListener("error", () => this.#lost(stream));
        /** @type {(kind: string, receive: (data: any) => void) => void} */
        const hear = (kind, receive) => stream.addEventListener(kind, (event) => receive(JSON.parse(event.data)));
        hear("world", (data) => this.#world(data));
        hear("messages", (data) => this.#allMessages(data.messages));
        hear("message", (data) => this.#message(data));
        hear("gone", (data) => this.#gone(data));
        for (const kind of PASSED_ON) hear(kind, (data) => this.#tell(kind, data));
    }

    /** @param {EventSource} stream */
    #lost(stream) {
        if (stream !== this.#stream) return;
        // A refusal, not a lost line: perhaps this user is no more, so the server may choose one the next time.
        if (stream.readyState === EventSource.CLOSED) {
            this.#refusals += 1;
            if (!this.me || this.#refusals > PATIENCE) this.#as = "";
            this.#retry = setTimeout(() => this.#open(), RETRY_MS);
        }
        this.#connection(false);
    }

    /** @param {boolean} connected */
    #connection(connected) {
        if (connected) this.#refusals = 0;
        if (connected === this.connected) return;
        this.connected = connected;
        this.#tell("connected", connected);
    }

    /** @param {World} world */
    #world(world) {
        this.me = this.#as = world.me;
        this.botId = world.bot_id;
        this.users = new Map(world.users.map((user) => [user.id, user]));
        this.server = world.server;
        this.channels = new Map(world.channels.map((channel) => [channel.id, channel]));
        this.commands = world.commands;
        this.demo = world.demo;
        this.bot = world.bot;
        const moved = this.#chooseCurrent();
        this.#tell("world", world);
        if (moved) this.#tell("current", this.current);
    }

    /** @param {Message[]} messages */
    #allMessages(messages) {
        this.messages = new Map();
        for (const message of messages) this.#in(message.channel).set(message.id, message);
        this.#tell("messages", messages);
    }

    /** @param {Message} message */
    #message(message) {
        this.#in(message.channel).set(message.id, message);
        this.#tell("message", message);
    }

    /** @param {{id: string, channel: string}} place */
    #gone(place) {
        this.#in(place.channel).delete(place.id);
        this.#tell("gone", place);
    }

    /** @param {string} channelId */
    #in(channelId) {
        const known = this.messages.get(channelId) ?? new Map();
        this.messages.set(channelId, known);
        return known;
    }

    /** The wanted channel if there is one, else the one that is shown, else the first. Says whether that is another. */
    #chooseCurrent() {
        if (!this.channels.size) return false;
        const [first] = this.channels.keys();
        const next = [this.#wanted, this.current, first].find((id) => id && this.channels.has(id)) ?? "";
        if (next === this.#wanted) this.#wanted = "";
        const moved = next !== this.current;
        this.current = next;
        this.#writeHash();
        return moved;
    }

    #readHash() {
        const hash = new URLSearchParams(location.hash.slice(1));
        this.#wanted = hash.get("channel") ?? "";
        this.#as = hash.get("as") ?? this.#as;
    }

    #hashChanged() {
        const before = this.#as;
        this.#readHash();
        if (this.#as !== before) this.#open();
        this.select(this.#wanted);
    }

    #writeHash() {
        const hash = `#${new URLSearchParams({ channel: this.current, as: this.#as })}`;
        // Replaced, not added: "back" shall leave the page, not walk through every channel.
        if (hash !== location.hash) history.replaceState(null, "", hash);
    }

    /**
     * @param {Kind} kind
     * @param {any} data
     */
    #tell(kind, data) {
        for (const handler of this.#handlers.get(kind) ?? []) handler(data);
    }
}

export const store = new Store();
