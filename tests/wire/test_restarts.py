"""What stopping, crashing and starting again leave in Discord and in the database."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Coroutine
from contextlib import closing
from typing import Any

import pytest

from playground.bot_process import BotFailedError, BotProcess
from playground.discord import EventKind, LoopbackDiscord, Message

from .stage import PATIENCE, Held, Stage, answer, is_finished, shows, stored

pytestmark = pytest.mark.wire

KEPT = "messages WHERE role = 'assistant' AND end_reason = 'running' AND content != ''"
INTERRUPTED = "⚠️ Interrupted by a restart of the bot. Continue goes on from here, Regenerate begins anew."
PUT_OFF = "-# Waiting: the bot is being restarted. It answers this when it is back."
SHUTDOWN_LIMIT = 10.0


def syncs(discord: LoopbackDiscord) -> int:
    return sum(call.method == "PUT" and call.path.endswith("/commands") for call in discord.calls)


def end_reasons(stage: Stage) -> list[str]:
    """Of all answers; the database must be sound."""
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = connection.execute("SELECT end_reason FROM messages WHERE role = 'assistant' ORDER BY id")
        return [reason for (reason,) in rows]


async def ended(bot: BotProcess, number: signal.Signals) -> int:
    """The exit status after a signal, which must come in time."""
    begun = time.monotonic()
    os.kill(bot.pid, number)
    status = await bot.exited()
    assert time.monotonic() - begun < SHUTDOWN_LIMIT
    return status


def unfinished(stage: Stage) -> list[Message]:
    history = stage.discord.messages.history
    messages = [message for channel in stage.discord.world.channels for message in history(channel)]
    return [one for one in messages if one.author_id == stage.discord.settings.bot_id and not is_finished(one)]


async def test_the_memory_survives_a_restart(stage: Stage, bot: BotProcess) -> None:
    await answer(stage.ask("Hi"))
    assert await bot.stop() == 0

    await bot.start()
    await stage.reply_to(stage.mention("And then?"))

    assert stage.ollama.prompts[-1][1:] == [("user", "Hi"), ("assistant", "Hello there."), ("user", "And then?")]
    assert end_reasons(stage) == ["complete", "complete"]


async def test_commands_are_told_once(stage: Stage, bot: BotProcess) -> None:
    await bot.stop()
    await bot.start()

    assert syncs(stage.discord) == 1
    assert "The slash commands are unchanged" in bot.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_marks_an_answer_that_does_not_end(
    stage: Stage, bot: BotProcess, number: signal.Signals
) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    mentioned = stage.anna.say(stage.guild.add_channel("other"), "Hi", mention_bot=True)
    await asked.message(shows("Hello"))
    await stage.reply_to(mentioned, shows("Hello"))

    assert await ended(bot, number) == 0

    await held.left()
    assert asked.original.content == f"-# Anna asked: Hi\nHello\n{INTERRUPTED}\n-# tiny:1b · assistant"
    assert (await stage.reply_to(mentioned)).content == f"Hello\n{INTERRUPTED}\n-# tiny:1b · assistant"
    assert unfinished(stage) == []
    assert end_reasons(stage) == ["interrupted", "interrupted"]


async def test_an_answer_that_is_nearly_there_ends_before_the_bot_does(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))

    os.kill(bot.pid, signal.SIGTERM)
    held.go_on()

    assert await bot.exited() == 0
    assert asked.original.content == "-# Anna asked: Hi\nHello there.\n-# tiny:1b · assistant"
    assert end_reasons(stage) == ["complete"]


async def test_a_question_in_line_is_answered_by_the_next_start(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    first = stage.ask("First")
    await held.reached()
    second = stage.ask("Second")
    await second.message(shows("Waiting"))

    assert await ended(bot, signal.SIGTERM) == 0

    assert INTERRUPTED in first.original.content
    assert second.original.content == f"-# Anna asked: Second\n{PUT_OFF}"
    stage.ollama.between = None
    await bot.start()
    assert (await answer(second)).content == "-# Anna asked: Second\nHello there.\n-# tiny:1b · assistant"
    assert unfinished(stage) == []
    assert end_reasons(stage) == ["interrupted", "complete"]


async def test_a_question_during_the_last_seconds_is_turned_away(stage: Stage, bot: BotProcess) -> None:
    Held(stage.ollama, before=1)
    first = stage.ask("First")
    await first.message(shows("Hello"))
    ending = asyncio.create_task(bot.stop())

    # The first of these may come before the bot hears the signal: then they wait in line.
    said = await stage.ask("Now?").message()
    while not said.ephemeral:
        said = await stage.ask("Now?").message()

    assert said.content == "The bot is being restarted; please ask again in a minute."
    assert await ending == 0
    assert {message.content.splitlines()[-1] for message in unfinished(stage)} <= {PUT_OFF, said.content}


async def test_after_a_crash_the_answer_is_marked(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    elsewhere = stage.guild.add_channel("other")
    mentioned = stage.anna.say(elsewhere, "Hi", mention_bot=True)
    await asked.message(shows("Hello"))
    await stage.reply_to(mentioned, shows("Hello"))
    await stored(stage, 2, KEPT)

    await bot.kill()
    await held.left()
    stage.ollama.between = None
    await bot.start()

    expected = "⚠️ Interrupted"
    assert (await asked.message(shows(expected))).content == f"-# Anna asked: Hi\nHello\n{INTERRUPTED}"
    assert (await stage.reply_to(mentioned, shows(expected))).content == f"Hello\n{INTERRUPTED}"
    assert end_reasons(stage) == ["interrupted", "interrupted"]
    # What can be read in Discord is what the conversation goes on from.
    await answer(stage.ask("Again"))
    assert stage.ollama.prompts[-1][1:] == [("user", "Hi"), ("assistant", "Hello "), ("user", "Again")]


async def test_after_a_crash_in_the_middle_of_a_stream_the_last_message_is_marked(
    stage: Stage, bot: BotProcess
) -> None:
    words = [f"{number:04}" for number in range(600)]
    stage.ollama.answer = [f"{word} " for word in words]

    def between(index: int) -> Coroutine[Any, Any, object] | None:
        # From the second message on a word at a time, so that there is always something new to write.
        return stage.said(stage.channel, shows(words[index - 1])) if index > 500 else None

    stage.ollama.between = between
    asked = stage.ask("Count")
    await stage.said(stage.channel, shows("0502"))

    await bot.kill()
    await bot.start()

    await stage.said(stage.channel, shows(INTERRUPTED))
    first, second = stage.channel.messages()
    assert first.id == asked.original.id
    assert "⚠️" not in first.content
    assert second.content.endswith(INTERRUPTED)


async def test_after_a_crash_in_line_the_question_is_answered(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    stage.ask("First")
    await held.reached()
    second = stage.ask("Second")
    await second.message(shows("Waiting"))
    await stored(stage, 2, "open_answers WHERE discord_id IS NOT NULL")

    await bot.kill()
    stage.ollama.between = None
    await bot.start()

    assert (await answer(second)).content == "-# Anna asked: Second\nHello there.\n-# tiny:1b · assistant"


async def test_after_a_crash_before_the_last_edit_the_answer_is_completed_or_marked(
    stage: Stage, bot: BotProcess
) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))
    stage.discord.faults.rate_limit("PATCH", r"/messages/", retry_after=60)
    held.go_on()
    # The memory has the whole answer before the last edit is tried.
    await stage.discord.wait_for(lambda event: event.kind is EventKind.RATE_LIMITED)

    await bot.kill()
    stage.discord.faults.clear()
    await bot.start()

    await asked.message(is_finished, timeout=PATIENCE)


async def test_a_bot_that_cannot_log_in_yet_can_be_stopped(stage: Stage) -> None:
    bot = stage.bot()
    stage.discord.faults.rate_limit("GET", "/users/@me", retry_after=60)
    starting = asyncio.create_task(bot.start())
    await stage.discord.wait_for(lambda event: event.kind is EventKind.RATE_LIMITED)

    assert await ended(bot, signal.SIGTERM) == 0

    assert "Traceback" not in bot.log()
    with pytest.raises(BotFailedError, match="exit code 0"):
        await starting
