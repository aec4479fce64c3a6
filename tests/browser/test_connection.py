"""The page when something breaks: it is reloaded, its server goes away, or the bot does."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from playground.discord import ChannelHandle
from tests.browser.chat import Chat
from tests.browser.conftest import OpenTab
from tests.browser.stage import Stage
from tests.fake_ollama import FakeOllama
from tests.wire.stage import Held, numbered

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]

LOST = "Connection lost, trying again…"
REFUSED = "net::ERR_"


async def test_a_reload_in_the_middle_of_an_answer_goes_on(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = numbered(40)
    held = Held(ollama, before=20)
    await chat.ask("Count!")
    await expect(chat.message("w019")).to_be_visible()
    await chat.composer.fill("half a thought")
    await chat.page.reload()
    await expect(chat.message("w019")).to_contain_text("Writing…")
    await expect(chat.composer).to_have_value("half a thought")
    held.go_on()
    await expect(chat.finished("w039")).to_be_visible()
    await expect(chat.messages.filter(has_text="w0")).to_have_count(1)


async def test_a_server_that_goes_away_and_comes_back(
    chat: Chat, stage: Stage, ollama: FakeOllama, channel: ChannelHandle
) -> None:
    chat.troubles.allow(REFUSED)
    ollama.answer = numbered(40)
    held = Held(ollama, before=20)
    await chat.say("Before")
    await chat.ask("Count!")
    await expect(chat.message("w019")).to_be_visible()
    await stage.close_page()
    await expect(chat.page.get_by_text(LOST)).to_be_visible()
    await chat.say("Into the void")
    await expect(chat.notice).to_contain_text("The playground cannot be reached.")
    await expect(chat.composer).to_have_value("Into the void")
    stage.ben.say(channel, "Meanwhile")
    held.go_on()
    await stage.open_page()
    await expect(chat.finished("w039")).to_be_visible()
    await expect(chat.page.get_by_text(LOST)).to_be_hidden()
    await expect(chat.message("Meanwhile")).to_be_visible()
    await chat.keyboard.press("Enter")
    await expect(chat.message("Into the void")).to_be_visible()
    authors = await chat.messages.locator(".author").all_text_contents()
    assert authors == ["Anna", "Llampost", "Ben", "Anna"]


async def test_all_tabs_come_back_with_their_server(chat: Chat, open_tab: OpenTab, stage: Stage) -> None:
    second = await open_tab(beside=chat)
    for tab in (chat, second):
        tab.troubles.allow(REFUSED)
    await stage.close_page()
    for tab in (chat, second):
        await expect(tab.page.get_by_text(LOST)).to_be_visible()
    await stage.open_page()
    await chat.say("Both are back")
    for tab in (chat, second):
        await expect(tab.message("Both are back")).to_have_count(1)


async def test_the_bot_is_restarted_from_its_card(chat: Chat) -> None:
    await chat.ask("Before")
    await expect(chat.finished("Before")).to_be_visible()
    card = chat.page.get_by_role("region", name="The bot")
    await card.get_by_role("button", name="Restart").click()
    await expect(card).to_contain_text("starting…")
    await expect(card).to_contain_text("running")
    await expect(card.get_by_role("button", name="Restart")).to_be_enabled()
    await chat.run("history show")
    await expect(chat.message("used /history show")).to_contain_text("Before")


async def test_a_bot_that_crashes_in_the_middle_of_an_answer_mends_it(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = numbered(40)
    held = Held(ollama, before=20)
    await chat.ask("Count!")
    await expect(chat.message("w019")).to_be_visible()
    card = chat.page.get_by_role("region", name="The bot")
    await card.get_by_role("button", name="Crash").click()
    await expect(card).to_contain_text("crashed")
    await chat.run("ask", prompt="Anybody there?")
    await expect(chat.notice).to_contain_text("Llampost did not respond.")
    await expect(chat.button("Try again")).to_be_visible()
    await expect(card).to_contain_text("running")
    await expect(chat.message("w019")).to_contain_text("nterrupted")
    held.go_on()
    await chat.button("Try again").click()
    await expect(chat.option("prompt")).to_have_value("Anybody there?")
    await chat.button("Run").click()
    await expect(chat.finished("Anybody there?")).to_contain_text("w039")


async def test_a_bot_that_loses_its_line_goes_on_with_its_answer(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = numbered(40)
    held = Held(ollama, before=20)
    await chat.ask("Count!")
    await expect(chat.message("w019")).to_be_visible()
    card = chat.page.get_by_role("region", name="The bot")
    await chat.button("Cut connection").click()
    await expect(chat.notice).to_contain_text("connection to Discord was cut")
    held.go_on()
    await expect(card).to_contain_text("running")
    await expect(chat.finished("w039")).to_be_visible()
    await chat.ask("And again?")
    await expect(chat.finished("And again?")).to_be_visible()
