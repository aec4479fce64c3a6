"""Each error of Discord's own that an answer can meet, one after the other: the model is left, and people are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import pytest
import pytest_asyncio

from playground.discord import ChannelHandle, Message, errors
from playground.discord.errors import ApiError
from playground.discord.faults import Fault
from playground.discord.validation import walk
from tests.fake_ollama import MODEL
from tests.fake_ollama import Fault as ModelFault

from .stage import PATIENCE, Held, Stage, is_finished, pages, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

FOOTER = f"-# {MODEL} · assistant"
ANSWER = f"Hello there.\n{FOOTER}"
NOT_HERE = (
    "⚠️ Discord does not let this text stand here; perhaps a rule of the server forbids it. "
    "“Save answer as file”, in this message's Apps menu, gives you what there is of the answer."
)

LONG = 30.1
"""Seconds; some clients give up where they would have to wait for more than 30."""

FINAL = {
    "10003": errors.unknown_channel(),
    "10008": errors.unknown_message(),
    "50001": errors.missing_access(),
    "50007": errors.cannot_message_user(),
    "50013": errors.missing_permissions(),
    "50083": errors.archived_thread(),
    "50278": errors.no_direct_messages(),
    "160005": errors.locked_thread(),
}
"""After these nothing can be shown."""

OF_TEXTS = {
    "50006": errors.empty_message(),
    "50035": errors.too_long(["content"], 2000),
    "200000": errors.blocked_by_automod(),
}
"""After these another text may stand."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(MAX_PARALLEL_ANSWERS="8") as bot:
        yield stage
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log()
        assert stage.discord.unknown_routes == []


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared: Stage) -> AsyncIterator[Stage]:
    """The shared stage with a fresh channel; afterwards the bot must be as well as before."""
    shared.discord.calls.clear()
    stage = replace(shared, channel=shared.guild.add_channel("talk"))
    yield stage
    shared.discord.faults.clear()
    shared.ollama.answer, shared.ollama.between = ["Hello ", "there."], None
    question = shared.anna.say(shared.guild.add_channel("later"), "Are you well?", mention_bot=True)
    assert (await shared.reply_to(question)).content == ANSWER


def refuse_edits(stage: Stage, error: ApiError, *, times: int = 1000) -> Fault:
    """From now on Discord refuses edits in the stage's channel."""
    return stage.discord.faults.refuse("PATCH", f"/channels/{stage.channel.id}/messages/", error, times=times)


def refuse_messages(stage: Stage, channel: ChannelHandle, error: ApiError, *, times: int = 1000) -> Fault:
    """From now on Discord refuses new messages in a channel."""
    return stage.discord.faults.refuse("POST", f"/channels/{channel.id}/messages$", error, times=times)


async def begun(stage: Stage) -> tuple[Message, Held, Held]:
    """An answer that waits after its first word, and will wait again after the next one."""
    stage.ollama.answer = ["Hello ", "there, ", "Anna."]
    first, second = Held(stage.ollama, before=1), Held(stage.ollama, before=2)
    stage.ollama.between = lambda index: first.hold(index) or second.hold(index)
    question = stage.mention("Hi")
    await stage.reply_to(question, shows("Hello"))
    return question, first, second


@pytest.mark.parametrize("error", FINAL.values(), ids=FINAL)
async def test_an_edit_refused_for_good_stops_the_model_and_is_not_tried_again(stage: Stage, error: ApiError) -> None:
    _, first, second = await begun(stage)
    fault = refuse_edits(stage, error)

    first.go_on()

    await second.left()
    assert fault.hits == 1


@pytest.mark.parametrize("error", FINAL.values(), ids=FINAL)
async def test_a_first_message_refused_for_good_stops_the_model(stage: Stage, error: ApiError) -> None:
    held = Held(stage.ollama, before=1)
    place = stage.anna.dm if error.code in {50007, 50278} else stage.channel
    fault = refuse_messages(stage, place, error)

    stage.anna.say(place, f"{stage.discord.mention} Hi")

    await held.left()
    assert fault.hits == 1


@pytest.mark.parametrize("error", OF_TEXTS.values(), ids=OF_TEXTS)
async def test_a_text_that_discord_does_not_take_leaves_what_stands_and_says_so(stage: Stage, error: ApiError) -> None:
    question, first, second = await begun(stage)
    refuse_edits(stage, error, times=1)

    first.go_on()

    await second.left()
    done = await stage.reply_to(question)
    assert done.content == f"Hello\n{NOT_HERE}\n{FOOTER} · stopped"
    assert "Stop" not in {part.get("label") for part in walk(done.components)}
    stage.ollama.between = None
    saved = await stage.anna.message_command(stage.channel, "Save answer as file", done).message()
    [file] = saved.attachments
    assert file.data.decode() == "Hello there, "


@pytest.mark.parametrize("error", [*OF_TEXTS.values(), errors.no_history_for_reply()], ids=[*OF_TEXTS, "160002"])
async def test_a_first_text_that_discord_does_not_take_is_replaced_by_the_reason(stage: Stage, error: ApiError) -> None:
    Held(stage.ollama, before=1)
    refuse_messages(stage, stage.channel, error, times=1)

    question = stage.mention("Hi")

    assert (await stage.reply_to(question)).content == f"{NOT_HERE}\n{FOOTER} · stopped"


async def test_a_last_text_that_discord_does_not_take_leaves_what_stands_and_says_so(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    await stage.reply_to(question, shows("Hello"))
    refuse_edits(stage, errors.blocked_by_automod(), times=1)

    held.go_on()

    assert (await stage.reply_to(question)).content == f"Hello\n{NOT_HERE}\n{FOOTER}"


async def test_where_even_the_reason_is_refused_the_model_is_left(stage: Stage) -> None:
    _, first, second = await begun(stage)
    fault = refuse_edits(stage, errors.blocked_by_automod())

    first.go_on()

    await second.left()
    stage.ollama.between, stage.ollama.answer = None, ["Hello ", "there."]
    await stage.reply_to(stage.anna.say(stage.guild.add_channel("other"), "Still there?", mention_bot=True))
    assert fault.hits == 2


async def test_a_further_follow_up_that_is_one_too_many_is_said_below_what_stands(stage: Stage) -> None:
    stage.ollama.answer = [f"w{number:03} " for number in range(900)]
    stage.discord.faults.refuse("POST", "/webhooks/", errors.too_many_follow_ups())

    asked = stage.ask("Count")
    done = await asked.message(is_finished, timeout=PATIENCE)

    assert NOT_HERE in done.content
    assert len(pages(stage.channel)) == 1


async def test_the_limit_for_old_messages_is_waited_out(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    await stage.reply_to(question, shows("Hello"))
    fault = refuse_edits(stage, errors.too_many_old_edits(0.5), times=3)

    held.go_on()

    assert (await stage.reply_to(question)).content == ANSWER
    assert fault.hits == 3


async def test_a_ban_by_cloudflare_is_outlasted(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    await stage.reply_to(question, shows("Hello"))
    fault = stage.discord.faults.ban("PATCH", f"/channels/{stage.channel.id}/messages/", times=2, retry_after=1)

    held.go_on()

    assert (await stage.reply_to(question)).content == ANSWER
    assert fault.hits == 2


async def test_a_response_to_an_unknown_interaction_stops_the_model(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    fault = stage.discord.faults.refuse("POST", "/callback$", errors.unknown_interaction())

    stage.ask("Hi")

    await held.left()
    assert fault.hits == 1
    assert pages(stage.channel) == []


async def test_a_long_question_that_discord_never_saw_answered_is_given_back_through_the_channel(stage: Stage) -> None:
    stage.ollama.fault = ModelFault(500, "model runner has unexpectedly stopped")
    prompt = "Why? " * 100
    refused = stage.discord.faults.refuse("POST", "/callback$", errors.unknown_interaction())

    stage.ask(prompt)

    given_back = await stage.said(stage.channel, lambda message: bool(message.attachments))
    stage.ollama.fault = None
    assert refused.hits == 1
    assert [(file.filename, file.data.decode()) for file in given_back.attachments] == [("question.txt", prompt)]


ACKNOWLEDGED = errors.already_acknowledged()


@pytest.mark.parametrize("times", [1, 1000])
async def test_a_command_that_is_said_to_be_answered_though_nothing_was_shown_is_answered_in_the_channel(
    stage: Stage, times: int
) -> None:
    fault = stage.discord.faults.refuse("POST", "/callback$", ACKNOWLEDGED, times=times)

    stage.ask("Hi")

    shown = await stage.said(stage.channel, is_finished)
    assert shown.content == f"-# Anna asked: Hi\n{ANSWER}"
    assert pages(stage.channel) == [shown]
    assert fault.hits == 1


async def test_a_private_command_that_is_said_to_be_answered_is_told_to_nobody_else(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    stage.discord.faults.refuse("POST", "/callback$", ACKNOWLEDGED, times=1000)

    stage.ask("Between us", private=True)

    await held.left()
    assert stage.channel.messages(hidden=True) == []


@pytest.mark.parametrize("by_mention", [True, False])
async def test_an_edit_that_discord_takes_for_unauthorized_a_few_times_is_repeated(
    stage: Stage, by_mention: bool
) -> None:
    held = Held(stage.ollama, before=1)
    if by_mention:
        await stage.reply_to(stage.mention("Hi"), shows("Hello"))
    else:
        await stage.ask("Hi").message(shows("Hello"))
    fault = stage.discord.faults.refuse("PATCH", "/messages/", errors.unauthorized(), times=3)

    held.go_on()

    done = await stage.said(stage.channel, is_finished)
    assert done.content.endswith(ANSWER)
    assert pages(stage.channel) == [done]
    assert fault.hits == 3


async def test_answers_outlast_a_long_limit_and_hold_up_no_other(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    question, asked = stage.mention("Hi"), stage.anna.slash(stage.guild.add_channel("second"), "ask", prompt="Hi")
    await stage.reply_to(question, shows("Hello"))
    await asked.message(shows("Hello"))
    refused = [
        stage.discord.faults.rate_limit("PATCH", path, retry_after=LONG)
        for path in (f"/channels/{stage.channel.id}/messages/", f"/webhooks/.*/{asked.interaction.token}/")
    ]
    begun = monotonic()

    held.go_on()
    elsewhere = stage.anna.say(stage.guild.add_channel("third"), "Hi", mention_bot=True)

    assert (await stage.reply_to(elsewhere)).content == ANSWER
    assert monotonic() - begun < LONG / 2
    await asyncio.sleep(LONG)
    assert (await stage.reply_to(question)).content == ANSWER
    assert (await asked.message(is_finished)).content == f"-# Anna asked: Hi\n{ANSWER}"
    assert [fault.hits for fault in refused] == [1, 1]
