"""What a bot leaves behind that dies or is stopped while Discord is in trouble too, and what its next start mends."""

from __future__ import annotations

import asyncio
import os
import signal
from time import monotonic

import pytest

from playground.bot_process import BotProcess
from playground.discord import ChannelHandle, Message, errors
from tests.fake_ollama import MODEL

from .crashes import is_sound
from .stage import PATIENCE, Held, Stage, answer, numbered, pages, shows, stored

pytestmark = pytest.mark.wire

FOOTER = f"-# {MODEL} · assistant"
INTERRUPTED = "⚠️ Interrupted by a restart of the bot. Continue goes on from here, Regenerate begins anew."
SHUTDOWN_LIMIT = 10.0
NOTED = "open_answers JOIN messages ON messages.id = answer_id WHERE discord_id IS NOT NULL AND content != ''"
COMPLETE = "messages WHERE role = 'assistant' AND end_reason = 'complete'"


def refuse_all_edits(stage: Stage) -> None:
    """From now on Discord refuses all edits, each for a minute."""
    stage.discord.faults.rate_limit("PATCH", "/messages/", retry_after=60, times=1000)


def bots_messages(stage: Stage) -> dict[int, str]:
    """All that the bot has said anywhere, private answers included, by id."""
    channels = [ChannelHandle(stage.discord, channel) for channel in stage.discord.world.channels.values()]
    return {
        message.id: message.content
        for channel in channels
        for message in channel.messages(hidden=True)
        if message.author_id == stage.discord.settings.bot_id
    }


async def test_after_a_crash_every_answer_is_marked_where_it_stands_and_none_is_asked_again(stage: Stage) -> None:
    bot = stage.bot(MAX_PARALLEL_ANSWERS="8")
    await bot.start()
    await answer(stage.ask("Before"))
    Held(stage.ollama, before=1)
    places = [stage.channel, stage.channel.thread("aside"), stage.anna.dm, stage.guild.add_channel("doomed")]
    questions = [stage.anna.say(place, f"{stage.discord.mention} Hi") for place in places]
    shown = [await stage.reply_to(question, shows("Hello")) for question in questions]
    asked = stage.anna.slash(stage.guild.add_channel("other"), "ask", prompt="Hi")
    shown.append(await asked.message(shows("Hello")))
    private = await stage.ask("Between us", private=True).message(shows("Hello"))
    count = len(stage.ollama.asked)
    await stored(stage, len(shown), NOTED)

    await bot.kill()
    before = bots_messages(stage)
    stage.discord.delete_message(shown.pop(3))
    stage.ollama.between = None
    async with bot:
        for message in shown:
            await marked(stage, message)
        done = await stage.reply_to(stage.mention("After"))

    assert done.content == f"Hello there.\n{FOOTER}"
    assert [content for role, content in stage.ollama.prompts[-1] if role == "user"] == ["Before", "Hi", "After"]
    assert len(stage.ollama.asked) == count + 1
    after = bots_messages(stage)
    assert after.keys() - before.keys() == {done.id}
    changed = {number for number in before.keys() & after.keys() if before[number] != after[number]}
    assert changed == {message.id for message in shown}
    assert private.id in after
    assert is_sound(stage)


async def marked(stage: Stage, message: Message) -> None:
    """Wait until a message says that it was interrupted, below what it said before."""
    event = await stage.discord.wait_for(
        lambda event: event.message and event.message.id == message.id and INTERRUPTED in event.message.content
    )
    assert event.message
    text = event.message.content.removesuffix(f"\n{FOOTER}")
    assert text == message.content.replace("-# Writing…", INTERRUPTED)


async def test_after_a_crash_an_answer_that_was_complete_but_not_shown_is_shown(stage: Stage, bot: BotProcess) -> None:
    stage.ollama.answer = numbered(900)
    held = Held(stage.ollama, before=1)
    question = stage.mention("Count")
    await stage.reply_to(question, shows("w000"))
    refuse_all_edits(stage)
    held.go_on()
    await stored(stage, 1, COMPLETE)

    await bot.kill()
    stage.discord.faults.clear()
    await bot.start()

    await stage.said(stage.channel, shows(FOOTER))
    [first, *further] = pages(stage.channel)
    assert first.reply_to == question.id
    assert " ".join(page.content for page in [first, *further]).split() == [
        *"".join(stage.ollama.answer).split(),
        *FOOTER.split(),
    ]
    whole, stage.ollama.answer = "".join(stage.ollama.answer), ["Yes."]
    await stage.reply_to(stage.mention("And then?"))
    assert ("assistant", whole.strip()) in [(role, content.strip()) for role, content in stage.ollama.prompts[-1]]


async def test_what_can_not_be_mended_at_one_start_is_mended_at_the_next(stage: Stage, bot: BotProcess) -> None:
    Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    message = await stage.reply_to(question, shows("Hello"))
    await stored(stage, 1, NOTED)
    await bot.kill()
    unmended = stage.discord.faults.fail("GET", "/messages", status=503, times=100)

    await bot.start()
    async with asyncio.timeout(PATIENCE):
        while "can't be brought to an end now" not in bot.log():  # noqa: ASYNC110  # the log is all that tells
            await asyncio.sleep(0.02)
    await bot.kill()
    assert unmended.hits
    stage.discord.faults.clear()
    await bot.start()

    await marked(stage, message)


async def test_a_bot_that_is_stopped_in_a_storm_ends_in_time_and_its_next_start_mends_the_rest(
    stage: Stage, bot: BotProcess
) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    message = await stage.reply_to(question, shows("Hello"))
    refuse_all_edits(stage)
    await stored(stage, 1, NOTED)

    begun = monotonic()
    os.kill(bot.pid, signal.SIGTERM)
    assert await bot.exited() == 0
    assert monotonic() - begun < SHUTDOWN_LIMIT

    await held.left()
    stage.discord.faults.clear()
    await bot.start()
    await marked(stage, message)


async def test_an_answer_that_discord_takes_for_unauthorized_is_shown_by_the_next_start(
    stage: Stage, bot: BotProcess
) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    message = await stage.reply_to(question, shows("Hello"))
    refused = stage.discord.faults.refuse("PATCH", "/messages/", errors.unauthorized(), times=1000)
    held.go_on()
    await stored(stage, 1, COMPLETE)

    await asyncio.sleep(2)
    await bot.kill()
    assert 1 < refused.hits < 5  # Discord counts these, and shuts out who makes many of them
    stage.discord.faults.clear()
    await bot.start()

    done = await stage.reply_to(question)
    assert (done.id, done.content) == (message.id, f"Hello there.\n{FOOTER}")
    assert "Traceback" not in bot.log()


async def test_a_button_from_before_a_restart_forgets_nothing(stage: Stage, bot: BotProcess) -> None:
    await answer(stage.ask("Remember me"))
    question = await stage.anna.slash(stage.channel, "history clear").message()
    await bot.kill()
    await bot.start()

    stage.anna.click(question, "Forget everything")

    await answer(stage.ask("Who am I?"))
    assert [content for role, content in stage.ollama.prompts[-1] if role == "user"] == ["Remember me", "Who am I?"]
