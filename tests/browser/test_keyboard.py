"""Everything without a mouse: the focus is always somewhere, and one always sees where."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from playground.discord import ChannelHandle
from tests.browser.chat import NARROW, Chat
from tests.browser.conftest import OpenTab
from tests.fake_ollama import FakeOllama
from tests.wire.stage import Held

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]

# Where the focus is, and whether it is drawn: by the element itself, or by the row or box around a field.
FOCUS = """() => {
    const at = document.activeElement;
    const drawn = (one) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
    };
    const { left, right, top, bottom } = at.getBoundingClientRect();
    return {
        lost: at === document.body || at === document.documentElement,
        drawn: [at, at.parentElement, at.parentElement?.parentElement].filter(Boolean).some(drawn),
        seen: right > Math.max(left, 0) && left < innerWidth && bottom > Math.max(top, 0) && top < innerHeight,
        what: at.outerHTML.slice(0, 120),
    };
}"""


async def press(chat: Chat, *keys: str) -> None:
    """Press keys; after each the focus is somewhere, in view, and drawn."""
    for key in keys:
        await chat.keyboard.press(key)
        focus = await chat.page.evaluate(FOCUS)
        assert not focus["lost"], f"after {key}"
        assert focus["seen"], f"after {key}: {focus['what']}"
        assert focus["drawn"], f"after {key}: {focus['what']}"


async def until(chat: Chat, name: str, key: str = "Tab") -> None:
    """Go on with a key until something of this name has the focus."""
    for _ in range(60):
        focused = chat.page.locator(":focus")
        if await focused.count() and await focused.evaluate(
            "(e, name) => (e.getAttribute('aria-label') ?? e.innerText).trim() === name", name
        ):
            return
        await press(chat, key)
    pytest.fail(f"{key} never led to {name}")


async def test_asking_in_private_another_persona(chat: Chat, ollama: FakeOllama) -> None:
    await press(chat, "Tab")
    await expect(chat.page.get_by_role("link", name="Skip to the message box")).to_be_focused()
    await press(chat, "Enter")
    await expect(chat.composer).to_be_focused()
    await chat.keyboard.type("/as")
    await expect(chat.suggestions.first).to_have_attribute("aria-selected", "true")
    await press(chat, "Enter")
    await expect(chat.option("prompt")).to_be_focused()
    await chat.keyboard.type("Who is there?")
    await until(chat, "+ persona")
    await press(chat, "Enter")
    await expect(chat.option("persona")).to_be_focused()
    await chat.keyboard.type("comm")
    await expect(chat.suggestions).to_have_text(["commentator"])
    await press(chat, "Enter")
    await expect(chat.option("persona")).to_have_value("commentator")
    await until(chat, "+ private")
    await press(chat, "Enter")
    await expect(chat.option("private")).to_be_focused()
    await chat.keyboard.type("T")
    await until(chat, "Run")
    await press(chat, "Enter")
    answer = chat.finished("Hello there.")
    await expect(answer).to_contain_text("commentator")
    await expect(answer).to_contain_text("Only you can see this")
    await expect(chat.composer).to_be_focused()
    assert "sports" in ollama.prompts[-1][0][1]


async def test_choosing_a_persona_with_suggestions(chat: Chat) -> None:
    await chat.composer.focus()
    await chat.keyboard.type("/persona us")
    await press(chat, "Tab")
    await chat.keyboard.type("go")
    await expect(chat.suggestions).to_have_text(["google-it", "go-away"])
    await press(chat, "ArrowDown", "Enter", "Enter")
    await expect(chat.message("go-away")).to_be_visible()
    await press(chat, "Shift+Tab")


async def test_backspace_and_escape_step_out_of_a_command(chat: Chat) -> None:
    await chat.composer.focus()
    await chat.keyboard.type("/ask ")
    await press(chat, "Backspace")
    await expect(chat.composer).to_have_value("/ask")
    await expect(chat.suggestions.first).to_be_visible()
    await press(chat, "Escape")
    await expect(chat.suggestions).to_have_count(0)
    await press(chat, "Space")
    await expect(chat.option("prompt")).to_be_focused()
    await press(chat, "Escape")
    await expect(chat.composer).to_be_focused()
    await expect(chat.command_form).to_have_count(0)


async def test_escape_leaves_a_command_that_is_filled_in_and_keeps_it(chat: Chat) -> None:
    await chat.composer.focus()
    await chat.keyboard.type("/ask Why?")
    await press(chat, "Escape")
    await expect(chat.composer).to_be_focused()
    await expect(chat.command_form).to_have_count(0)
    await chat.page.get_by_role("button", name="Go on").click()
    await expect(chat.option("prompt")).to_have_value("Why?")


async def test_confirming_that_all_is_forgotten(chat: Chat) -> None:
    await chat.ask("Remember me")
    await expect(chat.finished("Hello there.")).to_be_visible()
    await chat.composer.focus()
    await chat.keyboard.type("/history cl")
    await press(chat, "Enter", "Enter")
    await expect(chat.button("Forget everything")).to_be_visible()
    await press(chat, "Shift+Tab")
    await until(chat, "Forget everything", "Shift+Tab")
    await press(chat, "Enter")
    await expect(chat.button("Forget everything")).to_have_count(0)
    focus = await chat.page.evaluate(FOCUS)
    assert not focus["lost"]
    await press(chat, "Tab")
    await chat.run("history show")
    await expect(chat.messages.last).to_contain_text(re.compile("nothing|empty|no ", re.IGNORECASE))


async def test_editing_a_persona_in_its_window(chat: Chat) -> None:
    await chat.run("persona save", name="poet", prompt="You write poems.")
    await expect(chat.message("saved as version 1")).to_be_visible()
    await chat.composer.focus()
    await chat.keyboard.type("/persona edit ")
    await expect(chat.option("name")).to_be_focused()
    await chat.keyboard.type("poet")
    await press(chat, "Enter")
    window = chat.page.get_by_role("dialog", name="Edit poet")
    field = window.get_by_label("System prompt")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("You write poems.")
    await press(chat, "Control+End")
    await chat.keyboard.type(" They rhyme.")
    await until(chat, "Submit")
    await press(chat, "Enter")
    await expect(window).to_have_count(0)
    await expect(chat.message("saved as version 2")).to_be_visible()
    await expect(chat.composer).to_be_focused()


async def test_a_window_is_left_with_escape(chat: Chat) -> None:
    await chat.run("persona save", name="singer", prompt="You sing.")
    await expect(chat.message("saved as version 1")).to_be_visible()
    await chat.run("persona edit", name="singer")
    await expect(chat.page.get_by_role("dialog", name="Edit singer")).to_be_visible()
    await press(chat, "Escape")
    await expect(chat.page.get_by_role("dialog")).to_have_count(0)
    await expect(chat.composer).to_be_focused()


async def test_messages_are_read_and_used(chat: Chat) -> None:
    for text in ("first", "second", "third"):
        await chat.say(text)
        await expect(chat.message(text)).to_be_visible()
    await press(chat, "Shift+Tab", "Shift+Tab")
    await expect(chat.message("third")).to_be_focused()
    await press(chat, "Tab", "Escape")
    await expect(chat.message("third")).to_be_focused()
    await press(chat, "ArrowUp", "ArrowUp")
    await expect(chat.message("first")).to_be_focused()
    await press(chat, "ArrowDown")
    await until(chat, "Edit")
    await press(chat, "Enter")
    await expect(chat.composer).to_have_value("second")
    await press(chat, "Escape")
    await expect(chat.composer).to_have_value("")
    await press(chat, "Shift+Tab", "Shift+Tab")
    await expect(chat.message("second")).to_be_focused()
    await until(chat, "Delete")
    await press(chat, "Enter")
    await expect(chat.messages).to_have_count(2)
    focus = await chat.page.evaluate(FOCUS)
    assert not focus["lost"]


async def test_the_menu_of_a_message_keeps_the_focus(chat: Chat) -> None:
    await chat.ask("Say it")
    answer = chat.finished("Hello there.")
    await expect(answer).to_be_visible()
    # The button for files, then the answer's own three.
    await press(chat, *["Shift+Tab"] * 5)
    await expect(answer).to_be_focused()
    await until(chat, "Apps")
    await press(chat, "Enter")
    await expect(chat.button("Save answer as file")).to_be_focused()
    await press(chat, "Escape")
    await expect(answer).to_be_focused()
    await until(chat, "Apps")
    await press(chat, "Enter", "Enter")
    await expect(chat.log.get_by_role("link", name=re.compile("answer.md"))).to_be_visible()
    assert not (await chat.page.evaluate(FOCUS))["lost"]


async def test_panel_and_channels(chat: Chat, channel: ChannelHandle) -> None:
    await until(chat, "What goes on")
    await press(chat, "Enter")
    await expect(chat.panel).to_be_visible()
    await until(chat, "Close")
    await press(chat, "Enter")
    await expect(chat.panel).to_be_hidden()
    await expect(chat.button("What goes on")).to_be_focused()
    await until(chat, "random", "Shift+Tab")
    await press(chat, "Enter")
    await expect(chat.page.get_by_role("heading", level=2, name="random")).to_be_visible()
    await expect(chat.channels.get_by_role("button", name="random")).to_be_focused()
    await until(chat, channel.model.name)
    await press(chat, "Space")
    await expect(chat.page.get_by_role("heading", level=2, name=channel.model.name)).to_be_visible()


async def test_the_drawer_of_a_narrow_window(open_tab: OpenTab) -> None:
    chat = await open_tab(viewport=NARROW, reduced_motion="reduce")
    await expect(chat.channels).to_be_hidden()
    await until(chat, "Channels and users")
    await press(chat, "Enter")
    await expect(chat.channels.get_by_role("button", name="general")).to_be_focused()
    await press(chat, "Escape")
    await expect(chat.channels).to_be_hidden()
    await expect(chat.button("Channels and users")).to_be_focused()


async def test_the_focus_stays_while_an_answer_grows_around_it(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = ["```python\nprint(1)\n```\n", "And ", "so ", "on."]
    held = Held(ollama, before=2)
    await chat.ask("Show me code!")
    copy = chat.message("And").get_by_role("button", name="Copy")
    await copy.focus()
    held.go_on()
    await expect(chat.finished("so on.")).to_be_visible()
    await expect(copy).to_be_focused()
