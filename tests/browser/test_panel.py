"""The aside "What goes on": what the model wrote and got, and what Discord still allows."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.fake_ollama import MODEL, FakeOllama
from tests.wire.stage import Held, numbered

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]


async def test_tokens_are_counted_while_an_answer_grows(chat: Chat, ollama: FakeOllama) -> None:
    await chat.button("What goes on").click()
    ollama.answer = numbered(60)
    held = Held(ollama, before=30)
    await chat.ask("Count!")
    answer = chat.panel.get_by_role("listitem").filter(has_text="Count!")
    await expect(answer).to_contain_text("Writing")
    await expect(answer).to_contain_text("30 of 30 tokens visible")
    held.go_on()
    await expect(answer).to_contain_text("Done")
    await expect(answer).to_contain_text("60 of 60 tokens visible")
    await expect(answer).to_contain_text(re.compile(r"first token after .*tokens read"))


async def test_an_answer_that_gave_way_to_another_version_is_said_to_be_gone(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = numbered(60)
    await chat.ask("Count anew!")
    await expect(chat.finished("Count anew!")).to_be_visible()
    await chat.button("What goes on").click()
    ollama.answer = ["Something ", "else."]
    await chat.button("Regenerate").click()
    answers = chat.panel.get_by_role("listitem").filter(has_text="Count anew!")
    await expect(answers.first).to_contain_text("2 of 2 tokens visible")
    await expect(answers.last).to_contain_text("60 tokens generated")


async def test_buckets_and_calls_are_shown(chat: Chat) -> None:
    await chat.button("What goes on").click()
    await chat.ask("Who is there?")
    bucket = chat.panel.get_by_role("listitem").filter(has_text="an interaction of /ask").first
    await expect(bucket).to_contain_text(re.compile(r"\d of 5 calls left"))
    await expect(bucket.get_by_role("meter")).to_be_visible()
    await expect(chat.panel).to_contain_text("No call refused because of a limit")
    await expect(chat.panel.get_by_role("row").nth(1)).to_contain_text(re.compile(r"(200|204)\s*\d+ ms"))


async def test_the_prompt_is_shown_as_the_model_got_it(chat: Chat) -> None:
    await chat.run("persona set", prompt="You are a <b>pirate</b>.")
    await chat.ask("What do you get?")
    await expect(chat.finished("What do you get?")).to_be_visible()
    await chat.button("What goes on").click()
    answer = chat.panel.get_by_role("listitem").filter(has_text="What do you get?").first
    await answer.get_by_role("button", name=re.compile("^Prompt")).click()
    window = chat.page.get_by_role("dialog", name="What the model got")
    await expect(window.get_by_role("listitem")).to_have_count(2)
    await expect(window.get_by_role("listitem").first).to_contain_text("You are a <b>pirate</b>.")
    await expect(window.get_by_role("listitem").last).to_contain_text("What do you get?")
    await expect(window).to_contain_text(MODEL)
    await expect(window).to_contain_text("Hello there.")
    await chat.keyboard.press("Escape")
    await expect(window).to_have_count(0)
    await expect(answer.get_by_role("button", name=re.compile("^Prompt"))).to_be_focused()


async def test_the_panel_stays_as_it_was_left(chat: Chat) -> None:
    await expect(chat.panel).to_be_hidden()
    await chat.button("What goes on").click()
    await chat.page.reload()
    await expect(chat.panel).to_be_visible()
    await expect(chat.panel.get_by_role("table")).to_be_visible()
    await chat.panel.get_by_role("button", name="Close").click()
    await chat.page.reload()
    await expect(chat.composer).to_be_visible()
    await expect(chat.panel).to_be_hidden()
