"""static/markdown.js by itself: Discord's Markdown as elements, and what no text may do to it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]

TABLE = json.loads((Path(__file__).parent / "markdown.json").read_text(encoding="utf-8"))

# Elements as <name children>, texts as they are: short enough to be read beside its Markdown.
OUTLINE = """async (texts) => {
    const { render } = await import("./markdown.js");
    const names = { users: new Map([["1", { name: "Anna" }]]), channels: new Map([["2", { name: "general" }]]) };
    const outline = (node) => {
        if (node.nodeType === Node.TEXT_NODE) return node.data;
        if (node.matches("button.copy")) return "";
        const kind = { "div.paragraph": "p", "figure.code-block": "block", "span.mention": "mention",
            "button.mention": "mention", "small.subtext": "small", "span.language": "language",
            "span.spoiler": "spoiler" }[`${node.localName}.${node.classList[0]}`] ?? node.localName;
        const inside = [...node.childNodes].map(outline).join("");
        if (["figcaption", "pre"].includes(kind) || node.matches(".spoiler-text")) return inside;
        return `<${kind}${kind === "a" ? ` ${node.getAttribute("href")}` : ""} ${inside}>`;
    };
    return texts.map((text) => [...render(text, names).childNodes].map(outline).join(""));
}"""

# Which of these texts render() fails on, or loses a letter or a digit of.
FUZZ = r"""async (texts) => {
    const { render } = await import("./markdown.js");
    const names = { users: new Map(), channels: new Map() };
    const plain = (text) => text.replace(/[^\p{L}\p{N}]/gu, "");
    return texts.filter((text) => {
        try {
            const shown = render(text, names);
            for (const button of shown.querySelectorAll("button.copy")) button.remove();
            for (const language of shown.querySelectorAll(".language")) {
                if (language.textContent === "text") language.remove();
            }
            return plain(shown.textContent) !== plain(text);
        } catch (error) {
            return true;
        }
    });
}"""

TIMES = """async (texts) => {
    const { render } = await import("./markdown.js");
    const names = { users: new Map(), channels: new Map() };
    const once = (text) => { const begun = performance.now(); render(text, names); return performance.now() - begun; };
    return texts.map((text) => Math.min(...Array.from({ length: 5 }, () => once(text))));
}"""

# Without digits, which mentions, times and lists show otherwise than they are written.
MARKS = ["*", "**", "***", "_", "__", "~~", "||", "`", "``", "```", "\n", "> ", ">>> ", "- ", "# ", "-# ", "[", "]("]
MARKS += [
    ")",
    "<",
    ">",
    "\\",
    " ",
    "  ",
    "@",
    "<@",
    "<#",
    "<t:",
    "!",
    "a",
    "B",
    "é",
    "ж",
    "猫",
    "🙂",
    "\u202e",
    "\u0301",
]
UNITS = [
    "*",
    "**a",
    "_a",
    "~~",
    "||a",
    "`",
    "`a``",
    "```",
    "```\n",
    "> ",
    "[",
    "[a](",
    "<",
    "<@",
    "\\",
    "- ",
    "a ",
    "* a",
    "*_~~||",
]
UNITS += ["[a](http://b.c/(", "https://a.b/", "https://a.b/)", "-# a\n", "    - a\n", "1. ", "<t:1", "**_"]


@pytest.mark.parametrize(("text", "outline"), TABLE, ids=lambda text: text[:24].encode("unicode_escape").decode())
async def test_markdown_becomes(shared: Chat, text: str, outline: str) -> None:
    assert await shared.page.evaluate(OUTLINE, [text]) == [outline]


async def test_no_text_makes_it_fail_or_loses_a_letter(shared: Chat) -> None:
    dice = random.Random(20_260_101)  # noqa: S311  # the same texts each time
    texts = ["".join(dice.choices(MARKS, k=dice.randint(1, 60))) for _ in range(4000)]
    numbers = [mark for mark in MARKS if not mark.startswith("<")] + list("0123456789")
    texts += ["".join(dice.choices(numbers, k=dice.randint(1, 60))) for _ in range(2000)]
    assert await shared.page.evaluate(FUZZ, texts) == []


async def test_time_grows_with_the_length_only(shared: Chat) -> None:
    short, long = ([unit * (length // len(unit)) for unit in UNITS] for length in (2_000, 16_000))
    few, many = await shared.page.evaluate(TIMES, short), await shared.page.evaluate(TIMES, long)
    # Eight times the length: quadratic would be 64 times the time. Milliseconds may be any other program's doing.
    slow = {unit: (a, b) for unit, a, b in zip(UNITS, few, many, strict=True) if b > 100 and b > 24 * a}
    assert slow == {}
    assert max(many) < 2000


async def test_what_it_makes_has_no_handlers_and_no_foreign_addresses(shared: Chat) -> None:
    dice = random.Random(7)  # noqa: S311  # the same texts each time
    parts = [
        *MARKS,
        "javascript:alert(1)",
        "http://a.b",
        "<img src=x onerror=1>",
        "<script>",
        "data:text/html,x",
        "](javascript:x)",
    ]
    texts = ["".join(dice.choices(parts, k=dice.randint(1, 20))) for _ in range(2000)]
    bad = await shared.page.evaluate(
        r"""async (texts) => {
            const { render } = await import("./markdown.js");
            const names = { users: new Map(), channels: new Map() };
            const allowed = new RegExp("^(class|href|title|target|rel|type|tabindex|role|start|inert|datetime"
                + "|aria-\\w+|data-channel)$");
            return texts.filter((text) => [...render(text, names).querySelectorAll("*")].some((one) =>
                [...one.attributes].some(({ name }) => !allowed.test(name))
                || (one.localName === "a" && !/^https?:/.test(one.href))
                || /^(script|img|style|iframe|svg|form|input)$/.test(one.localName)));
        }""",
        texts,
    )
    assert bad == []
    await expect(shared.composer).to_be_visible()
