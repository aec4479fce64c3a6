"""A newcomer's walk: the demo as it is started by `make demo`, with the model that comes with it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from playground.model.download import DownloadError, model_file
from tests.browser.chat import Chat, Troubles
from tests.playground.test_demo import running, stop

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]


QUESTION = "Tell me a long story about a lighthouse."


@pytest_asyncio.fixture(loop_scope="session")
async def gguf() -> Path:
    """The model's file; without it the test is skipped, or fails where LLAMPOST_LIVE=required."""
    try:
        return await model_file()
    except DownloadError as error:
        if os.environ.get("LLAMPOST_LIVE") == "required":
            pytest.fail(f"LLAMPOST_LIVE=required, but: {error}")
        pytest.skip(str(error))


@pytest_asyncio.fixture(loop_scope="session")
async def chat(browser: Browser) -> AsyncIterator[Chat]:
    """A tab that has nothing open yet."""
    context = await browser.new_context()
    page = await context.new_page()
    yield Chat(page, Troubles(context, ""))
    await context.close()


async def test_a_newcomers_walk(chat: Chat, gguf: Path, tmp_path: Path) -> None:
    arguments = ("--model-file", str(gguf))
    async with running(tmp_path, *arguments) as demo:
        url = (await demo.opened()).url
        troubles = Troubles(chat.page.context, url)
        await chat.page.goto(url)
        await ask_and_watch(chat)
        await let_the_commentator_answer(chat)
        await set_the_temperature(chat)
        troubles.allow("net::ERR_")
        await stop(demo)
        await expect(chat.page.get_by_text("Connection lost, trying again…")).to_be_visible()
    # As in Discord, what only one person saw is not kept.
    kept = chat.messages.filter(has_not_text="Only you can see this")
    before = await kept.all_inner_texts()
    port = url.split(":")[2].split("/")[0]
    async with running(tmp_path, *arguments, "--port", port) as demo:
        assert (await demo.opened()).url == url
        await expect(chat.page.get_by_text("Connection lost, trying again…")).to_be_hidden()
        assert await kept.all_inner_texts() == before
        await chat.run("history show")
        await expect(chat.message("used /history show")).to_contain_text(QUESTION)
        await stop(demo)
    assert troubles.found == []


async def ask_and_watch(chat: Chat) -> None:
    """See what the first thing to try is, ask for a story of some length, and see it grow."""
    await chat.log.get_by_role("button", name=re.compile("^1?Ask something")).click()
    await expect(chat.option("prompt")).to_have_value("What is the capital of Poland?")
    seen: set[str] = set()

    def see(text: str) -> None:
        seen.add(text)

    await chat.page.expose_function("seen", see)
    await chat.page.evaluate(
        """() => new MutationObserver(() => {
            const content = [...document.querySelectorAll("#messages article .content")].at(-1);
            if (content) window.seen(content.textContent);
        }).observe(document.querySelector("#messages"), { subtree: true, childList: true, characterData: true })"""
    )
    await chat.button("Leave the command").click()
    await chat.run("settings set", parameter="num_predict", value="80")
    await expect(chat.message("used /settings set")).to_contain_text("num_predict")
    await chat.begin("ask", prompt=QUESTION)
    await chat.keyboard.press("Enter")
    await expect(chat.finished(QUESTION)).to_contain_text("assistant")
    growing = {text for text in seen if "assistant" not in text and "Writing…" in text}
    assert len(growing) >= 2, seen


async def let_the_commentator_answer(chat: Chat) -> None:
    """Change the persona by typing, and ask again."""
    await chat.composer.press_sequentially("/persona use ")
    await chat.keyboard.type("comm")
    await expect(chat.suggestions).to_have_text(["commentator"])
    await chat.keyboard.press("Enter")
    await chat.keyboard.press("Enter")
    await expect(chat.message("used /persona use")).to_contain_text("commentator")
    await chat.ask("And then?")
    answer = chat.finished("And then?")
    await expect(answer.locator(".subtext").last).to_contain_text("commentator")


async def set_the_temperature(chat: Chat) -> None:
    """Set a parameter, and see what is in force."""
    await chat.run("settings set", parameter="temperature", value="0")
    await expect(chat.message("used /settings set").last).to_contain_text("temperature")
    await chat.run("settings show")
    shown = chat.message("used /settings show").locator(".content")
    await expect(shown).to_contain_text(re.compile(r"temperature\D*\b0\b"))
