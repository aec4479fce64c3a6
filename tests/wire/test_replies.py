"""What a question replies to goes along with it, also from one process to the next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.bot_process import BotProcess
from playground.discord import Intent, Settings

from .crashes import WAITING, crash, replies, settled
from .stage import Held, Stage, shows, staged, stored

pytestmark = pytest.mark.wire

QUOTE = "{}\n\nThe message that I ask about:\n```\n{}\n```"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, Settings(privileged_intents=Intent.MESSAGE_CONTENT)) as stage:
        yield stage
        assert stage.discord.unknown_routes == []


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[BotProcess]:
    async with stage.bot(MESSAGE_CONTENT_INTENT="true") as bot:
        yield bot


async def test_a_question_that_waits_keeps_it_over_a_crash(stage: Stage, bot: BotProcess) -> None:
    ben, carl = stage.guild.add_member("Ben"), stage.guild.add_member("Carl")
    said = ben.say(stage.channel, "Cheese.", attachments=[("proof.txt", b"It smells.")])
    held = Held(stage.ollama, before=0)
    # Not Anna, whose next message would be answered together with it, if it came within two seconds.
    carl.say(stage.channel, "First", mention_bot=True)
    await held.reached()
    waiting = ben.say(stage.channel, "Second", mention_bot=True)
    about_it, about_waiting = [
        stage.anna.say(stage.channel, "Is that so?", mention_bot=True, reply_to=one) for one in (said, waiting)
    ]
    for one in (waiting, about_it, about_waiting):
        await stage.reply_to(one, shows("Waiting"))
    await stored(stage, 3, f"{WAITING} AND discord_id IS NOT NULL")

    await crash(stage, bot)
    await bot.start()

    for one in (waiting, about_it, about_waiting):
        await stage.reply_to(one)
        assert len(replies(stage, one)) == 1
    # Whether Ben's turn or Anna's comes first is for the line to decide.
    newest = [prompt[-1][1] for prompt in stage.ollama.prompts]
    texts = [text.rpartition("Anna: ")[2] for text in newest if "Is that so?" in text]
    assert texts == [QUOTE.format("Is that so?", "Cheese.") + "\n\nproof.txt:\n```\nIt smells.\n```", "Is that so?"]
    await settled(stage)


async def test_what_was_missed_is_asked_with_what_is_left_of_what_it_replies_to(stage: Stage, bot: BotProcess) -> None:
    ben = stage.guild.add_member("Ben")
    await stage.reply_to(stage.mention("Hello?"))
    kept, deleted = ben.say(stage.channel, "Cheese."), ben.say(stage.channel, "Wine.")
    await bot.stop()

    asked = [
        person.say(stage.channel, f"{one.content[0]}?", mention_bot=True, reply_to=one)
        for person, one in ((stage.anna, kept), (ben, deleted))
    ]
    stage.discord.delete_message(deleted)
    await bot.start()

    for one in asked:
        await stage.reply_to(one)
    texts = {prompt[-1][1].rpartition(": ")[2] for prompt in stage.ollama.prompts[1:]}
    assert texts == {QUOTE.format("C?", "Cheese."), "W?"}


async def test_a_start_answers_no_edited_question_anew(stage: Stage, bot: BotProcess) -> None:
    said = stage.guild.add_member("Ben").say(stage.channel, "Cheese.", attachments=[("proof.txt", b"It smells.")])
    question = stage.anna.say(stage.channel, "Ture?", mention_bot=True, reply_to=said)
    await stage.reply_to(question)
    stage.anna.edit(question, f"{stage.discord.mention} True?")
    await stored(stage, 2, "messages WHERE content = 'Hello there.'")
    await stored(stage, 0, "open_answers")
    await bot.stop()

    missed = stage.mention("So?")
    await bot.start()

    await stage.reply_to(missed)  # which is taken up after all edits of the place
    asked = QUOTE.format("True?", "Cheese.") + "\n\nproof.txt:\n```\nIt smells.\n```"
    assert [content for _, content in stage.ollama.prompts[-1][1:]] == [asked, "Hello there.", "So?"]
    assert len(stage.ollama.asked) == 3
