"""What people notice while another program holds the database for longer than the bot waits for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from time import monotonic

import pytest

from playground.bot_process import BotProcess

from .crashes import settled
from .stage import Held, Stage, answer, is_finished, numbered, paced, pages, shows, stored

pytestmark = pytest.mark.wire

LATE = "This answer could not be remembered when it ended, and I keep trying until it is."
LOCKED = "The database in DATABASE_URL is locked by another program; try again in a moment."
FOOTER = "-# tiny:1b · assistant"
SHUTDOWN_LIMIT = 10.0
USUAL_WAIT = 10.0
"""Seconds that the bot waits for a lock where DATABASE_URL names no others."""


def url(stage: Stage, *, timeout: float) -> str:
    return f"sqlite+aiosqlite:///{stage.folder}/llampost.db?timeout={timeout}"


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[BotProcess]:
    async with stage.bot(DATABASE_URL=url(stage, timeout=1), MAX_PARALLEL_ANSWERS="4") as bot:
        yield bot


@contextmanager
def locked(stage: Stage) -> Iterator[sqlite3.Connection]:
    """Another program that changes something, and takes its time."""
    with closing(sqlite3.connect(stage.folder / "llampost.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


def prompt(stage: Stage) -> list[str]:
    return [content for role, content in stage.ollama.prompts[-1] if role != "system"]


async def test_an_answer_that_ends_while_the_database_is_locked_is_remembered_after_that(
    stage: Stage, bot: BotProcess
) -> None:
    held = Held(stage.ollama, before=1)
    first = stage.mention("First")
    await stage.reply_to(first, shows("Hello"))
    with locked(stage):
        held.go_on()
        shown = await stage.reply_to(first)
    assert shown.content == f"Hello there.\n⚠️ {LATE} {LOCKED}\n{FOOTER}"

    await stage.reply_to(stage.mention("Second"))

    assert prompt(stage) == ["First", "Hello there.", "Second"]
    assert "Traceback" not in bot.log()
    assert bot.log().count(LOCKED) == 1


async def test_questions_that_find_the_database_locked_are_answered_and_none_waits_for_the_others(
    stage: Stage, bot: BotProcess
) -> None:
    await answer(stage.ask("First"))
    channels = [stage.guild.add_channel(f"room-{number}") for number in range(4)]
    with locked(stage):
        begun = monotonic()
        asked = [stage.anna.slash(channel, "ask", prompt="Hi") for channel in channels]
        shown = [await one.message(is_finished) for one in asked]
        lasted = monotonic() - begun

    text = f"This question and its answer are not remembered. {LOCKED}"
    assert all(text in message.content for message in shown)
    assert lasted < 4
    assert "not remembered" not in (await answer(stage.ask("Second"))).content


async def test_an_answer_grows_from_message_to_message_while_the_database_is_locked(stage: Stage) -> None:
    async with stage.bot(DATABASE_URL=url(stage, timeout=60)):
        stage.ollama.answer = [f"{word}{'x' * 90} " for word in numbered(60)]
        paced(stage.ollama, rate=30)
        question = stage.mention("Count")
        await stage.reply_to(question, shows("w001"))
        await stored(stage, 1, "open_answers WHERE discord_id IS NOT NULL")
        with locked(stage):
            for word in ("w025", "w050"):
                await stage.said(stage.channel, shows(word))
        await stage.said(stage.channel, shows(FOOTER))

        assert len(pages(stage.channel)) == 4
        # What could not be noted while it grew is noted in the end.
        await stored(stage, 4, "discord_messages JOIN messages ON id = message_id WHERE role = 'assistant'")


@pytest.mark.parametrize("seconds", [1, 30])
async def test_a_bot_whose_database_is_locked_ends_in_time(stage: Stage, seconds: int) -> None:
    async with stage.bot(DATABASE_URL=url(stage, timeout=seconds)) as bot:
        Held(stage.ollama, before=1)
        first = stage.mention("First")
        await stage.reply_to(first, shows("Hello"))
        with locked(stage):
            elsewhere = stage.anna.slash(stage.guild.add_channel("other"), "ask", prompt="Hi")
            await asyncio.sleep(0.2)
            begun = monotonic()
            os.kill(bot.pid, signal.SIGTERM)
            status = await bot.exited()
            lasted = monotonic() - begun

        assert status == 0
        assert lasted < SHUTDOWN_LIMIT
        assert "⚠️ Interrupted" in (await stage.reply_to(first)).content
        assert "⚠️ Interrupted" in elsewhere.original.content


async def test_a_database_locked_for_longer_than_the_usual_wait_loses_nothing_of_what_is_on_its_way(
    stage: Stage,
) -> None:
    async with stage.bot(MAX_PARALLEL_ANSWERS="2") as bot:
        held = Held(stage.ollama, before=1)
        first = stage.mention("First")
        await stage.reply_to(first, shows("Hello"))
        second = stage.guild.add_member("Ben").say(stage.channel, "Second", mention_bot=True)
        await stage.reply_to(second, shows("Waiting"))
        await stored(stage, 2, "open_answers WHERE discord_id IS NOT NULL")
        with locked(stage):
            begun = monotonic()
            elsewhere = stage.guild.add_channel("other")
            third = stage.anna.slash(elsewhere, "ask", prompt="Third")
            held.go_on()
            shown = [await stage.reply_to(first), await third.message(is_finished, timeout=30)]
            lasted = monotonic() - begun

        assert USUAL_WAIT <= lasted < USUAL_WAIT + 3
        assert shown[0].content == f"Hello there.\n⚠️ {LATE} {LOCKED}\n{FOOTER}"
        assert f"⚠️ This question and its answer are not remembered. {LOCKED}" in shown[1].content
        assert (await stage.reply_to(second)).content == f"Hello there.\n{FOOTER}"
        assert prompt(stage)[:2] == ["First", "Hello there."]
        await answer(stage.anna.slash(elsewhere, "ask", prompt="Fourth"))
        assert prompt(stage) == ["Fourth"]
        await settled(stage)
        assert "Traceback" not in bot.log()
