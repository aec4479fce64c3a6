"""Trouble with Discord that goes on for a while: every answer arrives whole, once, exactly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from playground.discord import ChannelHandle, Limit, LoopbackDiscord, RateLimits
from playground.discord.faults import Fault, Faults
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, answer, is_finished, numbered, paced, pages, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

FOOTER = f"-# {MODEL} · assistant"
ANSWER = f"Hello there.\n{FOOTER}"
ASKED = f"-# Anna asked: Hi\n{ANSWER}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(MAX_PARALLEL_ANSWERS="16") as bot:
        yield stage
        # A bot ends only after all that is still to be written: what came late is seen now.
        assert await bot.stop() == 0
        found = {tuple(page.content for page in pages(channel)) for channel in of_one_page(stage)}
        assert found <= {(ASKED,), (ANSWER,), ()}
        assert "Unexpected error" not in bot.log()
        assert stage.discord.unknown_routes == []


def of_one_page(stage: Stage) -> list[ChannelHandle]:
    """The channels in which no answer is longer than a message."""
    channels = [ChannelHandle(stage.discord, channel) for channel in stage.discord.world.channels.values()]
    return [channel for channel in channels if channel.model.name in {"talk", "other", "calm"}]


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """The shared stage with a calm Discord, a fresh channel, and an Ollama that answers at once."""
    shared.discord.faults.clear()
    shared.discord.limits = RateLimits()
    shared.discord.calls.clear()
    shared.ollama.answer, shared.ollama.between = ["Hello ", "there."], None
    shared.ollama.asked.clear()
    return replace(shared, channel=shared.guild.add_channel("talk"))


async def both_begun(stage: Stage) -> tuple[ChannelHandle, Held]:
    """An answer to /ask and one to a mention in another channel, both held after their first word."""
    other, held = stage.guild.add_channel("other"), Held(stage.ollama, before=1)
    stage.ask("Hi")
    stage.anna.say(other, "Hi", mention_bot=True)
    await stage.said(stage.channel, shows("Hello"))
    await stage.said(other, shows("Hello"))
    return other, held


async def both_ended(stage: Stage, other: ChannelHandle, *, asked: int = 2) -> None:
    """Both answers are whole, nothing else stands there, and the model was asked no more often than it should be."""
    await stage.said(stage.channel, is_finished)
    await stage.said(other, is_finished)
    found = [message.content for place in (stage.channel, other) for message in pages(place)]
    assert found == [ASKED, ANSWER]
    assert len(stage.ollama.asked) == asked


EDIT = ("PATCH", "/messages/")

STORMS: dict[str, Callable[[Faults], Fault]] = {
    "errors that discord.py does not repeat": lambda faults: faults.fail(*EDIT, status=503, times=4),
    "errors that discord.py repeats": lambda faults: faults.fail(*EDIT, status=502, times=2),
    "edits done, and answered with an error": lambda faults: faults.fail(*EDIT, status=500, times=4, after=True),
    "connections that break": lambda faults: faults.drop(*EDIT, times=10),
    "connections that break when the edit is done": lambda faults: faults.drop(*EDIT, times=10, after=True),
    "limits that no header announced": lambda faults: faults.rate_limit(*EDIT, retry_after=0.4, times=8),
    "limits for all of the bot": lambda faults: faults.rate_limit(*EDIT, retry_after=0.4, times=6, scope="global"),
    "calls that take long to be done": lambda faults: faults.slow(*EDIT, seconds=1.0, times=4),
    "calls that take long to be confirmed": lambda faults: faults.slow(*EDIT, seconds=1.0, times=4, after=True),
}


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS)
async def test_a_storm_over_the_last_edits_ends_with_both_answers_whole(
    stage: Stage, storm: Callable[[Faults], Fault]
) -> None:
    other, held = await both_begun(stage)

    fault = storm(stage.discord.faults)
    held.go_on()

    await both_ended(stage, other)
    assert fault.hits


FIRST = r"/callback$|/channels/\d+/messages$"

BEGINNINGS: dict[str, Callable[[Faults], Fault]] = {
    "errors": lambda faults: faults.fail("POST", FIRST, status=503, times=4),
    "errors although it was sent": lambda faults: faults.fail("POST", FIRST, status=503, times=2, after=True),
    "connections that break": lambda faults: faults.drop("POST", FIRST, times=4),
    "connections that break when it was sent": lambda faults: faults.drop("POST", FIRST, times=2, after=True),
    "limits that no header announced": lambda faults: faults.rate_limit("POST", FIRST, retry_after=0.4, times=4),
    "a confirmation that comes late": lambda faults: faults.slow("POST", FIRST, seconds=2.5, times=2, after=True),
}


@pytest.mark.parametrize("storm", BEGINNINGS.values(), ids=BEGINNINGS)
async def test_a_storm_over_the_first_message_delays_it_and_nothing_stands_there_twice(
    stage: Stage, storm: Callable[[Faults], Fault]
) -> None:
    other = stage.guild.add_channel("other")

    fault = storm(stage.discord.faults)
    stage.ask("Hi")
    stage.anna.say(other, "Hi", mention_bot=True)

    await both_ended(stage, other)
    assert fault.hits == fault.times


async def test_a_response_that_comes_too_late_for_discord_stops_the_model(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    late = stage.discord.faults.slow("POST", "/callback$", seconds=3.5)

    stage.ask("Hi")

    await held.left(within=PATIENCE)
    assert late.hits == 1
    assert pages(stage.channel) == []
    stage.ollama.between = None
    assert (await stage.reply_to(stage.mention("Are you well?"))).content == ANSWER


def tightened(discord: LoopbackDiscord) -> None:
    """From now on Discord allows hardly anything."""
    slow = Limit(2, 3.0)
    discord.limits = RateLimits(message_create=slow, message_edit=slow, interaction=slow, total=Limit(8, 1.0))


async def test_many_long_answers_come_whole_through_limits_that_are_tightened_in_the_middle(stage: Stage) -> None:
    stage.ollama.answer = numbered(450)
    paced(stage.ollama, rate=120)
    places = [stage.guild.add_channel(f"place{number}") for number in range(6)]
    for number, place in enumerate(places):
        if number % 2:
            stage.anna.slash(place, "ask", prompt="Count")
        else:
            stage.anna.say(place, "Count", mention_bot=True)

    await stage.said(places[-1], shows("w100"))
    tightened(stage.discord)

    for place in places:
        await stage.said(place, is_finished)
    for place in places:
        text = " ".join(page.content.removeprefix("-# Anna asked: Count\n") for page in pages(place))
        assert [f"{word} " for word in text.replace(FOOTER, "").split()] == stage.ollama.answer
        assert len(pages(place)) == 2
    # One for each window that was open when the limits changed, and one for all of them together.
    assert sum(call.status == 429 for call in stage.discord.calls) <= 12


async def test_a_storm_over_one_channel_holds_up_no_other(stage: Stage) -> None:
    other, held = await both_begun(stage)
    stage.discord.faults.rate_limit("PATCH", f"/channels/{other.id}/messages/", retry_after=3)
    held.go_on()

    asked = stage.anna.slash(stage.guild.add_channel("calm"), "ask", prompt="Hi")

    assert (await answer(asked)).content == ASKED
    assert not is_finished(pages(other)[-1])
    await both_ended(stage, other, asked=3)
