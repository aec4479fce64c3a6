"""Thinking models, over the wire."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from playground.bot_process import BotProcess
from tests.fake_ollama import MODEL

from .stage import Held, Stage, answer, frames, in_pieces, is_finished, shows, stored

ASKED = "-# Anna asked: Is it so?\n"


def kept(stage: Stage) -> list[str]:
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        return [text for (text,) in connection.execute("SELECT content FROM thoughts")]


def remembered(stage: Stage) -> list[str]:
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        return [text for (text,) in connection.execute("SELECT content FROM messages ORDER BY id")]


@pytest.mark.parametrize("length", [1, 5, 1_000])
async def test_thoughts_in_tags_are_never_seen_however_they_are_cut(stage: Stage, bot: BotProcess, length: int) -> None:
    stage.ollama.answer = in_pieces("\n<think>\nA secret thought.\n</think>\n\nYes, `<think>` it is.", length)

    message = await answer(stage.ask("Is it so?"))

    assert message.content == f"{ASKED}Yes, `<think>` it is.\n-# {MODEL} · assistant · thought for 1 s"
    assert not any("secret" in frame for frame in frames(stage.discord, message.id))
    assert remembered(stage) == ["Is it so?", "Yes, `<think>` it is."]
    assert kept(stage) == ["A secret thought."]


async def test_thoughts_in_their_field_are_counted_in_seconds_and_kept_apart(stage: Stage, bot: BotProcess) -> None:
    thoughts = ["A secret ", "thought. "] * 30
    stage.ollama.thoughts = thoughts
    stage.ollama.answer = ["<think>", *thoughts, "</think>", "Yes."]
    stage.ollama.between = lambda index: asyncio.sleep(0.1 if index <= len(thoughts) else 0)

    message = await answer(stage.ask("Is it so?"))

    lines = [frame.splitlines()[1] for frame in frames(stage.discord, message.id)]
    told = [line for line in lines if line.startswith("-# Thinking…")]
    assert told == ["-# Thinking…", "-# Thinking… 5 s"]
    assert message.content == f"{ASKED}Yes.\n-# {MODEL} · assistant · thought for 6 s"
    assert kept(stage) == ["".join(thoughts + thoughts).strip()]


async def test_thoughts_that_leak_from_a_model_give_way_to_its_answer(stage: Stage, bot: BotProcess) -> None:
    stage.ollama.models[MODEL]["capabilities"] = ["completion", "thinking"]
    stage.ollama.answer = in_pieces("A secret thought.\n</think>\n\nYes.", 5)

    message = await answer(stage.ask("Is it so?"))

    assert message.content == f"{ASKED}Yes.\n-# {MODEL} · assistant · thought for 1 s"
    assert stage.ollama.asked[0]["think"] is False
    assert remembered(stage) == ["Is it so?", "Yes."]
    assert kept(stage) == ["A secret thought."]


async def test_stopped_while_it_thinks_a_model_is_left_at_once_and_its_thoughts_can_be_read(
    stage: Stage, bot: BotProcess
) -> None:
    stage.ollama.answer = ["<think>", "A secret thought.", "</think>", "Yes."]
    held = Held(stage.ollama, before=2)
    question = stage.mention("Is it so?")
    await held.reached()
    thinking = await stage.reply_to(question, shows("-# Thinking…"))

    stage.anna.click(thinking, "Stop")
    await held.left(within=0.5)
    stopped = await stage.reply_to(question)
    thoughts = await stage.anna.click(stopped, "Thoughts").message()

    assert stopped.content == f"-# {MODEL} · assistant · thought for 1 s · stopped by Anna"
    assert thoughts.ephemeral
    assert thoughts.content == "> A secret thought."
    assert remembered(stage) == ["Is it so?", ""]


async def test_the_button_shows_thoughts_also_after_a_restart_and_only_to_the_asker(stage: Stage) -> None:
    stage.ollama.thoughts = ["A secret ", "thought."]
    async with stage.bot():
        message = await answer(stage.ask("Is it so?"))
    bernd = stage.guild.add_member("Bernd")
    async with stage.bot():
        refused = await bernd.click(message, "Thoughts").message()
        shown = await stage.anna.click(message, "Thoughts").message()

    assert refused.ephemeral
    assert refused.content.startswith("Only the person who asked")
    assert shown.ephemeral
    assert shown.content == "> A secret thought."


async def test_a_bot_that_dies_while_the_model_thinks_says_so_after_its_restart(stage: Stage) -> None:
    stage.ollama.answer = ["<think>", "A secret thought.", "</think>", "Yes."]
    held = Held(stage.ollama, before=2)
    async with stage.bot() as bot:
        asked = stage.ask("Is it so?")
        await held.reached()
        message = await asked.message(shows("-# Thinking…"))
        await stored(stage, 1, f"open_answers WHERE discord_id = {message.id}")
        await bot.kill()
    async with stage.bot():
        ended = await stage.said(stage.channel, lambda found: found.id == message.id and is_finished(found))

    assert "secret" not in ended.content
    assert ended.content.startswith(f"{ASKED}⚠️ Interrupted")
