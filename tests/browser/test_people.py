"""What different people see and may do, in tabs of their own."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from playground.discord import ChannelHandle, Permission
from tests.browser.chat import Chat
from tests.browser.conftest import OpenTab
from tests.browser.stage import Stage
from tests.fake_ollama import FakeOllama

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="session")]


async def test_a_private_answer_is_seen_by_one_person_only(
    chat: Chat, open_tab: OpenTab, stage: Stage, ollama: FakeOllama
) -> None:
    ben = await open_tab(stage.ben)
    second = await open_tab(beside=chat)
    ollama.answer = ["A ", "secret."]
    await chat.ask("Whisper!", private="True")
    for tab in (chat, second):
        await expect(tab.finished("A secret.")).to_contain_text("Only you can see this")
    await ben.say("I see nothing.")
    for tab in (chat, second):
        await expect(tab.message("I see nothing.")).to_be_visible()
    await expect(ben.messages).to_have_count(1)
    await chat.button("Dismiss message").click()
    await expect(chat.message("A secret.")).to_have_count(0)


async def test_an_edit_appears_in_all_tabs(chat: Chat, open_tab: OpenTab, stage: Stage) -> None:
    others = [await open_tab(stage.ben), await open_tab(beside=chat)]
    await chat.say("Lunch at noon")
    for tab in others:
        await expect(tab.message("Lunch at noon")).to_be_visible()
    await chat.do("Edit", chat.message("Lunch at noon"))
    await chat.composer.fill("Lunch at one")
    await chat.keyboard.press("Enter")
    for tab in [chat, *others]:
        await expect(tab.message("Lunch at one")).to_be_visible()
        await expect(tab.messages).to_have_count(1)
    await expect(others[0].messages).to_have_class(re.compile("edited"))


async def test_an_answer_grows_for_everybody(chat: Chat, open_tab: OpenTab, stage: Stage) -> None:
    cleo = await open_tab(stage.cleo)
    await chat.ask("Who is there?")
    for tab in (chat, cleo):
        await expect(tab.finished("Who is there?")).to_contain_text("Hello there.")


async def test_who_may_not_manage_channels_is_told_so(chat: Chat) -> None:
    await chat.become("Cleo")
    await chat.run("persona use", name="commentator")
    refusal = chat.message("For this you need the permission “Manage Channels” in this server.")
    await expect(refusal).to_contain_text("Only you can see this")
    await chat.become("Ben")
    await expect(chat.messages).to_have_count(0)


async def test_the_composer_says_why_one_may_not_write(
    chat: Chat, open_tab: OpenTab, stage: Stage, channel: ChannelHandle
) -> None:
    cleo = await open_tab(stage.cleo)
    await expect(cleo.composer).to_be_enabled()
    channel.overwrite(stage.cleo, deny=int(Permission.SEND_MESSAGES))
    await expect(cleo.composer).to_be_disabled()
    await expect(cleo.composer).to_have_accessible_description("Cleo may not write here.")
    await expect(cleo.button("Attach files")).to_be_disabled()
    await expect(chat.composer).to_be_enabled()
    channel.overwrite(stage.cleo)
    await expect(cleo.composer).to_be_enabled()


async def test_a_channel_that_one_may_not_see_is_not_there(
    chat: Chat, open_tab: OpenTab, stage: Stage, channel: ChannelHandle
) -> None:
    cleo = await open_tab(stage.cleo)
    await chat.say("Only for some")
    await expect(cleo.message("Only for some")).to_be_visible()
    channel.overwrite(stage.cleo, deny=int(Permission.VIEW_CHANNEL))
    await expect(cleo.page.get_by_role("heading", level=2, name="general", exact=True)).to_be_visible()
    await expect(cleo.message("Only for some")).to_have_count(0)
    assert "Only for some" not in await cleo.read_aloud()


async def test_whom_one_acts_as_is_kept_by_a_reload(chat: Chat) -> None:
    await chat.become("Ben")
    await chat.say("Ben was here")
    await expect(chat.message("Ben was here").locator(".author")).to_have_text("Ben")
    await chat.page.reload()
    await expect(chat.act_as.locator("option:checked")).to_have_text(re.compile("^Ben"))
    await expect(chat.message("Ben was here")).to_be_visible()


async def test_a_mention_in_another_channel_is_marked(chat: Chat, stage: Stage, channel: ChannelHandle) -> None:
    await chat.channels.get_by_role("button", name="random").click()
    stage.ben.say(channel, f"<@{stage.anna.id}> look!")
    marked = chat.channels.get_by_role("button", name=re.compile(f"^{channel.model.name}.*mention"))
    await marked.click()
    await expect(chat.message("look!")).to_have_class(re.compile("pings-me"))
    await expect(chat.channels.get_by_role("button", name=channel.model.name, exact=True)).to_be_visible()


async def test_a_direct_message_is_for_two(chat: Chat, open_tab: OpenTab, stage: Stage) -> None:
    ben = await open_tab(stage.ben)
    await chat.channels.get_by_role("button", name="Llampost").click()
    await chat.say("Just between us")
    await expect(chat.finished("Hello there.")).to_be_visible()
    await ben.channels.get_by_role("button", name="Llampost").click()
    await expect(ben.page.get_by_text("This is your conversation with Llampost alone.")).to_be_visible()
    await expect(ben.messages).to_have_count(0)
