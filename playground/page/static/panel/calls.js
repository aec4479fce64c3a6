/** The bot's calls to Discord: what is left in each rate limit's bucket, and the newest calls themselves. */

import { el } from "../dom.js";
import { formatted } from "../times.js";
import { rows, section, write } from "./parts.js";

/**
 * @typedef {import("./parts.js").Bucket} Bucket
 * @typedef {import("./parts.js").Call} Call
 * @typedef {import("./parts.js").Section} Section
 */

const OF_LIMITS = [
    "Discord counts a bot's calls in buckets, such as one for all edits in a channel. Each lets a few calls through, " +
        "mostly five, and is full again some seconds after the first of them.",
    "A call to an empty bucket is refused (429, “too many requests”). The bot spreads its edits so that this does not " +
        "happen: a bar may become short, but should not run dry for long.",
];

const OF_CALLS = [
    "Each line is one request of the bot to Discord. 200 and 204 mean that it worked, 429 that it came too early, and " +
        "every other number from 400 on that Discord refused it.",
];

const REFUSED_FROM = 400;

/** @returns {Section} */
export function limitsSection() {
    const pace = el("p", { class: "panel-pace" });
    const refusals = el("p", { class: "panel-refusals" });
    const unknown = el("p", { class: "panel-unknown", hidden: true });
    const list = el("ul", { class: "panel-buckets" });
    const draw = rows(list, bucketRow);
    return {
        element: section("Discord's rate limits", OF_LIMITS, pace, refusals, unknown, list),
        draw: (gauges) => {
            write(pace, `${gauges.edits_per_second.toFixed(1)} edits/s, ${gauges.calls_per_second.toFixed(1)} calls/s`);
            const hits = gauges.rate_limit_hits;
            write(refusals, hits ? `${hits} refused because of a limit (429)` : "No call refused because of a limit");
            refusals.classList.toggle("bad", hits > 0);
            unknown.hidden = !gauges.unknown_routes.length;
            write(unknown, `Calls that the simulated Discord does not know: ${gauges.unknown_routes.join(", ")}`);
            draw(named(gauges.buckets));
        },
    };
}

/**
 * Two commands of the same name have a bucket each, so a name alone is no key.
 *
 * @param {Bucket[]} buckets
 * @returns {Array<[string, Bucket]>}
 */
function named(buckets) {
    /** @type {Map<string, number>} */
    const seen = new Map();
    return buckets.map((bucket) => {
        const count = (seen.get(bucket.what) ?? 0) + 1;
        seen.set(bucket.what, count);
        return [`${bucket.what} ${count}`, bucket];
    });
}

function bucketRow() {
    const name = el("span", { class: "panel-name" });
    const meter = el("meter", { min: 0 });
    const left = el("span", { class: "panel-left" });
    return {
        element: el("li", {}, el("label", {}, name, meter), left),
        /** @param {Bucket} bucket */
        draw: (bucket) => {
            write(name, bucket.what);
            meter.max = bucket.limit;
            meter.value = bucket.left;
            const again = bucket.left < bucket.limit ? `, full again in ${bucket.resets_in.toFixed(1)} s` : "";
            write(left, `${bucket.left} of ${bucket.limit} calls left${again}`);
        },
    };
}

/** @returns {Section} */
export function callsSection() {
    const empty = el("p", { class: "panel-empty" }, "No call yet.");
    const body = el("tbody");
    const headings = ["Time", "Call", "Status", "Took"].map((text) => el("th", { scope: "col" }, text));
    const table = el("table", { class: "panel-calls" }, el("thead", {}, el("tr", {}, ...headings)), body);
    const draw = rows(body, callRow);
    return {
        element: section("The newest calls", OF_CALLS, empty, table),
        draw: ({ calls }) => {
            empty.hidden = calls.length > 0;
            table.hidden = !calls.length;
            draw(calls.map((call, place) => [String(place), call]));
        },
    };
}

function callRow() {
    const time = el("td");
    const what = el("td");
    const status = el("td");
    const took = el("td");
    const element = el("tr", {}, time, what, status, took);
    return {
        element,
        /** @param {Call} call */
        draw: (call) => {
            write(time, formatted(new Date(call.at), "T"));
            write(what, call.what);
            write(status, String(call.status));
            write(took, `${call.ms} ms`);
            element.classList.toggle("bad", call.status >= REFUSED_FROM);
        },
    };
}
