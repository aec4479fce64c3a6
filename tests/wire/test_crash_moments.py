"""The bot dies in the middle of an answer; its next start brings it to an end, once, and nothing of it is lost."""

from __future__ import annotations

import asyncio

import pytest

from playground.bot_process import BotProcess
from tests.fake_ollama import MODEL

from .crashes import SECONDS, WAITING, crash, labels, prompted, replies, sent, settled
from .stage import Held, Stage, is_finished, numbered, pages, shows, stored

pytestmark = pytest.mark.wire

FOOTER = f"-# {MODEL} · assistant"
BEGUN = "⚠️ Interrupted by a restart of the bot. Continue goes on from here, Regenerate begins anew."
BLANK = "⚠️ Interrupted by a restart of the bot. Regenerate begins anew."
NOT_REACHED = "⚠️ The bot was restarted before it came to this question. Please ask it again."


async def test_a_response_that_was_sent_and_not_noted_is_found_and_marked(stage: Stage, bot: BotProcess) -> None:
    stage.discord.faults.slow("POST", "/callback", seconds=SECONDS, after=True)
    Held(stage.ollama, before=1)
    asked = stage.ask("Why?")
    await asked.message(shows("Hello"))

    await crash(stage, bot)
    await bot.start()

    marked = await asked.message(is_finished)
    assert marked.content.startswith("-# Anna asked: Why?\nHello\n⚠️ Interrupted")
    assert "Regenerate" in labels(marked)
    assert len(pages(stage.channel)) == 1
    await settled(stage)


async def test_a_further_page_that_was_sent_and_not_noted_is_found(stage: Stage, bot: BotProcess) -> None:
    stage.ollama.answer = numbered(600)
    held = Held(stage.ollama, before=300)
    question = stage.mention("Count")
    await held.reached()
    await stage.reply_to(question, shows("w250"))
    stage.discord.faults.slow("POST", "/messages", seconds=SECONDS, after=True)
    Held(stage.ollama, before=500)
    held.go_on()
    second = await sent(stage, shows("w450"))

    await crash(stage, bot)
    await bot.start()

    marked = await sent(stage, shows(BEGUN))
    assert marked.id == second.id
    first, last = pages(stage.channel)
    assert labels(first) == []
    assert labels(last) == ["Regenerate", "Continue", "Delete"]
    words = f"{first.content} {last.content}".split()
    assert words[: words.index("⚠️")] == [word.strip() for word in numbered(words.index("⚠️"))]
    await settled(stage)


async def test_an_answer_without_words_offers_to_begin_anew_and_does(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    asked = stage.ask("Why?")
    await held.reached()
    await asked.message(shows("One moment"))
    await stored(stage, 0, WAITING)

    await crash(stage, bot)
    await bot.start()

    marked = await asked.message(is_finished)
    assert marked.content == f"-# Anna asked: Why?\n{BLANK}"
    await settled(stage)
    stage.anna.click(marked, "Regenerate")
    await asked.message(shows(f"-# Anna asked: Why?\nHello there.\n{FOOTER}"))


async def test_after_a_crash_an_answer_goes_on_where_it_stood(stage: Stage, bot: BotProcess) -> None:
    Held(stage.ollama, before=1)
    question = stage.mention("Why?")
    await stage.reply_to(question, shows("Hello"))
    await stored(stage, 1, "messages WHERE content = 'Hello '")
    await crash(stage, bot)
    await bot.start()
    marked = await stage.reply_to(question, shows(BEGUN))

    await settled(stage)
    stage.ollama.answer = ["again", "."]
    stage.anna.click(marked, "Continue")

    done = await stage.reply_to(question, shows(f"Hello again.\n{FOOTER}"))
    assert done.id == marked.id


@pytest.mark.parametrize("words", [0, 1])
async def test_a_crash_during_regenerate_loses_no_version(stage: Stage, bot: BotProcess, words: int) -> None:
    stage.ollama.answer = numbered(600)
    question = stage.mention("Count")
    await sent(stage, shows(FOOTER))
    await stored(stage, 0, "open_answers")
    before = pages(stage.channel)
    stage.ollama.answer = ["New ", "words."]
    held = Held(stage.ollama, before=words)
    stage.anna.click(before[-1], "Regenerate")
    await held.reached()
    await stage.reply_to(question, shows("New" if words else "One moment"))
    if words:
        await stored(stage, 1, "messages WHERE content = 'New '")

    await crash(stage, bot)
    await bot.start()

    if words:
        marked = await stage.reply_to(question, shows("⚠️"))
        assert marked.content == f"New\n{BEGUN}"
        await stored(stage, 0, "open_answers")
        stage.anna.click(marked, "◀")
    await sent(stage, lambda it: it.id > before[-1].id and FOOTER in it.content)
    shown = pages(stage.channel)
    assert [message.content for message in shown] == [message.content for message in before]
    assert "Regenerate" in labels(shown[-1])
    await settled(stage)


async def test_a_crash_while_the_old_version_comes_back_leaves_all_of_it_once(stage: Stage, bot: BotProcess) -> None:
    stage.ollama.answer = numbered(600)
    stage.mention("Count")
    await sent(stage, shows(FOOTER))
    await stored(stage, 0, "open_answers")
    before = pages(stage.channel)
    stage.ollama.answer, stage.ollama.error_line = [], "the model broke"
    stage.discord.faults.slow("POST", "/messages", seconds=SECONDS, after=True)
    stage.anna.click(before[-1], "Regenerate")
    await sent(stage, lambda it: it.id > before[-1].id and FOOTER in it.content)

    await crash(stage, bot)
    await bot.start()

    await settled(stage)
    shown = pages(stage.channel)
    assert [message.content for message in shown] == [message.content for message in before]
    assert "Regenerate" in labels(shown[-1])


async def test_a_crash_during_continue_keeps_what_there_was(stage: Stage, bot: BotProcess) -> None:
    Held(stage.ollama, before=1)
    asked = stage.ask("Why?")
    stage.anna.click(await asked.message(shows("Hello")), "Stop")
    stopped = await asked.message(is_finished)
    held = Held(stage.ollama, before=0)
    await stored(stage, 0, "open_answers")
    stage.anna.click(stopped, "Continue")
    await held.reached()
    await asked.message(lambda it: "Writing" in it.content and it.edits > stopped.edits)

    await crash(stage, bot)
    await bot.start()

    marked = await asked.message(shows("⚠️"))
    assert marked.content == f"-# Anna asked: Why?\nHello\n{BEGUN}\n{FOOTER}"
    assert labels(marked) == ["Regenerate", "Continue", "Details", "Delete"]
    await settled(stage)


async def test_a_crash_while_the_remains_are_looked_after_is_made_up_for(stage: Stage) -> None:
    bot = stage.bot(MAX_PARALLEL_ANSWERS="1")
    await bot.start()
    held = Held(stage.ollama, before=1)
    begun = stage.mention("Begun")
    await held.reached()
    await stage.reply_to(begun, shows("Hello"))
    waiting = stage.anna.say(stage.guild.add_channel("other"), "Waiting", mention_bot=True)
    await stage.reply_to(waiting, shows("Waiting"))
    await stored(stage, 2, "open_answers WHERE discord_id IS NOT NULL")
    await bot.kill()
    stage.discord.faults.slow("PATCH", "/messages/", seconds=SECONDS, after=True)
    await bot.start()
    await stage.reply_to(begun, shows("⚠️"))

    await crash(stage, bot)
    async with bot:
        assert (await stage.reply_to(waiting)).content == f"Hello there.\n{FOOTER}"
        await settled(stage)

    assert [len(replies(stage, question)) for question in (begun, waiting)] == [1, 1]
    assert prompted(stage, "Waiting") == 1


MOMENTS = {"starting": 0.7, "connecting": 1.1, "ready": None}
"""Seconds after a start when it crashes once more; None stands for the moment when it is ready."""


async def crash_twice(stage: Stage, bot: BotProcess, seconds: float | None) -> None:
    """Kill it, and the next one soon after its start; the third one is left alone."""
    await crash(stage, bot)
    starting = asyncio.create_task(bot.start())
    await asyncio.wait({starting}, timeout=seconds)
    await bot.kill()
    await asyncio.gather(starting, return_exceptions=True)
    await bot.start()


@pytest.mark.parametrize("seconds", MOMENTS.values(), ids=MOMENTS)
async def test_two_crashes_while_questions_are_in_line_leave_each_one_end(
    stage: Stage, bot: BotProcess, seconds: float | None
) -> None:
    Held(stage.ollama, before=1)
    begun = stage.mention("Begun")
    await stage.reply_to(begun, shows("Hello"))
    waiting, asked = stage.guild.add_member("Ben").say(stage.channel, "Why?", mention_bot=True), stage.ask("How?")
    await stage.reply_to(waiting, shows("Waiting"))
    await asked.message(shows("Waiting"))
    await stored(stage, 3, "open_answers WHERE discord_id IS NOT NULL")

    await crash_twice(stage, bot, seconds)

    assert (await stage.reply_to(begun, shows("⚠️"))).content == f"Hello\n{BEGUN}"
    await stage.reply_to(waiting)
    await asked.message(is_finished)
    await settled(stage)
    assert [len(replies(stage, question)) for question in (begun, waiting)] == [1, 1]
    assert len(pages(stage.channel)) == 3
    texts = [prompt[-1][1].rpartition(" ")[2] for prompt in stage.ollama.prompts]
    assert len(texts) == len(set(texts)), "a question was asked twice"
    assert texts[0] == "Begun"


@pytest.mark.parametrize("seconds", MOMENTS.values(), ids=MOMENTS)
async def test_two_crashes_during_regenerate_lose_no_version(
    stage: Stage, bot: BotProcess, seconds: float | None
) -> None:
    question = stage.mention("Why?")
    first = await stage.reply_to(question)
    await stored(stage, 0, "open_answers")
    stage.ollama.answer = ["New ", "words."]
    Held(stage.ollama, before=1)
    stage.anna.click(first, "Regenerate")
    await stage.reply_to(question, shows("New"))
    await stored(stage, 1, "messages WHERE content = 'New '")

    await crash_twice(stage, bot, seconds)

    marked = await stage.reply_to(question, shows("⚠️"))
    assert marked.content == f"New\n{BEGUN}"
    await settled(stage)
    stage.anna.click(marked, "◀")
    await stage.discord.wait_for(
        lambda event: event.message and event.message.edits > marked.edits and event.message.content == first.content
    )
    assert len(replies(stage, question)) == 1
    assert prompted(stage, "Why?") == 2


@pytest.mark.parametrize("seconds", MOMENTS.values(), ids=MOMENTS)
async def test_two_crashes_during_continue_keep_what_there_was(
    stage: Stage, bot: BotProcess, seconds: float | None
) -> None:
    Held(stage.ollama, before=1)
    question = stage.mention("Why?")
    stage.anna.click(await stage.reply_to(question, shows("Hello")), "Stop")
    stopped = await stage.reply_to(question)
    await stored(stage, 0, "open_answers")
    stage.ollama.answer = ["again", "."]
    Held(stage.ollama, before=1)
    stage.anna.click(stopped, "Continue")
    await stage.reply_to(question, shows("Hello again"))
    await stored(stage, 1, "messages WHERE content = 'Hello again'")
    count = len(stage.ollama.asked) + len(stage.ollama.went_on)

    await crash_twice(stage, bot, seconds)

    marked = await stage.reply_to(question, shows("⚠️"))
    assert marked.content.startswith(f"Hello again\n{BEGUN}")
    assert labels(marked)[:2] == ["Regenerate", "Continue"]
    await settled(stage)
    assert replies(stage, question) == [marked]
    assert len(stage.ollama.asked) + len(stage.ollama.went_on) == count
