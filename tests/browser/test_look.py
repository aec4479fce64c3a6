"""How the page looks and what it tells screen readers: names, contrasts, motion, and windows of any width."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from playwright.async_api import expect

from playground.discord import ChannelHandle
from tests.browser.chat import NARROW, Chat
from tests.browser.conftest import OpenTab
from tests.browser.stage import Stage
from tests.fake_ollama import FakeOllama

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]

EVERYTHING = (
    "# Heading\n**bold** and `code` and <@{anna}> and [a link](https://good.example) and ||hidden||\n"
    "> quoted\n- item\n-# small print\n```python\nprint('wide ' * 40, 'wider ' * 40, 'widest ' * 40)\n```\n" + "W" * 200
)

# Text and what lies behind it, as WCAG 2 computes it; large text may have less. Returns what is too faint.
FAINT = r"""() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, bottom) => [0, 1, 2].map((i) => top[i] * top[3] + bottom[i] * (1 - top[3])).concat(1);
    const luminance = (c) => {
        const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        const layers = [];
        for (let one = element; one; one = one.parentElement) layers.push(rgba(getComputedStyle(one).backgroundColor));
        return layers.reverse().reduce((below, layer) => over(layer, below), rgba("Canvas"));
    };
    const texts = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.add(walker.currentNode.parentElement);
    const faint = [];
    for (const element of texts) {
        if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        if (element.closest(".visually-hidden, :disabled, .spoiler:not(.shown), option, .skip-link")) continue;
        const style = getComputedStyle(element);
        const ground = behind(element);
        const [light, dark] = [luminance(over(rgba(style.color), ground)), luminance(ground)].sort((a, b) => b - a);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const contrast = (light + 0.05) / (dark + 0.05);
        if (contrast < (large ? 3 : 4.5)) faint.push(`${contrast.toFixed(2)} ${element.outerHTML.slice(0, 90)}`);
    }
    return { faint, checked: texts.size };
}"""

# Elements and their pseudo-elements that move by themselves or glide from one state to another.
MOVING = """() => [...document.querySelectorAll("*")]
    .flatMap((element) => ["", "::before", "::after"].map((part) => getComputedStyle(element, part)))
    .filter((style) => style.animationName !== "none" || /[1-9]/.test(style.transitionDuration)).length"""


async def fill(chat: Chat, stage: Stage, channel: ChannelHandle) -> None:
    """Have everything on the page that it can show in a channel."""
    stage.anna.say(channel, EVERYTHING.format(anna=stage.anna.id), attachments=[("a file with a name.txt", b"text")])
    stage.ben.say(channel, f"<@{stage.anna.id}> look!")
    await chat.ask("Who is there?", private="True")
    await expect(chat.finished("Hello there.")).to_be_visible()
    await chat.run("privacy delete")
    await chat.do("Reply", chat.message("look!"))


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(
    open_tab: OpenTab, stage: Stage, channel: ChannelHandle, ollama: FakeOllama, theme: str
) -> None:
    chat = await open_tab(color_scheme=theme, reduced_motion="reduce")
    await fill(chat, stage, channel)
    await chat.button("What goes on").click()
    await expect(chat.panel).to_contain_text("tokens visible")
    seen = await chat.page.evaluate(FAINT)
    assert seen["checked"] > 50
    assert seen["faint"] == []
    await chat.button("Cancel the reply").click()
    await chat.begin("settings set", parameter="temperature", value="hot")
    assert (await chat.page.evaluate(FAINT))["faint"] == []
    await chat.button("Try this").click()
    assert (await chat.page.evaluate(FAINT))["faint"] == []


async def test_the_theme_is_remembered(chat: Chat) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    before = await chat.page.evaluate(ground)
    await chat.button("Change to the dark theme").click()
    await expect(chat.button("Change to the light theme")).to_be_visible()
    dark = await chat.page.evaluate(ground)
    assert dark != before
    await chat.page.reload()
    await expect(chat.button("Change to the light theme")).to_be_visible()
    assert await chat.page.evaluate(ground) == dark


async def test_every_control_has_a_name(chat: Chat, stage: Stage, channel: ChannelHandle, ollama: FakeOllama) -> None:
    await fill(chat, stage, channel)
    await chat.button("What goes on").click()
    await expect(chat.panel).to_contain_text("tokens visible")
    assert await nameless(chat) == []
    await chat.button("Cancel the reply").click()
    await chat.begin("ask", prompt="a", persona="b", private="True")
    await chat.page.get_by_role("button", name="+ file").click()
    assert await nameless(chat) == []
    await chat.button("Leave the command").click()
    await chat.run("persona save", name="painter", prompt="You paint.")
    await expect(chat.message("saved as version 1")).to_be_visible()
    await chat.run("persona edit", name="painter")
    await expect(chat.page.get_by_role("dialog")).to_be_visible()
    assert await nameless(chat) == []


async def nameless(chat: Chat) -> list[str]:
    """What a screen reader would only call by its kind."""
    session = await chat.page.context.new_cdp_session(chat.page)
    tree = await session.send("Accessibility.getFullAXTree")
    await session.detach()
    controls = {"button", "link", "textbox", "combobox", "checkbox", "listbox", "option", "meter", "dialog", "img"}
    return [
        str(node)
        for node in tree["nodes"]
        if not node["ignored"]
        and node.get("role", {}).get("value") in controls
        and not str(node.get("name", {}).get("value", "")).strip()
    ]


async def test_ids_are_unique_and_headings_in_order(
    chat: Chat, stage: Stage, channel: ChannelHandle, ollama: FakeOllama
) -> None:
    await fill(chat, stage, channel)
    ids = await chat.page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert sorted(ids) == sorted(set(ids))
    levels = await chat.page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((one) => Number(one.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert await chat.page.evaluate("document.documentElement.lang") == "en"


async def test_nothing_moves_for_whom_it_should_not(open_tab: OpenTab, ollama: FakeOllama) -> None:
    calm = await open_tab(viewport=NARROW, reduced_motion="reduce")
    lively = await open_tab(viewport=NARROW, reduced_motion="no-preference")
    await calm.ask("Who is there?")
    for chat in (calm, lively):
        await expect(chat.finished("Hello there.")).to_be_visible()
    assert await calm.page.evaluate(MOVING) == 0
    assert await lively.page.evaluate(MOVING) > 0


async def test_a_narrow_window_has_room_for_everything(
    open_tab: OpenTab, stage: Stage, channel: ChannelHandle, ollama: FakeOllama
) -> None:
    chat = await open_tab(viewport=NARROW, reduced_motion="reduce", has_touch=True)
    await fill(chat, stage, channel)
    await fits(chat)
    await chat.button("Cancel the reply").click()
    await chat.begin("ask", prompt="A question " * 40, persona="commentator")
    await fits(chat)
    await expect(chat.button("Run")).to_be_in_viewport()
    await chat.button("Leave the command").click()
    await chat.button("What goes on").click()
    await expect(chat.panel).to_contain_text("tokens visible")
    await fits(chat)
    await chat.panel.get_by_role("button", name="Close").click()
    await chat.button("Channels and users").click()
    await expect(chat.act_as).to_be_in_viewport()
    await fits(chat)
    await chat.channels.get_by_role("button", name="random").click()
    await expect(chat.channels).to_be_hidden()
    await expect(chat.page.get_by_role("heading", level=2, name="random")).to_be_visible()


async def fits(chat: Chat) -> None:
    """Nothing that one sees is wider than the window, unless it scrolls by itself as code does."""
    too_wide = await chat.page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((one) => one.checkVisibility({ visibilityProperty: true })
                && !one.closest("pre, svg, .sidebar:not(.open), .visually-hidden, .skip-link"))
            .filter((one) => {
                const { left, right } = one.getBoundingClientRect();
                return left < -1 || right > innerWidth + 1;
            })
            .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert too_wide == []
    assert await chat.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


async def test_a_low_window_still_has_a_composer(open_tab: OpenTab, ollama: FakeOllama) -> None:
    chat = await open_tab(viewport={"width": 640, "height": 360})
    await chat.ask("Who is there?")
    await expect(chat.finished("Hello there.")).to_be_in_viewport()
    await expect(chat.composer).to_be_in_viewport()
    await chat.begin("persona set", prompt="You are brief. " * 60)
    await expect(chat.button("Run")).to_be_in_viewport(ratio=1)


async def test_what_is_said_is_announced_once_and_whole(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = ["Green ", "parrots ", "live ", "there."]
    await chat.ask("Who lives in the jungle?")
    announcer = chat.page.get_by_role("status").filter(has_text=re.compile("^Llampost(:| begins)"))
    await expect(announcer).to_have_text(re.compile("^Llampost: .*Green parrots live there.", re.DOTALL))
    await expect(chat.log).to_have_attribute("aria-live", "off")
