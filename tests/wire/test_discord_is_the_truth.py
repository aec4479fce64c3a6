"""What is edited and deleted in Discord is so in the memory as well, also when it happened while the bot was away."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from contextlib import closing

import pytest

from playground.bot_process import BotProcess
from playground.discord import Message, Permission
from tests.fake_ollama import MODEL

from .crashes import labels
from .stage import PATIENCE, Held, Stage, answer, forgotten, is_finished, pages, shows, stored

pytestmark = pytest.mark.wire

FOOTER = f"-# {MODEL} · assistant"
ANSWER = f"Hello there.\n{FOOTER}"


def said(stage: Stage) -> list[str]:
    """What the model's newest prompt has of people's and its own words."""
    return [content.strip() for role, content in stage.ollama.prompts[-1] if role != "system"]


async def logged(bot: BotProcess, words: str, *, times: int = 1) -> None:
    async with asyncio.timeout(PATIENCE):
        while bot.log().count(words) < times:  # noqa: ASYNC110  # the log is all that tells
            await asyncio.sleep(0.02)


async def caught_up(bot: BotProcess, *, times: int = 1) -> None:
    """So often since its newest start."""
    async with asyncio.timeout(PATIENCE):
        while bot.log().rpartition("logging in")[2].count("Caught up with Discord") < times:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_an_edited_question_gets_a_new_version_below_which_the_conversation_goes_on(
    stage: Stage, bot: BotProcess
) -> None:
    question = stage.mention("What is a lama?")
    first = await stage.reply_to(question)
    await stage.reply_to(stage.mention("And a camel?"))
    stage.ollama.answer = ["Better."]

    stage.anna.edit(question, f"{stage.discord.mention} What is a llama?")

    second = await stage.reply_to(question, shows(f"Better.\n{FOOTER}"))
    assert second.id == first.id
    assert said(stage) == ["What is a llama?"]
    await answer(stage.ask("So?"))
    assert said(stage) == ["What is a llama?", "Better.", "And a camel?", "Hello there.", "So?"]


async def test_an_edit_in_the_middle_of_the_answer_stops_the_model_and_asks_anew(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("What is a lama?")
    await stage.reply_to(question, shows("Hello"))

    stage.ollama.between = None
    stage.anna.edit(question, f"{stage.discord.mention} What is a llama?")

    await held.left()
    await stage.reply_to(question, lambda message: message.content == ANSWER)
    assert (len(stage.ollama.asked), said(stage)) == (2, ["What is a llama?"])
    assert len(pages(stage.channel)) == 1


@pytest.mark.parametrize("before", [0, 1], ids=["nothing", "half an answer"])
async def test_of_many_edits_in_a_second_the_last_one_is_answered_in_the_same_message(
    stage: Stage, bot: BotProcess, before: int
) -> None:
    stage.ollama.reply = lambda body: [f"To {body['messages'][-1]['content']}", "!"]
    question = stage.mention("first words")
    first = await stage.reply_to(question)
    held = Held(stage.ollama, before=before)

    for number in range(30):
        stage.anna.edit(question, f"{stage.discord.mention} edit {number}.")
        if not number:
            await held.reached()
    stage.ollama.between = None
    held.go_on()

    await stage.reply_to(question, shows(f"To edit 29.!\n{FOOTER}"))
    await stored(stage, 0, "open_answers")
    assert [page.id for page in pages(stage.channel)] == [first.id]
    assert len(stage.ollama.asked) < 10, "what is edited again at once is not asked"
    await answer(stage.ask("So?"))
    assert said(stage) == ["edit 29.", "To edit 29.!", "So?"]


async def test_a_deleted_question_takes_its_answer_out_of_discord_and_out_of_the_memory(
    stage: Stage, bot: BotProcess
) -> None:
    question = stage.mention("My secret.")
    reply = await stage.reply_to(question)
    await stage.reply_to(stage.mention("And now?"))

    stage.anna.delete(question)

    await stage.deleted(reply)
    await stored(stage, 0, "messages WHERE content = 'My secret.'")
    await answer(stage.ask("What do you know?"))
    assert said(stage) == ["And now?", "Hello there.", "What do you know?"]


async def test_what_was_deleted_edited_and_asked_while_the_bot_was_away_counts_from_its_next_start_on(
    stage: Stage, bot: BotProcess
) -> None:
    questions, replies = [], []
    for number in range(4):
        questions.append(stage.mention(f"Question {number}."))
        replies.append(await stage.reply_to(questions[-1]))
    await bot.stop()

    stage.anna.delete(questions[0])
    stage.discord.delete_message(replies[1])
    stage.anna.edit(questions[2], f"{stage.discord.mention} Better question 2.")
    missed = stage.mention("Anybody there?")
    stage.anna.say(stage.channel, "Not for the bot.")
    stage.ollama.answer = ["Here I am."]
    await bot.start()

    reply = await stage.reply_to(missed)
    assert reply.content == f"Here I am.\n{FOOTER}"
    await stage.reply_to(questions[2], shows(f"Here I am.\n{FOOTER}"))
    await stage.deleted(replies[0])
    await answer(stage.ask("What do you know?"))
    assert said(stage) == [
        *("Better question 2.", "Here I am.", "Question 3.", "Hello there."),
        *("Anybody there?", "Here I am.", "What do you know?"),
    ]
    assert len(pages(stage.channel)) == 4
    assert len(stage.ollama.asked) == 7


async def test_an_answer_that_is_written_anew_after_the_start_outlives_a_new_session(
    stage: Stage, bot: BotProcess
) -> None:
    question = stage.mention("Why?")
    await stage.reply_to(question)
    await bot.stop()
    stage.anna.edit(question, f"{stage.discord.mention} Why not?")
    held = Held(stage.ollama, before=1)
    await bot.start()
    await held.reached()

    forgotten(stage.discord)
    await logged(bot, "Ready as", times=2)
    held.go_on()

    await stage.reply_to(question, lambda it: is_finished(it) and "2/2" in labels(it))
    assert len(stage.ollama.asked) == 2


async def test_a_question_missed_in_one_channel_waits_for_no_answer_in_another_one(
    stage: Stage, bot: BotProcess
) -> None:
    other = stage.guild.add_channel("other")
    await stage.reply_to(stage.anna.say(other, "Hi", mention_bot=True))
    question = stage.mention("Why?")
    await stage.reply_to(question)
    await bot.stop()
    stage.anna.edit(question, f"{stage.discord.mention} How?")
    missed = stage.anna.say(other, "Anybody there?", mention_bot=True)
    held = Held(stage.ollama, before=1)

    await bot.start()

    await stage.reply_to(question, shows("Writing"))
    await stage.reply_to(missed, shows("Writing"))
    forgotten(stage.discord)  # an outage, after which the bot catches up once more
    await caught_up(bot, times=2)
    held.go_on()
    await stage.said(stage.channel, lambda message: "2/2" in str(message.components))
    await stored(stage, 0, "open_answers")
    assert len(pages(other)) == 2


async def test_a_question_that_was_emptied_while_the_bot_was_away_is_forgotten_and_asked_for_by_nobody(
    stage: Stage, bot: BotProcess
) -> None:
    await stage.reply_to(stage.mention("First."))
    secret = stage.mention("My secret.")
    reply = await stage.reply_to(secret)
    await stored(stage, 0, "open_answers")
    await bot.stop()
    stage.anna.edit(secret, stage.discord.mention)

    await bot.start()
    await stage.deleted(reply)
    await stored(stage, 2, "messages")
    await bot.stop()
    await bot.start()
    await caught_up(bot)

    await answer(stage.ask("So?"))
    assert said(stage) == ["First.", "Hello there.", "So?"]
    assert len(pages(stage.channel)) == 2


async def test_a_reply_whose_new_words_discord_hides_is_not_taken_for_empty(stage: Stage, bot: BotProcess) -> None:
    first = await stage.reply_to(stage.mention("First."))
    question = stage.anna.say(stage.channel, "Second.", mention_bot=True, reply_to=first, ping_reply=False)
    await stage.reply_to(question)

    new = {"content": "Without the mention.", "allowed_mentions": {"parse": [], "replied_user": False}}
    stage.discord.messages.edit(question, new)
    await answer(stage.ask("So?"))
    await answer(stage.ask("And now?"))

    assert said(stage)[:4] == ["First.", "Hello there.", "Second.", "Hello there."]
    assert len(pages(stage.channel)) == 4


async def in_line(stage: Stage) -> Message:
    """A question that waits behind one that is being answered."""
    held = Held(stage.ollama, before=1)
    stage.mention("First.")
    await held.reached()
    bernd = stage.guild.add_member("Bernd")
    waiting = bernd.say(stage.channel, "Second.", mention_bot=True)
    await stage.reply_to(waiting, shows("Waiting"))
    return waiting


async def test_a_question_that_waited_is_asked_without_what_was_deleted_while_the_bot_was_away(
    stage: Stage, bot: BotProcess
) -> None:
    secret = stage.mention("My secret.")
    await stage.reply_to(secret)
    waiting = await in_line(stage)
    await bot.stop()
    stage.ollama.between = None
    stage.anna.delete(secret)

    await bot.start()

    await stage.reply_to(waiting)
    assert "My secret." not in said(stage)
    assert said(stage)[0] == "First."


@pytest.mark.parametrize("age", ["fresh", "old"])
async def test_a_question_that_waited_is_asked_with_the_words_that_were_edited_while_the_bot_was_away(
    stage: Stage, bot: BotProcess, age: str
) -> None:
    typo = stage.mention("A typpo.")
    await stage.reply_to(typo)
    waiting = await in_line(stage)
    await bot.stop()
    if age == "old":
        with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection, connection:
            connection.execute("UPDATE messages SET created_at = '2020-01-01 00:00:00.000000'")
    stage.ollama.between = None
    stage.anna.edit(typo, f"{stage.discord.mention} A typo.")

    await bot.start()

    await stage.reply_to(waiting)
    [prompt] = [prompt for prompt in stage.ollama.prompts if prompt[-1][1].endswith("Second.")]
    assert ("user", "A typo.") in prompt
    if age == "fresh":
        await stage.reply_to(typo, lambda it: is_finished(it) and "2/2" in labels(it))


@pytest.mark.parametrize("by", ["its button", "a moderator"])
async def test_a_question_whose_answer_was_deleted_is_not_asked_again_by_the_next_start(
    stage: Stage, bot: BotProcess, by: str
) -> None:
    await stage.reply_to(stage.mention("First."))
    reply = await stage.reply_to(stage.mention("Second."))
    await stored(stage, 0, "open_answers")
    if by == "its button":
        stage.anna.click(reply, "Delete")
    else:
        stage.discord.delete_message(reply)
    await stage.deleted(reply)
    await stored(stage, 2, "messages")
    await bot.stop()
    missed = stage.mention("Third.")

    await bot.start()

    await stage.reply_to(missed)
    assert said(stage) == ["First.", "Hello there.", "Third."]
    await answer(stage.ask("So?"))
    assert len(stage.ollama.asked) == 4
    assert len(pages(stage.channel)) == 3


async def test_what_nothing_happened_to_stays_as_it_is(stage: Stage, bot: BotProcess) -> None:
    question = stage.mention("Why?")
    reply = await stage.reply_to(question)
    await answer(stage.ask("And you?"))
    await bot.stop()
    for number in range(150):
        stage.anna.say(stage.channel, f"Chatter {number}")
    calls = len(stage.discord.calls)

    await bot.start()
    await caught_up(bot)

    looks = [call for call in list(stage.discord.calls)[calls:] if call.method == "GET" and "/messages" in call.path]
    assert len(looks) == 1, "however much others wrote since"
    assert pages(stage.channel)[0].id == reply.id
    assert len(stage.ollama.asked) == 2
    await answer(stage.ask("So?"))
    assert said(stage) == ["Why?", "Hello there.", "And you?", "Hello there.", "So?"]


async def test_what_the_bot_may_not_see_is_not_taken_for_deleted(stage: Stage, bot: BotProcess) -> None:
    await stage.reply_to(stage.mention("Why?"))
    await bot.stop()
    stage.channel.deny_bot(Permission.READ_MESSAGE_HISTORY)

    await bot.start()
    await caught_up(bot)

    await answer(stage.ask("So?"))
    assert said(stage) == ["Why?", "Hello there.", "So?"]


async def test_a_look_that_fails_forgets_nothing_and_the_next_start_makes_up_for_it(
    stage: Stage, bot: BotProcess
) -> None:
    question = stage.mention("My secret.")
    await stage.reply_to(question)
    await bot.stop()
    stage.anna.delete(question)
    stage.discord.faults.fail("GET", "/messages", status=503, times=100)
    await bot.start()
    await caught_up(bot)
    await stored(stage, 1, "messages WHERE content = 'My secret.'")

    await bot.stop()
    stage.discord.faults.clear()
    await bot.start()

    await stored(stage, 0, "messages")


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("what", ["channel", "thread", "server"])
async def test_places_that_are_gone_are_forgotten(stage: Stage, bot: BotProcess, what: str, away: bool) -> None:
    there = stage.guild.add_channel("there")
    thread = there.thread("aside")
    for place in (there, thread, stage.anna.dm):
        await answer(stage.anna.slash(place, "ask", prompt="Why?"))
    await stored(stage, 3, "conversations")
    if away:
        await caught_up(bot)  # from then on the bot knows in which servers it is
        await bot.stop()

    if what == "server":
        stage.guild.remove_bot()
    else:
        (there if what == "channel" else thread).delete()

    if away:
        await bot.start()
    await stored(stage, 2 if what == "thread" else 1, "conversations")
    await stored(stage, 4 if what == "thread" else 2, "messages")


async def test_a_server_that_was_joined_in_this_run_and_left_in_the_next_pause_is_forgotten(
    stage: Stage, bot: BotProcess
) -> None:
    await caught_up(bot)
    await answer(stage.ask("Why?"))
    other = stage.discord.add_guild("Other")
    other.add_member(stage.anna)
    await answer(stage.anna.slash(other.add_channel("there"), "ask", prompt="Why?"))
    await stored(stage, 4, "messages")
    await bot.stop()

    other.remove_bot()
    await bot.start()

    await stored(stage, 2, "messages")


async def test_with_another_applications_token_no_server_is_taken_for_left(stage: Stage, bot: BotProcess) -> None:
    await answer(stage.ask("Why?"))
    await bot.stop()
    async with type(stage.discord)(dataclasses.replace(stage.discord.settings, bot_id=77)) as other:
        elsewhere = dataclasses.replace(stage, discord=other)
        async with elsewhere.bot() as second:
            await caught_up(second)

    await stored(stage, 1, "conversations WHERE channel_id IS NOT NULL")
