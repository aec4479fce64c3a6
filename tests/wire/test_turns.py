"""Turns over the wire: fair to everybody, foretold, joined, limited, and all of it also after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from playground.bot_process import BotProcess
from playground.discord.permissions import Permission
from tests.fake_ollama import MODEL
from tests.files.made import pdf

from .stage import PATIENCE, Held, Stage, answer, is_finished, numbered, paced, pages, shows, stored

ANSWER = f"Hello there.\n-# {MODEL} · assistant"


def asked(stage: Stage) -> list[str]:
    """Who asked the model so far, in the order of their turns; each question is a name."""
    return [prompt[-1][1].split()[-1] for prompt in stage.ollama.prompts]


def rows(stage: Stage, query: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        return connection.execute(query).fetchall()


async def test_a_busy_person_a_busy_channel_and_a_busy_server_do_not_hold_up_the_others(stage: Stage) -> None:
    async with stage.bot(MAX_PARALLEL_ANSWERS="1"):
        held = Held(stage.ollama, before=0)
        quiet = stage.discord.add_guild("Quiet")
        here, there = stage.guild.add_channel("other"), quiet.add_channel("talk")
        bernd, carla, dora = stage.guild.add_member("Bernd"), stage.guild.add_member("Carla"), quiet.add_member("Dora")
        questions = [stage.ask("first")]
        await held.reached()
        for number in range(3):
            questions.append(stage.ask(f"anna{number}"))
            await questions[-1].message(shows("Waiting"))
        for who, channel, name in ((bernd, stage.channel, "bernd"), (carla, here, "carla"), (dora, there, "dora")):
            questions.append(who.slash(channel, "ask", prompt=name))
            await questions[-1].message(shows("Waiting"))
        held.go_on()
        for question in questions:
            await answer(question)

        # One's server, then one's channel, then oneself: each of the others before Anna's second one.
        assert asked(stage)[0] == "first"
        assert set(asked(stage)[1:4]) == {"anna0", "carla", "dora"}
        assert asked(stage).index("bernd") < asked(stage).index("anna1")
        assert asked(stage)[-2:] == ["anna1", "anna2"]


async def test_how_long_it_takes_is_said_from_the_second_answer_on(stage: Stage) -> None:
    async with stage.bot(MAX_PARALLEL_ANSWERS="1"):
        await answer(stage.ask("One"))
        held = Held(stage.ollama, before=1)
        first = stage.ask("Two")
        await held.reached()

        second = stage.ask("Three")

        await second.message(shows("-# Waiting: one other answer comes first, about 5 s."))
        held.go_on()
        await answer(first)
        await answer(second)


async def test_two_quick_mentions_are_answered_together_below_the_second(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    stage.mention("What is this?")
    await held.reached()

    second = stage.mention("And why?")
    await held.left()
    held.go_on()
    done = await stage.reply_to(second)

    assert done.content == ANSWER
    assert stage.ollama.prompts[-1][-1] == ("user", "What is this?\n\nAnd why?")
    await stored(stage, 2, "messages")
    async with asyncio.timeout(PATIENCE):
        while len(pages(stage.channel)) > 1:  # noqa: ASYNC110  # the first one's placeholder goes without a word
            await asyncio.sleep(0.01)
    await stored(stage, 0, "open_answers")
    assert "Traceback" not in bot.log()


async def test_a_file_and_a_quick_question_about_it_are_answered_together(stage: Stage, bot: BotProcess) -> None:
    file = pdf("The answer is 42.")
    paced(stage.ollama, rate=1)
    stage.anna.say(stage.channel, "", mention_bot=True, attachments=[("guide.pdf", file)])
    # Read in a process of its own, which takes longer than the question that needs no reading.
    second = stage.mention("What is the answer?")

    done = await stage.reply_to(second)

    assert done.content == ANSWER
    assert stage.ollama.prompts[-1][-1] == (
        "user",
        "What is the answer?\n\nguide.pdf:\n```\n[page 1]\nThe answer is 42.\n```",
    )
    await stored(stage, 2, "messages")
    await stored(stage, 0, "open_answers")
    assert [page.reply_to for page in pages(stage.channel)] == [second.id]
    assert "Traceback" not in bot.log()


async def test_of_two_files_and_a_quick_question_none_is_lost(stage: Stage, bot: BotProcess) -> None:
    paced(stage.ollama, rate=1)
    # All three come to their turn in the same moment, so the second has handed on what it had before the first can.
    for name in ("one", "two"):
        stage.anna.say(stage.channel, "", mention_bot=True, attachments=[(f"{name}.pdf", pdf(name))])
    question = stage.mention("Compare them.")

    assert (await stage.reply_to(question)).content == ANSWER

    assert [name in stage.ollama.prompts[-1][-1][1] for name in ("one.pdf", "two.pdf", "Compare")] == [True] * 3
    # The answer and the three messages that asked for it.
    await stored(stage, 4, "discord_messages")
    await stored(stage, 0, "open_answers")
    assert "Traceback" not in bot.log()


async def test_a_file_that_can_not_be_read_holds_up_no_question(stage: Stage, bot: BotProcess) -> None:
    first = stage.anna.say(stage.channel, "", mention_bot=True, attachments=[("guide.pdf", b"no PDF")])
    second = stage.mention("What is the answer?")

    assert (await stage.reply_to(second)).content == ANSWER
    assert "is damaged" in (await stage.reply_to(first, shows("damaged"))).content
    assert [prompt[-1][1] for prompt in stage.ollama.prompts] == ["What is the answer?"]


async def test_a_mention_after_the_first_words_has_an_answer_of_its_own(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    first = stage.mention("What is this?")
    await held.reached()
    await stage.reply_to(first, shows("Hello"))

    second = stage.mention("And why?")
    await stage.reply_to(second, shows("Waiting"))
    held.go_on()

    assert (await stage.reply_to(first)).content == ANSWER
    assert (await stage.reply_to(second)).content == ANSWER
    assert "Traceback" not in bot.log()


async def test_the_tokens_of_a_day_are_counted_across_a_restart(stage: Stage) -> None:
    stage.ollama.ending = {"done_reason": "stop", "prompt_eval_count": 80, "eval_count": 20}
    async with stage.bot(LIMIT_TOKENS_PER_DAY="100"):
        await answer(stage.ask("First?"))
        await stored(stage, 1, "usage WHERE tokens = 100")
    async with stage.bot(LIMIT_TOKENS_PER_DAY="100"):
        told = await stage.ask("Second?").message(shows("You have used your 100 tokens for today."))

        assert told.ephemeral
        assert len(stage.ollama.asked) == 1


async def test_who_regenerates_another_persons_answer_uses_up_their_own_tokens(stage: Stage) -> None:
    stage.ollama.ending = {"done_reason": "stop", "prompt_eval_count": 80, "eval_count": 20}
    boss = stage.guild.add_member("Boss", permissions=Permission.MANAGE_MESSAGES)
    async with stage.bot(LIMIT_TOKENS_PER_DAY="150") as bot:
        first = await answer(stage.ask("First?"))
        await stored(stage, 0, "open_answers")
        boss.click(first, "Regenerate")
        await stored(stage, 2, "usage WHERE tokens = 100")

        assert (await answer(stage.ask("Second?"))).content == f"-# Anna asked: Second?\n{ANSWER}"
        await stored(stage, 1, f"usage WHERE tokens = 200 AND person_id = {stage.anna.id}")
        assert "Traceback" not in bot.log()


async def test_a_question_too_many_is_refused_privately_in_whatever_way_it_was_asked(stage: Stage) -> None:
    async with stage.bot(LIMIT_QUESTIONS_PER_MINUTE="1"):
        await answer(stage.ask("First?"))

        command = await stage.ask("Second?").message(shows("You asked one question within a minute"))
        stage.mention("Third?")
        direct = await stage.said(stage.anna.dm, shows("You asked one question within a minute"))

        assert command.ephemeral
        assert "You can ask again in " in direct.content
        assert len(pages(stage.channel)) == 1
        assert all(is_finished(message) for message in pages(stage.channel))


async def test_what_was_thought_before_a_stop_counts(stage: Stage) -> None:
    stage.ollama.thoughts = ["thought "] * 200
    held = Held(stage.ollama, before=0)
    async with stage.bot(LIMIT_TOKENS_PER_DAY="150"):
        asked = stage.ask("First?")
        await held.reached()
        stage.anna.click(await asked.message(shows("Thinking")), "Stop")
        await asked.message(shows("stopped by Anna"))
        await stored(stage, 1, "usage WHERE tokens > 200")

        await stage.ask("Second?").message(shows("You have used your 150 tokens for today."))


async def test_to_replay_an_answer_that_was_stopped_counts(stage: Stage) -> None:
    stage.ollama.answer = numbered(50)
    held = Held(stage.ollama, before=30)
    async with stage.bot(LIMIT_TOKENS_PER_DAY="10000"):
        asked = stage.ask("First?")
        stage.anna.click(await asked.message(shows("w010")), "Stop")
        stopped = await asked.message(shows("stopped by Anna"))
        await stored(stage, 1, "usage")
        [(before,)] = rows(stage, "SELECT tokens FROM usage")
        held.go_on()

        details = await stage.anna.click(stopped, "Details").message()
        await stage.anna.click(details, "Replay").message(shows("Identical"))

        assert rows(stage, "SELECT tokens FROM usage") == [(2 * before,)]
