"""Through which of Discord's doors the messages of an answer can be written."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.delivery.budgets import Budgets
from bot.delivery.calls import Caller
from bot.delivery.interaction_surface import TOKEN_LIFE, InteractionSurface
from bot.delivery.reply_surface import ReplySurface
from bot.delivery.surface import OLD, Surface, SurfaceGone, TextFile


class Clock:
    """A clock that a test puts forward."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lanes(surface: Surface, *, page: int) -> list[str]:
    """The names of the lanes when one page is there."""
    surface.message_ids = [7]
    return [lane.name for lane in surface.lanes(page)]


def response(clock: Clock, *, private: bool = False, member: bool = True, responded: bool = True) -> InteractionSurface:
    interaction = SimpleNamespace(
        id=1,
        token="secret",
        guild_id=3,
        channel_id=5,
        client=SimpleNamespace(get_guild=lambda _: object() if member else None),
        app_permissions=discord.Permissions(view_channel=True),
        response=SimpleNamespace(is_done=lambda: responded),
    )
    return InteractionSurface(Caller(Budgets(), clock), cast("Any", interaction), private=private)


def reply(*, edited_at: datetime | None = None) -> ReplySurface:
    question = cast("Any", SimpleNamespace(id=6, edited_at=edited_at, to_reference=lambda **_: None))
    return ReplySurface(Caller(Budgets()), question, cast("Any", SimpleNamespace(id=5)))


def test_a_reply_to_the_same_question_has_the_same_key_unless_that_was_edited() -> None:
    first, again, edited = reply(), reply(), reply(edited_at=datetime(2026, 1, 2, tzinfo=UTC))

    assert first.nonce(1) == again.nonce(1) != first.nonce(0)
    assert edited.key != first.key
    assert len(edited.nonce("file")) <= 25


def test_a_reply_is_sent_and_edited_in_two_buckets_of_its_channel() -> None:
    surface = reply()

    assert (lanes(surface, page=0), lanes(surface, page=1)) == (["channel"], ["send"])
    assert surface.seconds_left == surface.seconds_to_begin == float("inf")


def test_a_response_is_edited_through_its_token_and_its_channel() -> None:
    surface = response(Clock())

    assert (lanes(surface, page=0), lanes(surface, page=1)) == (["token", "channel"], ["token", "send"])


@pytest.mark.parametrize("closed", [{"private": True}, {"member": False}])
def test_a_response_that_the_channel_does_not_reach_has_its_token_alone(closed: dict[str, bool]) -> None:
    clock = Clock()
    surface = response(clock, **closed)

    assert (lanes(surface, page=0), lanes(surface, page=1)) == (["token"], ["token"])
    assert surface.seconds_left == TOKEN_LIFE
    clock.now += TOKEN_LIFE
    with pytest.raises(SurfaceGone):
        surface.lanes(0)
    with pytest.raises(SurfaceGone):
        surface.lanes(1)


def test_a_response_that_outlived_its_token_goes_on_in_its_channel() -> None:
    clock = Clock()
    surface = response(clock)
    clock.now += TOKEN_LIFE

    assert (lanes(surface, page=0), lanes(surface, page=1)) == (["channel"], ["send"])
    assert surface.seconds_left == float("inf")


def test_the_response_itself_is_counted_in_no_bucket() -> None:
    surface = response(Clock(), responded=False)

    [lane] = surface.lanes(0)

    assert (lane.name, lane.budgets) == ("response", ())


async def test_what_a_dead_token_does_not_take_is_sent_to_the_channel() -> None:
    sent: list[dict[str, Any]] = []
    dead = discord.NotFound(cast("Any", SimpleNamespace(status=404, reason="")), {"code": 10015, "message": ""})

    async def refuse(**_: object) -> None:
        raise dead

    async def send(**message: object) -> None:
        sent.append(message)

    surface = response(Clock())
    interaction = cast("Any", surface)._interaction
    interaction.followup = SimpleNamespace(send=refuse)
    interaction.client.get_partial_messageable = lambda *_, **__: SimpleNamespace(send=send)

    await surface.announce(7, "Ready")
    await surface.send_file(TextFile("a.txt", "a"))

    assert [message.get("content") for message in sent] == ["<@7> Ready", None]
    assert sent[1]["file"].filename == "a.txt"


def test_a_message_grows_old_by_our_own_clock_and_a_new_one_is_young() -> None:
    clock = Clock()
    surface = response(clock)
    surface._begun_at = [clock.now]
    clock.now += OLD

    assert (surface.seconds_until_old(0), surface.seconds_until_old(1)) == (0, float("inf"))
