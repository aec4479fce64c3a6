"""Asking, reading and answering with the mouse."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import FilePayload, expect

from playground.discord import ChannelHandle
from tests.browser.chat import Chat
from tests.fake_ollama import MODEL, FakeOllama
from tests.wire.stage import Held, in_pieces, numbered

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]

CODE = 'def greet():\n    print("<b>Hello</b> & \\"welcome\\"")\n\n    return ("*" * 3)'


async def test_an_answer_grows_in_one_message(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = numbered(60)
    held = Held(ollama, before=30)
    await chat.ask("Count!")
    answer = chat.message("w029")
    await expect(answer).to_contain_text("Writing…")
    await expect(answer).not_to_contain_text("w030")
    began = await answer.get_attribute("data-id")
    held.go_on()
    await expect(chat.finished("w059")).to_have_attribute("data-id", began or "")
    await expect(chat.messages.filter(has_text="w0")).to_have_count(1)
    await expect(answer).to_contain_text(f"{MODEL} · assistant")
    await expect(chat.composer).to_be_focused()


async def test_a_long_answer_goes_on_in_further_messages(chat: Chat, ollama: FakeOllama) -> None:
    ollama.answer = numbered(900)
    await chat.ask("Count further!")
    await expect(chat.finished("w899")).to_be_visible()
    texts = await chat.messages.locator(".paragraph").all_text_contents()
    assert await chat.messages.count() > 1
    assert re.findall(r"w\d{3}", " ".join(texts)) == [token.strip() for token in ollama.answer]
    await expect(chat.message("w899")).to_be_in_viewport()


async def test_the_newest_is_in_view_unless_one_reads_further_up(
    chat: Chat, ollama: FakeOllama, channel: ChannelHandle
) -> None:
    bot = f"<@{channel.discord.settings.bot_id}>"
    ollama.answer = [f"line {number}\n" for number in range(120)]
    held = Held(ollama, before=119)
    await chat.say(f"{bot} A long list!")
    await expect(chat.message("line 60")).to_be_visible()
    await chat.log.hover()
    await chat.page.mouse.wheel(0, -3000)
    await expect(chat.message("A long list!").first).to_be_in_viewport()
    held.go_on()
    await chat.button("New messages").click()
    await expect(chat.finished("line 119").last).to_be_in_viewport()
    await expect(chat.button("New messages")).to_be_hidden()


async def test_a_code_block_is_copied_as_it_was_written(chat: Chat, ollama: FakeOllama) -> None:
    await chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ollama.answer = in_pieces(f"Here:\n```python\n{CODE}\n```\nThat is all.", 5)
    await chat.ask("Show me code!")
    block = chat.finished("That is all.").get_by_role("figure")
    await expect(block).to_contain_text("python")
    await block.get_by_role("button", name="Copy").click()
    await expect(block.get_by_role("button")).to_have_text("Copied")
    assert await chat.page.evaluate("navigator.clipboard.readText()") == CODE


async def test_a_spoiler_is_read_only_after_a_click(chat: Chat) -> None:
    await chat.say("The murderer is ||the gardener||.")
    spoiler = chat.log.get_by_role("button", name=re.compile("spoiler", re.IGNORECASE))
    assert "the gardener" not in await chat.read_aloud()
    await spoiler.click()
    await expect(spoiler).to_have_count(0)
    assert "the gardener" in await chat.read_aloud()


async def test_a_reply_to_an_answer_is_a_question(chat: Chat, ollama: FakeOllama) -> None:
    await chat.ask("Who is there?")
    await expect(chat.finished("Hello there.")).to_be_visible()
    ollama.answer = ["Green ", "parrots."]
    await chat.do("Reply", chat.finished("Who is there?"))
    await expect(chat.page.get_by_text("Replying to Llampost")).to_be_visible()
    await chat.say("And in the jungle?")
    answer = chat.finished("Green parrots.")
    await expect(answer.get_by_role("button", name="Reply to Anna")).to_contain_text("And in the jungle?")
    assert ("assistant", "Hello there.") in ollama.prompts[-1]
    await expect(chat.page.get_by_text("Replying to Llampost")).to_be_hidden()


async def test_a_mention_is_completed_and_answered(chat: Chat) -> None:
    await chat.composer.press_sequentially("@llam")
    await chat.suggestions.get_by_text("@Llampost").click()
    await expect(chat.composer).to_have_value("@Llampost ")
    await chat.composer.press_sequentially("Are you well?")
    await chat.keyboard.press("Enter")
    await expect(chat.finished("Hello there.")).to_be_visible()


async def test_an_answer_that_is_deleted_ends(chat: Chat, ollama: FakeOllama) -> None:
    held = Held(ollama, before=1)
    await chat.ask("Never mind")
    await expect(chat.message("Hello")).to_contain_text("Writing…")
    await chat.do("Delete", chat.messages)
    await expect(chat.messages).to_have_count(0)
    await held.left()


async def test_ones_own_message_is_edited_and_deleted(chat: Chat) -> None:
    await chat.say("Good mornin")
    await chat.do("Edit", chat.message("Good mornin"))
    await expect(chat.composer).to_have_value("Good mornin")
    await chat.composer.press_sequentially("g")
    await chat.button("Save").click()
    await expect(chat.message(re.compile("Good morning"))).to_be_visible()
    await chat.do("Delete", chat.message("Good morning"))
    await expect(chat.messages).to_have_count(0)


async def test_a_thread_has_a_memory_of_its_own(chat: Chat, ollama: FakeOllama) -> None:
    await chat.ask("What is in the jungle?")
    await chat.do("Thread", chat.finished("Hello there."))
    await chat.page.get_by_label("Name of the thread").fill("jungle talk")
    await chat.button("Create").click()
    await expect(chat.page.get_by_role("heading", level=2, name="jungle talk")).to_be_visible()
    await chat.ask("And here?")
    await expect(chat.finished("And here?")).to_be_visible()
    assert [role for role, _ in ollama.prompts[-1]] == ["system", "user"]
    await chat.channels.get_by_role("button", name=re.compile("^a-thread-has")).click()
    await expect(chat.message("What is in the jungle?")).to_be_visible()


async def test_files_go_to_the_model_and_come_back(chat: Chat, ollama: FakeOllama, channel: ChannelHandle) -> None:
    async with chat.page.expect_file_chooser() as choosing:
        await chat.button("Attach files").click()
    await (await choosing.value).set_files(
        FilePayload(name="birds <1>.txt", mimeType="text/plain", buffer=b"A toucan.")
    )
    await expect(chat.page.get_by_role("list", name="Files to send")).to_contain_text("birds <1>.txt")
    await chat.say(f"<@{channel.discord.settings.bot_id}> What is in it?")
    await expect(chat.finished("Hello there.")).to_be_visible()
    assert "A toucan." in ollama.prompts[-1][-1][1]
    async with chat.page.expect_download() as downloading:
        await chat.message("What is in it?").get_by_role("link", name=re.compile("birds")).click()
    assert (await (await downloading.value).path()).read_bytes() == b"A toucan."


async def test_the_answer_is_taken_away_as_a_file_from_the_menu(chat: Chat) -> None:
    await chat.ask("Say it")
    await chat.do("Apps", chat.finished("Hello there."))
    await chat.button("Save answer as file").click()
    async with chat.page.expect_download() as downloading:
        await chat.log.get_by_role("link", name=re.compile("answer.md")).click()
    assert (await (await downloading.value).path()).read_text() == "Hello there."


async def test_what_the_bot_refuses_is_said_to_one_person_only(chat: Chat) -> None:
    await chat.run("persona use", name="nobody at all")
    await expect(chat.message(re.compile("nobody at all"))).to_contain_text("Only you can see this")


async def test_a_message_that_is_too_long_is_not_sent_and_not_lost(chat: Chat) -> None:
    await chat.say("word " * 401)
    await expect(chat.notice).to_contain_text("A message takes up to 2,000 characters, and these are 2,004.")
    await expect(chat.composer).to_have_value("word " * 401)
    await expect(chat.messages).to_have_count(0)
