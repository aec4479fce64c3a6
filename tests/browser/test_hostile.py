"""A model, and people, that write what should do harm: it is shown as text, nothing runs, and the page stays quick."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import expect

from playground.discord import ChannelHandle
from tests.browser.chat import Chat
from tests.browser.stage import Stage
from tests.fake_ollama import FakeOllama
from tests.wire.stage import in_pieces

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]

HTML = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 2'>",
    "<svg onload=window.pwned=3></svg>",
    "<iframe src='javascript:parent.pwned=4'></iframe>",
    "</textarea></article><style>*{display:none}</style>",
    "<form action=https://evil.example><input name=q><button>Send</button></form>",
    "{{constructor.constructor('window.pwned=5')()}}",
    "<details open ontoggle=alert(6)>",
]
LINKS = [
    "[click](javascript:window.pwned=7)",
    "[click](JaVaScRiPt:window.pwned=8)",
    "[click](data:text/html,<script>alert(9)</script>)",
    "[click](vbscript:msgbox(1))",
    "<javascript:alert(10)>",
    "![picture](https://evil.example/pixel.png)",
    "[https://good.example](https://evil.example/phish)",
]
LONGEST = 2000
BOMBS = {
    "stars": "*" * LONGEST,
    "stars apart": "* " * (LONGEST // 2),
    "nested emphasis": "".join("*_~|"[i % 4] * (1 + i % 3) for i in range(LONGEST // 2)),
    "quotes in quotes": "> " * (LONGEST // 2),
    "open brackets": "[" * (LONGEST // 2) + "](" * (LONGEST // 4),
    "backticks": "".join("`" * (i % 40) + "x" for i in range(90)),
    "lists in lists": "\n".join(" " * min(i, 40) + "- x" for i in range(60)),
    "one long word": "Donaudampfschifffahrt" * (LONGEST // 21),
    "fences": "```" * (LONGEST // 3),
    "piled marks": ("a" + "\u0301\u0489" * 9) * 100,
}


async def unharmed(chat: Chat) -> None:
    """Nothing ran, nothing was drawn but text, and the page still takes what is typed."""
    assert await chat.page.evaluate("typeof window.pwned") == "undefined"
    foreign = chat.log.locator("script, img, iframe, style, form, input, object, embed, svg[onload], [onerror]")
    await expect(foreign).to_have_count(0)
    for target in await chat.log.get_by_role("link").evaluate_all("links => links.map((link) => link.href)"):
        assert re.match(r"https?://", target), target
    await chat.composer.fill("still here")
    await expect(chat.composer).to_have_value("still here")
    await chat.composer.fill("")


async def test_markup_is_text(chat: Chat, ollama: FakeOllama) -> None:
    text = "\n".join([*HTML, *LINKS])
    ollama.answer = in_pieces(text, 3)
    await chat.ask(HTML[0])
    answer = chat.finished("vbscript")
    await expect(answer).to_contain_text(HTML[0])
    shown = await answer.inner_text()
    assert [line for line in HTML if line not in shown] == []
    await unharmed(chat)


async def test_markup_in_names_of_files_personas_and_threads_is_text(
    chat: Chat, stage: Stage, channel: ChannelHandle
) -> None:
    evil = "<img src=x onerror=window.pwned=1>"
    stage.anna.say(channel, "With a file", attachments=[(f"{evil}.txt", b"<script>")])
    await expect(chat.messages.get_by_role("link", name=re.compile("onerror"))).to_be_visible()
    await chat.run("persona set", prompt=evil)
    await expect(chat.message("used /persona set")).to_be_visible()
    await chat.run("persona show")
    await expect(chat.message("used /persona show")).to_contain_text(evil)
    channel.thread(evil)
    await expect(chat.channels.get_by_role("button", name=evil)).to_be_visible()
    await expect(chat.channels.locator("img")).to_have_count(0)
    await unharmed(chat)


async def test_markdown_bombs_are_drawn_at_once(chat: Chat, stage: Stage, channel: ChannelHandle) -> None:
    for what, text in BOMBS.items():
        begun = time.monotonic()
        stage.anna.say(channel, text)
        stage.ben.say(channel, f"after {what}")
        await expect(chat.message(f"after {what}")).to_be_visible()
        assert time.monotonic() - begun < 3, what
        width, room = await chat.log.evaluate("log => [log.scrollWidth, log.clientWidth]")
        assert width <= room, what
    await unharmed(chat)


async def test_four_thousand_stars_from_the_model(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = ["*" * 50] * 80
    await chat.ask("Stars, please!")
    await expect(chat.finished().first).to_be_visible()
    stars = "".join(await chat.messages.locator(".content").all_text_contents())
    assert stars.count("*") == 4000
    await unharmed(chat)


async def test_text_from_right_to_left_stays_in_its_message(chat: Chat, stage: Stage, channel: ChannelHandle) -> None:
    stage.anna.say(channel, "שלום עולם, مرحبا بالعالم \u202e reversed \u202d\u2067 never closed")
    stage.ben.say(channel, "An ordinary message")
    ordinary = chat.message("An ordinary message")
    await expect(ordinary).to_be_visible()
    left = await ordinary.locator(".content").evaluate(
        "(e) => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect().left; }"
    )
    box = await ordinary.locator(".content").bounding_box()
    assert box
    assert left == pytest.approx(box["x"], abs=1)
    byline = await chat.message("reversed").locator(".byline").inner_text()
    assert byline.startswith("A")
    await unharmed(chat)


async def test_a_long_stream_does_not_block_the_page(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = [f"**bold {number}** `code` ||spoiler||\n" for number in range(200)]
    await chat.page.evaluate(
        """() => { window.slowest = 0; let last = performance.now();
        const tick = () => { const now = performance.now(); window.slowest = Math.max(window.slowest, now - last);
            last = now; setTimeout(tick, 0); }; tick(); }"""
    )
    await chat.ask("Much!")
    await expect(chat.finished("bold 199")).to_be_visible()
    # In milliseconds; a person notices what takes a tenth of a second, and this machine has other work as well.
    assert await chat.page.evaluate("window.slowest") < 1000
