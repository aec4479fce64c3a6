/** The newest answers: how much the model has written, and how much of it can be read in the chat already. */

import { el } from "../dom.js";
import { rows, section, write } from "./parts.js";
import { showPrompt } from "./prompt.js";

/** @typedef {import("./parts.js").Answer} Answer */

const EXPLANATION = [
    "A model writes in tokens: short pieces of text, about four letters of English each. “Generated” is what it has " +
        "written so far, “visible” is how much of that stands in the chat.",
    "Discord lets a bot change a message only once or twice a second. So the chat runs a little behind the model, and " +
        "catches up at the end.",
    "The prompt is all that the model gets: the persona's instructions, what was said before, and the question.",
];

const STATES = {
    waiting: "Waiting for the first token",
    writing: "Writing",
    done: "Done",
    cancelled: "Stopped",
    failed: "Failed",
};

/** So many tokens fill the bar of an answer that goes on, so that it has room to grow. */
const ROOM = 100;

/** @returns {import("./parts.js").Section} */
export function answersSection() {
    const empty = el("p", { class: "panel-empty" }, "No answer yet. Ask the bot something.");
    const list = el("ol", { class: "panel-answers" });
    const draw = rows(list, row);
    return {
        element: section("The model's answers", EXPLANATION, empty, list),
        draw: ({ answers }) => {
            empty.hidden = answers.length > 0;
            draw(answers.map((answer) => [String(answer.n), answer]));
        },
    };
}

/** @returns {{element: HTMLElement, draw: (answer: Answer) => void}} */
function row() {
    let number = 0;
    const question = el("p", { class: "panel-question" });
    const progress = el("p", { class: "panel-progress" });
    const generated = el("span", { class: "generated" });
    const visible = el("span", { class: "visible" });
    const numbers = el("p", { class: "panel-numbers" });
    const prompt = el("button", { class: "button", type: "button", onclick: () => showPrompt(number) }, "Prompt");
    const element = el(
        "li",
        { class: "panel-answer" },
        question,
        progress,
        el("div", { class: "panel-bars", "aria-hidden": "true" }, generated, visible),
        el("div", { class: "panel-row" }, numbers, prompt),
    );
    return {
        element,
        draw: (answer) => {
            number = answer.n;
            element.dataset.state = answer.state;
            write(question, answer.question || "(a question without words)");
            write(progress, progressOf(answer));
            generated.style.width = `${100 * (answer.generated / scaleOf(answer))}%`;
            visible.style.width = `${100 * (Math.min(answer.visible, answer.generated) / scaleOf(answer))}%`;
            write(numbers, numbersOf(answer));
            prompt.setAttribute("aria-label", `Prompt of answer ${answer.n}`);
        },
    };
}

/** @param {Answer} answer how many tokens fill its bar: what is over fills it */
function scaleOf(answer) {
    return Math.max(answer.generated, isOver(answer) ? 1 : ROOM);
}

/** @param {Answer} answer */
function isOver({ state }) {
    return state !== "waiting" && state !== "writing";
}

/** @param {Answer} answer once written, it may stand in the chat with more, have given way to another, or be deleted */
function numbersOf(answer) {
    const { visible, generated } = answer;
    return isOver(answer) && generated > 0 && visible === 0
        ? `${generated} tokens generated`
        : `${visible} of ${generated} tokens visible`;
}

/** @param {Answer} answer */
function progressOf(answer) {
    const first = answer.first_token_ms;
    return [
        STATES[answer.state],
        answer.per_second !== null && `${answer.per_second.toFixed(1)} tokens/s`,
        first !== null && `first token after ${first < 1000 ? `${first} ms` : `${(first / 1000).toFixed(1)} s`}`,
        answer.prompt_tokens !== null && `${answer.prompt_tokens} tokens read`,
    ]
        .filter(Boolean)
        .join(" · ");
}
