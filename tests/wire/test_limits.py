"""How often the bot writes under limits that it has to learn, and how rarely it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from playground.discord import Asked, Limit, Permission, RateLimits
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Stage, answer, is_finished, numbered, paced, pages, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

FOOTER = f"-# {MODEL} · assistant"
RATE = 20
"""Tokens a second."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(MAX_PARALLEL_ANSWERS="16"):
        yield stage
        assert stage.discord.unknown_routes == []


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """The shared stage with Discord's usual limits, a fresh channel, and an empty call log."""
    shared.discord.limits = RateLimits()
    shared.discord.calls.clear()
    return replace(shared, channel=shared.guild.add_channel("talk"))


def writes_for(stage: Stage, seconds: float) -> str:
    """Let the model write in real time from now on; returns its whole text."""
    stage.ollama.answer = numbered(round(seconds * RATE))
    paced(stage.ollama, rate=RATE)
    return "".join(stage.ollama.answer).strip()


def edits(stage: Stage, way: str, *, since: float = 0.0) -> int:
    """How many edits came through one way."""
    return sum(
        call.method == "PATCH" and way in call.path and call.status == 200 and call.at >= since
        for call in stage.discord.calls
    )


def both_ways(stage: Stage, asked: Asked, *, since: float = 0.0) -> tuple[int, int]:
    """The edits of an answer to /ask: through the interaction's token, and through the channel."""
    by_channel = f"/channels/{asked.interaction.channel_id}/"
    return edits(stage, asked.interaction.token, since=since), edits(stage, by_channel, since=since)


async def test_answers_in_five_channels_at_once_use_what_is_allowed_and_are_never_refused(stage: Stage) -> None:
    text = writes_for(stage, 6)
    refused = stage.discord.rate_limit_hits
    others = [stage.guild.add_channel(f"other{number}") for number in range(4)]

    asked = stage.ask("Count")
    for other in others:
        stage.anna.say(other, "Count", mention_bot=True)
    done = [await answer(asked), *[await stage.said(other, is_finished) for other in others]]

    assert [message.content for message in done] == [
        f"-# Anna asked: Count\n{text}\n{FOOTER}",
        *[f"{text}\n{FOOTER}"] * 4,
    ]
    assert stage.discord.rate_limit_hits == refused
    by_token, by_channel = both_ways(stage, asked)
    alone = [edits(stage, f"/channels/{other.id}/") for other in others]
    assert min(by_token, by_channel) >= 4
    assert min(alone) >= 5
    assert by_token + by_channel > max(alone) + 2


async def test_a_token_and_a_channel_that_are_counted_together_are_refused_at_most_twice(stage: Stage) -> None:
    stage.discord.limits = RateLimits(together=("message_edit", "interaction"))
    text = writes_for(stage, 15)
    refused = stage.discord.rate_limit_hits

    asked = stage.ask("Count")
    done = await answer(asked)

    assert done.content == f"-# Anna asked: Count\n{text}\n{FOOTER}"
    assert stage.discord.rate_limit_hits - refused <= 2
    assert sum(both_ways(stage, asked)) >= 9  # of the 15 to 20 that one bucket has for 15 seconds


@dataclass(frozen=True)
class Paced:
    """What an answer to a mention and one to /ask looked like after the limits had changed."""

    limit: Limit
    are_whole: bool
    refused: int
    alone: float
    """Edits a second of the answer to the mention."""
    both: float
    """Edits a second of the answer to /ask."""


async def under_changed_limits(folder: Path, limit: Limit) -> Paced:
    """Change all limits in the middle of two answers, and look on when the bot has had time to learn."""
    async with staged(folder) as stage, stage.bot():
        body = f"{writes_for(stage, 14)}\n{FOOTER}"
        stage.mention("Count")
        asked = stage.anna.slash(stage.guild.add_channel("other"), "ask", prompt="Count")
        await stage.said(stage.channel, shows("w060"))
        stage.discord.limits = RateLimits(message_create=limit, message_edit=limit, interaction=limit)
        # What was running then may go on for five seconds.
        learned = await stage.discord.wait_for(
            lambda event: event.message and "w160" in event.message.content, timeout=PATIENCE
        )
        done = [await stage.said(stage.channel, is_finished), await answer(asked)]
        seconds = stage.discord.calls[-1].at - learned.at
        return Paced(
            limit,
            [message.content for message in done] == [body, f"-# Anna asked: Count\n{body}"],
            stage.discord.rate_limit_hits,
            edits(stage, f"/channels/{stage.channel.id}/", since=learned.at) / seconds,
            sum(both_ways(stage, asked, since=learned.at)) / seconds,
        )


async def test_the_rhythm_follows_limits_that_change_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    limits = [Limit(5, 2.0), Limit(3, 5.0), Limit(10, 5.0)]
    folders = [tmp_path / str(number) for number in range(len(limits))]
    for folder in folders:
        folder.mkdir()

    seen = await asyncio.gather(*map(under_changed_limits, folders, limits))

    for one in seen:
        allowed = one.limit.calls / one.limit.seconds
        assert one.are_whole
        # One for each of the three buckets that the bot could not know to have changed.
        assert one.refused <= 3
        assert one.both >= allowed
    quick, slow, many = seen
    assert quick.alone > many.alone > slow.alone
    assert quick.both > many.both > slow.both


async def test_where_the_bot_may_not_send_messages_all_pages_of_a_command_come_by_its_token(stage: Stage) -> None:
    stage.ollama.answer = numbered(999)
    paced(stage.ollama, rate=150)
    stage.channel.deny_bot(Permission.SEND_MESSAGES)

    stage.ask("Count")
    await stage.said(stage.channel, is_finished)

    found = [word for page in pages(stage.channel) for word in page.content.split() if word.startswith("w")]
    assert found == [token.strip() for token in stage.ollama.answer]
    assert len(pages(stage.channel)) == 3
    assert [call.status for call in stage.discord.calls if call.status >= 400] == [403]
