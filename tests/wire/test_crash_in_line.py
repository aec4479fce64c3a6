"""The bot dies while questions wait; its next start answers each of them, once, or gives it back."""

from __future__ import annotations

import asyncio

import pytest

from playground.bot_process import BotProcess
from playground.discord import Asked, Message
from tests.fake_ollama import MODEL

from .crashes import SECONDS, WAITING, crash, labels, prompted, replies, sent, settled
from .stage import PATIENCE, Held, Stage, answer, is_finished, pages, shows, stored

pytestmark = pytest.mark.wire

FOOTER = f"-# {MODEL} · assistant"
BEGUN = "⚠️ Interrupted by a restart of the bot. Continue goes on from here, Regenerate begins anew."
BLANK = "⚠️ Interrupted by a restart of the bot. Regenerate begins anew."
NOT_REACHED = "⚠️ The bot was restarted before it came to this question. Please ask it again."


async def test_a_question_of_which_nothing_was_sent_is_answered(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    stage.ask("First")
    await held.reached()
    stage.discord.faults.slow("POST", "/messages", seconds=SECONDS, times=10)
    question = stage.mention("Second")
    await stored(stage, 1, WAITING)

    await crash(stage, bot)
    assert replies(stage, question) == []
    await bot.start()

    done = await stage.reply_to(question)
    assert done.content == f"Hello there.\n{FOOTER}"
    assert replies(stage, question) == [done]
    await settled(stage)


async def test_a_message_that_was_sent_and_not_noted_is_found_and_used(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    stage.ask("First")
    await held.reached()
    stage.discord.faults.slow("POST", "/messages", seconds=SECONDS, after=True)
    question = stage.mention("Second")
    placeholder = await stage.reply_to(question, shows("Waiting"))

    await crash(stage, bot)
    await bot.start()

    assert (await stage.reply_to(question)).id == placeholder.id
    assert len(replies(stage, question)) == 1
    await settled(stage)


EVERYWHERE = (
    "In the channel",
    "Between us",
    "In a thread",
    "What is in it?\n\nlist.txt:\n```\nBread\n```",
    ("Why? " * 1200).strip(),
    "And the file?\n\nnotes.txt:\n```\nMilk, eggs\n```",
)
"""What the model reads of what `ask_everywhere` asks."""


async def ask_everywhere(stage: Stage) -> tuple[list[Message], list[Asked]]:
    """Ask in all ways and places, and wait until it is noted that all of it waits."""
    thread, ben = stage.channel.thread("aside"), stage.guild.add_member("Ben")
    questions = [
        stage.mention("In the channel"),
        stage.anna.say(stage.anna.dm, "Between us"),
        stage.anna.say(thread, f"{stage.discord.mention} In a thread"),
        ben.say(stage.channel, "What is in it?", mention_bot=True, attachments=[("list.txt", b"Bread")]),
    ]
    commands = [stage.ask("Why? " * 1200), stage.ask("And the file?", file=("notes.txt", b"Milk, eggs"))]
    for question in questions:
        await stage.reply_to(question, shows("Waiting"))
    for asked in commands:
        await asked.message(shows("Waiting"))
    await stored(stage, len(EVERYWHERE), f"{WAITING} AND discord_id IS NOT NULL")
    return questions, commands


async def test_all_that_waits_in_line_is_answered_wherever_it_was_asked(stage: Stage) -> None:
    bot = stage.bot(MAX_PARALLEL_ANSWERS="1")
    await bot.start()
    held = Held(stage.ollama, before=0)
    stage.anna.slash(stage.guild.add_channel("other"), "ask", prompt="First")
    await held.reached()
    questions, commands = await ask_everywhere(stage)
    await stage.ask("A secret", private=True).message(shows("Waiting"))

    await crash(stage, bot)
    async with bot:
        for question in questions:
            done = await stage.reply_to(question)
            assert done.content == f"Hello there.\n{FOOTER}"
            assert replies(stage, question) == [done]
        for asked in commands:
            assert (await answer(asked)).content.endswith(f"\nHello there.\n{FOOTER}")
            assert asked.followups == []
        await settled(stage)

    texts = [prompt[-1][1] for prompt in stage.ollama.prompts[1:]]
    assert [sum(asked in text for text in texts) for asked in EVERYWHERE] == [1] * len(EVERYWHERE)
    assert len(texts) == len(EVERYWHERE)


async def test_quick_messages_that_were_joined_are_both_answered(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    stage.ask("First")
    await held.reached()
    one = stage.mention("What is this?")
    await stage.reply_to(one, shows("Waiting"))
    two = stage.mention("And why?")
    await stage.reply_to(two, shows("Waiting"))
    async with asyncio.timeout(PATIENCE):
        while replies(stage, one):  # noqa: ASYNC110  # the first one's placeholder goes without a word
            await asyncio.sleep(0.01)

    await crash(stage, bot)
    await bot.start()

    await stage.reply_to(two)
    await settled(stage)
    texts = [prompt[-1][1] for prompt in stage.ollama.prompts if prompt[-1][1] != "First"]
    assert "\n\n".join(texts) in {"What is this?\n\nAnd why?", "What is this?\n\nWhat is this?\n\nAnd why?"}
    assert len(replies(stage, two)) == 1


async def test_what_was_changed_or_deleted_while_the_bot_was_away_counts(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    stage.ask("First")
    await held.reached()
    ben, cleo = stage.guild.add_member("Ben"), stage.guild.add_member("Cleo")
    changed, deleted, unwanted = (
        person.say(stage.channel, "Why?", mention_bot=True) for person in (stage.anna, ben, cleo)
    )
    placeholders = [await stage.reply_to(question, shows("Waiting")) for question in (changed, deleted, unwanted)]
    await stored(stage, 3, f"{WAITING} AND discord_id IS NOT NULL")

    await crash(stage, bot)
    stage.anna.edit(changed, f"{stage.discord.mention} Why not?")
    ben.delete(deleted)
    stage.discord.delete_message(placeholders[2])
    await bot.start()

    await stage.reply_to(changed)
    await settled(stage)
    assert [prompt[-1][1] for prompt in stage.ollama.prompts[1:]] == ["Why not?"]
    assert {message.id for message in pages(stage.channel)} & {it.id for it in placeholders} == {placeholders[0].id}


async def test_a_question_is_asked_once_more_at_most_and_then_given_back(stage: Stage, bot: BotProcess) -> None:
    """The second start dies as well, while the question waits in line again."""
    held, long = Held(stage.ollama, before=0), "Why? " * 1200
    stage.ask("First")
    await held.reached()
    second, third = stage.ask("Second"), stage.ask(long)
    for asked in (second, third):
        await asked.message(shows("Waiting"))
    await bot.kill()
    await bot.start()
    await held.reached()
    await stored(stage, 1, f"{WAITING} AND NOT may_be_asked")

    await crash(stage, bot)
    await bot.start()

    given_back = await third.message(shows(NOT_REACHED))
    assert given_back.content.splitlines()[1:] == [NOT_REACHED]
    await second.message(shows(BLANK))
    await settled(stage)
    [file] = [file for message in pages(stage.channel) for file in message.attachments]
    assert (file.filename, file.data.decode()) == ("question.txt", long)
    assert (prompted(stage, "Second"), len(stage.ollama.asked)) == (1, 2)


@pytest.mark.parametrize("by_command", [True, False])
async def test_a_crash_while_files_are_read_loses_no_question(stage: Stage, bot: BotProcess, by_command: bool) -> None:
    stage.discord.faults.slow("GET", "/attachments/", seconds=SECONDS)
    text, file = "What is in it?", ("notes.txt", b"Milk, eggs")
    if by_command:
        stage.ask(text, file=file)
    else:
        stage.anna.say(stage.channel, text, mention_bot=True, attachments=[file])
    await stored(stage, 1, WAITING)

    await crash(stage, bot)
    await bot.start()

    said = await sent(stage, is_finished)
    await settled(stage)
    assert [message.id for message in pages(stage.channel)] == [said.id]
    if by_command:  # nobody could read the file again
        assert said.content == f"-# Anna asked: {text}\n{NOT_REACHED}"
    else:
        assert said.content == f"Hello there.\n{FOOTER}"
        assert prompted(stage, f"{text}\n\nnotes.txt:\n```\nMilk, eggs\n```") == 1


async def test_somebody_who_opted_out_hears_that_they_must_ask_again(stage: Stage, bot: BotProcess) -> None:
    dora = stage.guild.add_member("Dora")
    for person in (stage.anna, dora):
        await person.slash(stage.channel, "privacy opt-out").message()
    held = Held(stage.ollama, before=0)
    first = stage.mention("First")
    await held.reached()
    await stage.reply_to(first, shows("One moment"))
    stage.discord.faults.slow("POST", "/messages", seconds=SECONDS, after=True)
    ben = stage.guild.add_member("Ben")
    second = dora.say(stage.channel, "And then?", mention_bot=True)
    await stage.reply_to(second, shows("Waiting"))
    third = ben.say(stage.channel, "Me too", mention_bot=True)
    await stage.reply_to(third, shows("Waiting"))

    await crash(stage, bot)
    await bot.start()

    for question in (first, second):
        marked = await stage.reply_to(question, shows("⚠️"))
        assert marked.content == "⚠️ Interrupted by a restart of the bot. Please ask again."
        assert labels(marked) == []
    await stage.reply_to(third)
    await settled(stage)


async def test_who_deletes_what_is_kept_of_them_is_not_answered_afterwards(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    stage.ask("First")
    await held.reached()
    ben = stage.guild.add_member("Ben")
    question = ben.say(stage.channel, "Why?", mention_bot=True)
    await stage.reply_to(question, shows("Waiting"))
    sure = await ben.slash(stage.channel, "privacy delete").message()
    ben.click(sure, labels(sure)[0])
    await stored(stage, 0, f"open_answers WHERE author_id = {ben.id}")

    await crash(stage, bot)
    await bot.start()

    await stored(stage, 0, "open_answers")
    assert prompted(stage, "Why?") == 0
