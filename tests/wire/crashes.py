"""What tests of crashes look at afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

from playground.bot_process import BotProcess
from playground.discord import ChannelHandle, Message

from .stage import Stage, pages, stored

WAITING = "open_answers WHERE answer_id IS NULL"
SECONDS = 3600.0
"""How late Discord confirms what must not be confirmed before the crash."""


def labels(message: Message) -> list[str]:
    return [part["label"] for row in message.components for part in row["components"]]


def replies(stage: Stage, question: Message) -> list[Message]:
    """All that answers a message by now."""
    return [
        message
        for message in pages(ChannelHandle(stage.discord, stage.discord.world.channels[question.channel_id]))
        if message.reply_to == question.id
    ]


async def crash(stage: Stage, bot: BotProcess) -> None:
    """Kill it; when it comes back, neither Discord nor the model holds anything up."""
    await bot.kill()
    stage.discord.faults.clear()
    stage.ollama.between = None


async def settled(stage: Stage) -> None:
    """Nothing is on its way any more."""
    await stored(stage, 0, "open_answers")
    assert is_sound(stage)


def prompted(stage: Stage, text: str) -> int:
    """How often the model was asked something."""
    return sum(prompt[-1] == ("user", text) for prompt in stage.ollama.prompts)


async def sent(stage: Stage, fits: Callable[[Message], object]) -> Message:
    return await stage.said(stage.channel, fits)


def is_sound(stage: Stage) -> bool:
    """Whether the database is in order, says of no answer that it runs, and of no message that it is to be mended."""
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        checked = [
            connection.execute(f"PRAGMA {check}").fetchall() for check in ("integrity_check", "foreign_key_check")
        ]
        [(running,)] = connection.execute("SELECT count(*) FROM messages WHERE end_reason = 'running'")
        [(left,)] = connection.execute("SELECT count(*) FROM open_answers")
    return (checked, running, left) == ([[("ok",)], []], 0, 0)
