"""What Discord did without saying so: no page stands there twice, and no answer is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from playground.bot_process import BotProcess
from playground.discord import Asked
from playground.discord.faults import Fault, Faults
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, is_finished, numbered, paced, pages, shows

pytestmark = pytest.mark.wire

ANSWER = f"-# Anna asked: Hi\nHello there.\n-# {MODEL} · assistant"

Loss = Callable[[Faults, str], Fault]

LOSSES: dict[str, Loss] = {
    "never comes": lambda faults, path: faults.drop("POST", path, after=True),
    "is an error": lambda faults, path: faults.fail("POST", path, status=500, after=True),
}

losses = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def ask_with_file(stage: Stage, **options: object) -> Asked:
    """A command that is deferred while the bot loads the file."""
    return stage.ask("Hi", file=("note.txt", b"Hello"), **options)


async def be_quiet(stage: Stage) -> None:
    """Anna wants her answers in one piece."""
    await stage.anna.slash(stage.channel, "settings set", parameter="quiet", value="on", scope="me").message()


@losses
async def test_a_follow_up_whose_confirmation_is_lost_stands_there_once(
    stage: Stage, bot: BotProcess, loss: Loss
) -> None:
    stage.ollama.answer = numbered(500)
    held = Held(stage.ollama, before=450)
    fault = loss(stage.discord.faults, "/webhooks/")

    stage.ask("Count")
    await stage.said(stage.channel, shows("w449"))
    held.go_on()
    await stage.said(stage.channel, is_finished)

    await bot.stop()  # which ends only after all that is still to be written
    found = [word for page in pages(stage.channel) for word in page.content.split() if word.startswith("w")]
    assert found == [token.strip() for token in stage.ollama.answer]
    assert (len(pages(stage.channel)), fault.hits) == (2, 1)


async def test_a_follow_up_that_is_lost_twice_while_its_text_grows_stands_there_once(
    stage: Stage, bot: BotProcess
) -> None:
    stage.ollama.answer = numbered(430)
    paced(stage.ollama, rate=80)
    fault = stage.discord.faults.drop("POST", "/webhooks/", times=2, after=True)

    stage.ask("Count")
    await stage.said(stage.channel, lambda message: is_finished(message) and "w429" in message.content)

    await bot.stop()
    found = [word for page in pages(stage.channel) for word in page.content.split() if word.startswith("w")]
    assert found == [token.strip() for token in stage.ollama.answer]
    assert len(pages(stage.channel)) == 2
    assert fault.hits


@losses
async def test_a_deferred_answer_whose_confirmation_is_lost_stands_there_once(
    stage: Stage, bot: BotProcess, loss: Loss
) -> None:
    fault = loss(stage.discord.faults, "/webhooks/")

    asked = ask_with_file(stage)
    await asked.message(is_finished, timeout=PATIENCE)

    await bot.stop()
    assert [page.content for page in pages(stage.channel)] == [ANSWER]
    assert fault.hits == 1


async def test_a_deferred_answer_that_discord_py_sent_twice_before_it_gave_up_stands_there_once(
    stage: Stage, bot: BotProcess
) -> None:
    held = Held(stage.ollama, before=1)
    twice = [
        stage.discord.faults.fail("POST", "/webhooks/", status=503, after=True),
        stage.discord.faults.drop("POST", "/webhooks/", after=True),
        stage.discord.faults.fail("GET", "/messages", status=503),
    ]

    ask_with_file(stage)
    async with asyncio.timeout(PATIENCE):
        while not all(fault.hits for fault in twice):  # noqa: ASYNC110  # nothing else tells of a call that was lost
            await asyncio.sleep(0.02)
    held.go_on()
    await stage.said(stage.channel, is_finished)

    await bot.stop()
    assert [page.content for page in pages(stage.channel)] == [ANSWER]


async def test_a_private_deferred_answer_whose_confirmation_never_comes_stands_there_once(
    stage: Stage, bot: BotProcess
) -> None:
    fault = stage.discord.faults.drop("POST", "/webhooks/", after=True)

    asked = ask_with_file(stage, private=True)
    await asked.message(is_finished, timeout=PATIENCE)

    await bot.stop()
    shown = [message.content for message in stage.channel.messages(hidden=True)]
    assert shown == [f"Hello there.\n-# {MODEL} · assistant"]
    assert fault.hits == 1


@pytest.mark.parametrize("status", [None, 500])
async def test_a_private_response_whose_confirmation_is_lost_is_written_on(
    stage: Stage, bot: BotProcess, status: int | None
) -> None:
    held = Held(stage.ollama, before=1)
    faults = stage.discord.faults
    if status is None:
        fault = faults.drop("POST", "/callback$", after=True)
    else:
        fault = faults.fail("POST", "/callback$", status=status, after=True)

    asked = stage.ask("Hi", private=True)
    await asked.message(shows("Hello"), timeout=PATIENCE)
    held.go_on()
    await asked.message(is_finished, timeout=PATIENCE)

    await bot.stop()
    shown = [message.content for message in stage.channel.messages(hidden=True)]
    assert shown == [f"Hello there.\n-# {MODEL} · assistant"]
    assert fault.hits == 1


@losses
async def test_a_quiet_answer_whose_confirmation_is_lost_stands_there_once(
    stage: Stage, bot: BotProcess, loss: Loss
) -> None:
    await be_quiet(stage)
    fault = loss(stage.discord.faults, "/webhooks/")

    asked = stage.ask("Hi")
    await asked.message(is_finished, timeout=PATIENCE)

    await bot.stop()
    assert [page.content for page in pages(stage.channel)] == [ANSWER]
    assert fault.hits == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_quiet_answer_comes_although_a_deferral_failed(stage: Stage, bot: BotProcess, after: bool) -> None:
    await be_quiet(stage)
    held = Held(stage.ollama, before=1)
    fault = stage.discord.faults.drop("POST", "/callback$", after=after)

    asked = stage.ask("Hi")
    await asked.response()  # in the three seconds for which Discord waits, while the model still writes
    held.go_on()
    await asked.message(is_finished, timeout=PATIENCE)

    await bot.stop()
    assert [page.content for page in pages(stage.channel)] == [ANSWER]
    assert fault.hits == 1
