"""Some twenty questions, asked in all ways, while the bot is killed at moments that nobody chose."""

from __future__ import annotations

import asyncio
import random

import pytest

from playground.discord import Asked, ChannelHandle, Message

from .crashes import is_sound
from .stage import Stage, is_finished, paced, pages, stored

pytestmark = pytest.mark.wire

QUESTIONS = 20
CRASHES = 6
LONGEST_PAUSE = 4.0
"""Seconds from a start to the next crash; the bot asks anew some two seconds after it is there."""


def replies_to(stage: Stage, message: Message) -> list[Message]:
    channel = ChannelHandle(stage.discord, stage.discord.world.channels[message.channel_id])
    return [page for page in pages(channel) if page.reply_to == message.id]


async def ask_around(
    stage: Stage, dice: random.Random, channels: list[ChannelHandle]
) -> tuple[list[Message], list[Asked]]:
    """Everybody asks once, in a random way and place; one person's quick messages would become one question."""
    messages, commands = [], []
    for number in range(QUESTIONS):
        person, channel = stage.guild.add_member(f"Person {number}"), dice.choice(channels)
        if dice.random() < 0.5:
            messages.append(person.say(channel, f"Question {number}", mention_bot=True))
        else:
            commands.append(person.slash(channel, "ask", prompt=f"Question {number}"))
        await asyncio.sleep(dice.uniform(0.0, 0.1))
    return messages, commands


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_question_has_one_end_whenever_the_bot_is_killed(stage: Stage, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # to be drawn the same way each time
    stage.ollama.answer = [f"w{number:03} " for number in range(30)]
    paced(stage.ollama, rate=60)
    bot = stage.bot(MAX_PARALLEL_ANSWERS="2")
    await bot.start()
    channels = [stage.channel, stage.guild.add_channel("other"), stage.channel.thread("aside")]

    messages, commands = await ask_around(stage, dice, channels)
    # Of what the bot never heard nothing can become.
    await stored(stage, 1, f"sqlite_sequence WHERE name = 'open_answers' AND seq = {QUESTIONS}")
    for asked in commands:
        await asked.message()
    for _ in range(CRASHES):
        await asyncio.sleep(dice.uniform(0.0, LONGEST_PAUSE))
        await bot.kill()
        await bot.start()
    await stored(stage, 0, "open_answers")
    await bot.stop()

    assert is_sound(stage)
    ends = [page for message in messages for page in replies_to(stage, message)]
    assert [len(replies_to(stage, message)) for message in messages] == [1] * len(messages)
    ends += [asked.original for asked in commands]
    assert [end.content for end in ends if not is_finished(end)] == []
    assert {page.id for channel in channels for page in pages(channel)} == {end.id for end in ends}
    texts = [prompt[-1][1] for prompt in stage.ollama.prompts]
    assert len(texts) == len({text.rpartition("Question ")[2] for text in texts}), "a question was asked twice"
