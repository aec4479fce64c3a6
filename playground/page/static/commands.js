/** What may be typed after a slash here, and what a typed line means. Neither DOM nor network. */

/**
 * @typedef {{name: string, value: string | number}} Choice
 * @typedef {object} Option One option as Discord describes it.
 * @property {string} name
 * @property {string} description
 * @property {number} type
 * @property {boolean} [required]
 * @property {boolean} [autocomplete]
 * @property {Choice[]} [choices]
 * @property {Option[]} [options] of a subcommand or group
 * @property {number} [min_length] in UTF-16 units
 * @property {number} [max_length]
 * @property {number} [min_value]
 * @property {number} [max_value]
 * @property {number[]} [channel_types]
 * @typedef {object} Command A registered command as Discord describes it.
 * @property {string} name
 * @property {string} description
 * @property {number} type
 * @property {string} [guild_id]
 * @property {string | null} [default_member_permissions]
 * @property {boolean} [dm_permission]
 * @property {number[] | null} [contexts]
 * @property {Option[]} [options]
 * @typedef {{path: string, description: string, options: Option[]}} Offer A command or subcommand that can be run.
 * @typedef {string | number | boolean | File} Value
 * @typedef {{path: string, values: Map<string, Value>}} Call An offer with what was filled in so far.
 * @typedef {{kind: string, permissions: string}} Place
 */

/** The types of commands that are told apart here. */
export const CommandType = Object.freeze({ CHAT_INPUT: 1, MESSAGE: 3 });

/** The types of options (API reference, "Application Command Option Type"). */
export const OptionType = Object.freeze({
    SUBCOMMAND: 1,
    GROUP: 2,
    STRING: 3,
    INTEGER: 4,
    BOOLEAN: 5,
    USER: 6,
    CHANNEL: 7,
    ROLE: 8,
    MENTIONABLE: 9,
    NUMBER: 10,
    ATTACHMENT: 11,
});

const IN_SERVERS = 0;
const IN_DMS = 1;
const ADMINISTRATOR = 1n << 3n;
const USE_COMMANDS = 1n << 31n;
/** @type {number[]} */
const INNER = [OptionType.SUBCOMMAND, OptionType.GROUP];

/**
 * The slash commands that Discord would offer in a channel, each subcommand by itself.
 *
 * @param {Command[]} commands
 * @param {Place} place
 * @returns {Offer[]}
 */
export function offered(commands, place) {
    return commands
        .filter((command) => command.type === CommandType.CHAT_INPUT && isOffered(command, place))
        .flatMap((command) => leaves(command.name, command));
}

/**
 * Whether Discord would offer a command, of whatever kind, in a channel.
 *
 * @param {Command} command
 * @param {Place} place
 * @returns {boolean}
 */
export function isOffered(command, place) {
    const inDm = place.kind === "dm";
    const contexts = command.contexts ?? (command.dm_permission === false ? [IN_SERVERS] : [IN_SERVERS, IN_DMS]);
    if (inDm) return contexts.includes(IN_DMS) && !command.guild_id;
    return contexts.includes(IN_SERVERS) && mayUse(command, BigInt(place.permissions));
}

/** @param {Command} command @param {bigint} have */
function mayUse(command, have) {
    if (have & ADMINISTRATOR) return true;
    const needed = BigInt(command.default_member_permissions ?? 0);
    // "0" means nobody but administrators, which is not the same as null: everybody.
    if (command.default_member_permissions != null && needed === 0n) return false;
    return (have & (needed | USE_COMMANDS)) === (needed | USE_COMMANDS);
}

/** @param {string} path @param {Command | Option} part @returns {Offer[]} */
function leaves(path, part) {
    const inner = (part.options ?? []).filter((option) => INNER.includes(option.type));
    if (inner.length) return inner.flatMap((option) => leaves(`${path} ${option.name}`, option));
    return [{ path, description: part.description, options: part.options ?? [] }];
}

/**
 * The offers that fit what was typed after the slash: first those that begin with it.
 *
 * @param {Offer[]} offers
 * @param {string} typed
 * @returns {Offer[]}
 */
export function matching(offers, typed) {
    const wanted = typed.toLowerCase();
    const fitting = offers.filter((offer) => offer.path.includes(wanted));
    const begins = fitting.filter((offer) => offer.path.startsWith(wanted));
    return [...begins, ...fitting.filter((offer) => !begins.includes(offer))];
}

/**
 * Reads a line such as "/ask Hello" or "/settings set parameter: temperature value: 0"; null where it names no offer.
 *
 * @param {string} line
 * @param {Offer[]} offers
 * @returns {{call: Call, offer: Offer} | null}
 */
export function parse(line, offers) {
    const offer = offers.find(({ path }) => line.startsWith(`/${path}`) && !/^\S/.test(line.slice(path.length + 1)));
    if (!offer) return null;
    const values = readOptions(line.slice(offer.path.length + 1), offer.options);
    return { call: { path: offer.path, values }, offer };
}

/** @param {string} text @param {Option[]} options @returns {Map<string, Value>} */
function readOptions(text, options) {
    const typable = options.filter((option) => option.type !== OptionType.ATTACHMENT);
    const marks = namesIn(text.trim(), typable);
    /** @type {Map<string, Value>} */
    const values = new Map();
    marks.forEach((mark, index) => {
        const value = text.trim().slice(mark.end, marks[index + 1]?.start).trim();
        if (value) values.set(mark.name, value);
    });
    fillInOrder(text.trim().slice(0, marks[0]?.start).trim(), typable, values);
    return values;
}

/**
 * Where "name:" stands. A space may follow only where the whole text is written so, as Discord copies a command:
 * in "/ask What is a persona: a mask?" nothing is named.
 *
 * @param {string} text
 * @param {Option[]} options
 * @returns {{name: string, start: number, end: number}[]}
 */
function namesIn(text, options) {
    if (!options.length) return [];
    const names = options.map((option) => option.name).join("|");
    /** @type {{name: string, start: number, end: number}[]} */
    const marks = [];
    for (const found of text.matchAll(new RegExp(`(?<=^|\\s)(${names}):(\\s?)`, "gu"))) {
        const [whole, name, space] = found;
        if (marks.some((mark) => mark.name === name) || (space && marks[0]?.start !== 0 && found.index !== 0)) continue;
        marks.push({ name, start: found.index, end: found.index + whole.length });
    }
    return marks;
}

/**
 * Gives words to the required options in order; the last one takes the rest. "Words in quotes" are one.
 *
 * @param {string} text
 * @param {Option[]} options
 * @param {Map<string, Value>} values
 */
function fillInOrder(text, options, values) {
    const open = options.filter((option) => !values.has(option.name));
    const required = open.filter((option) => option.required);
    const targets = required.length ? required : open.slice(0, 1);
    let rest = text;
    targets.forEach((option, index) => {
        const word = index === targets.length - 1 ? rest : (/^(?:"[^"]*"|\S+)/.exec(rest)?.[0] ?? "");
        rest = rest.slice(word.length).trim();
        if (word) values.set(option.name, word.replace(/^"([^"]*)"$/, "$1"));
    });
}
