/** Moments in words, in the reader's own language and time zone. */

import { el } from "./dom.js";

/** @type {Record<string, Intl.DateTimeFormatOptions>} Discord's letters for the form of a time stamp */
const STYLES = {
    t: { timeStyle: "short" },
    T: { timeStyle: "medium" },
    d: { dateStyle: "short" },
    D: { dateStyle: "long" },
    f: { dateStyle: "long", timeStyle: "short" },
    F: { dateStyle: "full", timeStyle: "short" },
    s: { dateStyle: "short", timeStyle: "short" },
    S: { dateStyle: "short", timeStyle: "medium" },
};

/** @type {Array<[Intl.RelativeTimeFormatUnit, number]>} each with its length in seconds */
const UNITS = [
    ["year", 31_557_600],
    ["month", 2_629_800],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
    ["second", 1],
];

/** @type {Map<string, Intl.DateTimeFormat>} a format costs more to make than to use */
const formats = new Map();

/**
 * @param {Date} date
 * @param {string} style one of Discord's letters but R
 * @returns {string}
 */
export function formatted(date, style) {
    const format = formats.get(style) ?? new Intl.DateTimeFormat(undefined, STYLES[style]);
    formats.set(style, format);
    return format.format(date);
}

/**
 * @param {Date} date
 * @returns {string} such as "14:05", "Yesterday at 14:05" or a date
 */
export function spoken(date) {
    const days = daysAgo(date);
    if (days === 0) return formatted(date, "t");
    if (days === 1) return `Yesterday at ${formatted(date, "t")}`;
    return formatted(date, "s");
}

/**
 * @param {Date} date
 * @returns {number} how many midnights ago that was
 */
export function daysAgo(date) {
    const midnight = (/** @type {Date} */ day) => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate());
    return Math.round((midnight(new Date()) - midnight(date)) / 86_400_000);
}

/**
 * A time stamp as Discord's Markdown writes it.
 *
 * @param {number} seconds since 1970
 * @param {string} [style]
 * @returns {HTMLTimeElement | null} null where there is no such moment
 */
export function timestamp(seconds, style = "f") {
    const date = new Date(seconds * 1000);
    if (Number.isNaN(date.getTime())) return null;
    const words = style === "R" ? relative(date) : formatted(date, style);
    return el("time", { class: "timestamp", datetime: date.toISOString(), title: formatted(date, "F") }, words);
}

/** @param {Date} date */
function relative(date) {
    const seconds = Math.round((date.getTime() - Date.now()) / 1000);
    const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[UNITS.length - 1];
    return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
}
