"""How answers look in Discord: one bot, many questions, each in a channel of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from playground.discord import USUAL, Intent, Permission, Settings
from playground.transcript import is_status
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, answer, frames, is_finished, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

FOOTER = f"-# {MODEL} · assistant"

CODE = [f"print({number})  # line {number:03}" for number in range(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot():
        yield stage
        assert stage.discord.rate_limit_hits == 0
        assert stage.discord.unknown_routes == []
        assert stage.discord.invalid_requests == 0


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """The shared stage with a fresh channel, an empty call log, and an Ollama that answers as it always does."""
    shared.ollama.answer = ["Hello ", "there."]
    shared.ollama.between = None
    shared.ollama.ending = {"done_reason": "stop"}
    return replace(shared, channel=shared.guild.add_channel("talk"))


def shown_one_by_one(stage: Stage, words: list[str]) -> None:
    """Let the model write each word when Discord shows the one before."""
    stage.ollama.answer = words

    def between(index: int) -> Coroutine[Any, Any, object] | None:
        return stage.said(stage.channel, shows(words[index - 1].strip())) if index else None

    stage.ollama.between = between


def lines_of_code(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("print(")]


async def test_an_answer_grows_by_edits_of_one_message(stage: Stage) -> None:
    words = [f"word{number} " for number in range(6)]
    shown_one_by_one(stage, words)

    done = await answer(stage.ask("Count, please"))

    assert done.content == f"-# Anna asked: Count, please\n{''.join(words).strip()}\n{FOOTER}"
    assert [message.id for message in stage.channel.messages()] == [done.id]
    *growing, _ = states = frames(stage.discord, done.id)
    assert len(states) >= len(words)
    assert all(is_status(state.splitlines()[-1]) for state in growing)
    bodies = [state.rpartition("\n")[0] for state in states if "word0" in state]
    assert all(later.startswith(earlier) for earlier, later in pairwise(bodies))


async def test_a_mention_is_answered_by_edits_of_one_reply(stage: Stage) -> None:
    words = [f"word{number} " for number in range(4)]
    shown_one_by_one(stage, words)
    question = stage.mention("Count, please")

    done = await stage.reply_to(question)

    assert done.content == f"{''.join(words).strip()}\n{FOOTER}"
    assert [message.id for message in stage.channel.messages()] == [question.id, done.id]
    assert (await stage.reply_to(question, lambda _: True)).pings.users == {stage.anna.id}
    assert stage.ollama.prompts[-1] == [("system", "You are a helpful assistant."), ("user", "Count, please")]


async def test_a_reply_goes_on_with_the_conversation(stage: Stage) -> None:
    first = await stage.reply_to(stage.mention("Hi"))

    second = await stage.reply_to(stage.anna.say(stage.channel, "And then?", reply_to=first))

    assert second.content == f"Hello there.\n{FOOTER}"
    assert stage.ollama.prompts[-1][1:] == [("user", "Hi"), ("assistant", "Hello there."), ("user", "And then?")]


async def test_a_direct_message_needs_no_mention(stage: Stage) -> None:
    question = stage.anna.say(stage.anna.dm, "Hi")

    done = await stage.reply_to(question)

    assert done.channel_id == stage.anna.dm.id
    assert done.content == f"Hello there.\n{FOOTER}"


async def test_a_thread_has_a_conversation_of_its_own(stage: Stage) -> None:
    await answer(stage.ask("In the channel"))
    thread = stage.channel.thread("aside")

    mentioned = await stage.reply_to(stage.anna.say(thread, "In the thread", mention_bot=True))
    asked = await answer(stage.anna.slash(thread, "ask", prompt="Again"))

    assert {mentioned.channel_id, asked.channel_id} == {thread.id}
    said = [content for role, content in stage.ollama.prompts[-1] if role == "user"]
    assert said == ["In the thread", "Again"]


async def test_other_messages_are_left_alone(stage: Stage) -> None:
    before = len(stage.ollama.asked)
    stage.anna.say(stage.channel, "Not for you")

    await stage.reply_to(stage.mention("For you"))

    assert len(stage.ollama.asked) == before + 1
    assert len(stage.channel.messages()) == 3


@pytest.mark.parametrize("by_mention", [False, True])
async def test_a_long_answer_fills_several_messages(stage: Stage, by_mention: bool) -> None:
    text = "\n".join(["Here is the code:", "", "```python", *CODE, "```", "", "That was **all** of it."])
    stage.ollama.answer = [text[at : at + 7] for at in range(0, len(text), 7)]

    if by_mention:
        stage.mention("Code!")
    else:
        stage.ask("Code!")
    await stage.said(stage.channel, is_finished)

    pages = [message for message in stage.channel.messages() if message.author_id == stage.discord.settings.bot_id]
    texts = [page.content for page in pages]
    assert len(texts) > 2
    assert all(len(text) <= 2000 and text.count("```") == 2 for text in texts[:-1])
    assert all("```python\n" in text for text in texts[:-1])
    assert [line for text in texts for line in lines_of_code(text)] == CODE
    assert texts[-1].endswith(f"That was **all** of it.\n{FOOTER}")
    assert not any("Writing" in text for text in texts)
    # Only the first message tells anybody that it is there.
    assert not any(page.pings for page in pages[1:])


async def test_a_private_answer_is_seen_by_one_person_and_forgotten(stage: Stage) -> None:
    stage.ollama.answer = [f"{number:04} " for number in range(600)]

    asked = stage.ask("Between us", private=True)
    await stage.discord.wait_for(
        lambda event: event.message and event.message.interaction_id == asked.id and is_finished(event.message),
        timeout=PATIENCE,
    )

    assert asked.original.ephemeral
    assert len(asked.followups) == 1
    assert all(page.ephemeral for page in asked.followups)
    assert stage.channel.messages() == []
    await answer(stage.ask("Aloud"))
    assert [content for role, content in stage.ollama.prompts[-1] if role == "user"] == ["Aloud"]


async def test_two_channels_are_answered_at_once(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    other = stage.guild.add_channel("other")
    first, second = stage.ask("Here"), stage.anna.slash(other, "ask", prompt="There")

    await held.reached()
    await held.reached()
    await asyncio.gather(first.message(shows("Hello")), second.message(shows("Hello")))
    held.go_on()

    assert {(await answer(asked)).channel_id for asked in (first, second)} == {stage.channel.id, other.id}


async def test_a_second_question_in_a_channel_waits_for_the_first(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    first = stage.ask("First")
    await held.reached()
    second = stage.ask("Second")

    await second.message(shows("-# Waiting: one other answer comes first"))
    assert [content for role, content in stage.ollama.prompts[-1] if role == "user"] == ["First"]
    held.go_on()

    await answer(first)
    await answer(second)
    said = [content for role, content in stage.ollama.prompts[-1] if role == "user"]
    assert said == ["First", "Second"]


async def test_a_cut_off_answer_says_how_to_allow_more(stage: Stage) -> None:
    stage.ollama.ending = {"done_reason": "length"}

    done = await answer(stage.ask("Go on for ever"))

    assert done.content.endswith(
        f"{FOOTER} · cut off at the token limit of 1024; Continue goes on, "
        "`/settings set parameter:num_predict value:2048` allows more"
    )


async def test_nobody_is_pinged_by_what_a_model_writes(stage: Stage) -> None:
    role = stage.guild.add_role("Team", mentionable=True)
    stage.ollama.answer = [f"@everyone @here {stage.anna.mention} ", f"<@&{role.id}> ", "https://example.com/"]

    asked = await answer(stage.ask("Wake everybody"))
    replied = await stage.reply_to(stage.mention("Wake everybody"))

    assert "@everyone" in asked.content
    assert "@everyone" in replied.content
    assert not asked.pings
    assert not replied.pings
    assert asked.suppresses_embeds
    assert replied.suppresses_embeds


async def test_a_model_that_says_nothing_is_reported(stage: Stage) -> None:
    stage.ollama.answer = []

    done = await answer(stage.ask("Say nothing"))

    assert "The model said nothing." in done.content


async def test_every_message_is_for_a_bot_that_reads_all_if_it_may(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(privileged_intents=Intent.MESSAGE_CONTENT)
    folder = tmp_path_factory.mktemp("intent")
    async with staged(folder, settings) as stage, stage.bot(MESSAGE_CONTENT_INTENT="true"):
        first = await stage.reply_to(stage.mention("Hi"))
        second = stage.anna.say(stage.channel, "And then?", reply_to=first, ping_reply=False)

        assert (await stage.reply_to(second)).content == f"Hello there.\n{FOOTER}"


async def test_a_reply_without_its_ping_and_without_the_intent_cannot_be_read(stage: Stage) -> None:
    first = await stage.reply_to(stage.mention("Hi"))

    question = stage.anna.say(stage.channel, "And then?", reply_to=first, ping_reply=False)

    assert "switch its ping on" in (await stage.reply_to(question, lambda message: message.content)).content


async def test_a_channel_where_the_bot_may_not_write_is_answered_by_direct_message(stage: Stage) -> None:
    bernd = stage.guild.add_member("Bernd")
    stage.channel.deny_bot(Permission.SEND_MESSAGES)
    bernd.say(stage.channel, "Hi", mention_bot=True)

    told = await stage.said(bernd.dm, lambda message: message.content)

    assert "“Send Messages”" in told.content
    assert USUAL & Permission.SEND_MESSAGES
