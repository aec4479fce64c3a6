"""Buttons stand below the last page and nowhere else, at no cost of their own; what stands there already is reused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord.utils import MISSING
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.answers import Control, Finished
from bot.chat.messages import EndReason
from bot.delivery.budgets import Budgets
from bot.delivery.calls import Caller
from bot.delivery.channel_surface import ChannelSurface
from bot.delivery.lane import Lane
from bot.delivery.live_answer import LiveAnswer
from bot.delivery.surface import OLD, Payload
from tests.virtual_time import in_virtual_time, run
from tests.wall import DONE, HEADER, MANY_MESSAGES, Wall, expected

STOP, END = cast("Any", "Stop"), cast("Any", "End")


class ButtonWall(Wall):
    """A wall that also notes which buttons each page has."""

    def __init__(self, pages: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.pages = list(pages)
        self.message_ids = list(range(len(pages)))
        self._begun_at = [0.0] * len(pages)
        self.rows: dict[int, object] = dict.fromkeys(range(len(pages)), "Old")
        self.states: list[tuple[int, str, object]] = []

    def _note(self, page: int, payload: Payload) -> None:
        super()._note(page, payload)
        if payload.view is not MISSING:
            self.rows[page] = payload.view
        self.states.append((page, payload.content, self.rows.get(page)))


def live_on(wall: Wall) -> LiveAnswer:
    return LiveAnswer(
        wall, Control(), header=HEADER, display=MANY_MESSAGES, placeholder_after=0, stop_button=lambda: STOP
    )


async def shown_on(wall: Wall, live: LiveAnswer, pieces: list[str], finished: Finished = DONE) -> None:

    async def written() -> None:
        """Nobody listens."""

    task = asyncio.create_task(live.show(written))
    for piece in pieces:
        live.text(piece)
        await asyncio.sleep(0.3)
    live.finish(finished, lambda: END)
    await task


@given(st.lists(st.sampled_from(["word " * 90, "```py\n" + "x = 1\n" * 100, "```\n", "Short. "]), max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_last_page_alone_has_buttons_and_no_write_is_made_for_them(pieces: list[str]) -> None:
    wall = ButtonWall()

    async def story() -> None:
        await shown_on(wall, live_on(wall), pieces)

    run(story())

    assert [wall.rows[page] for page in range(len(wall.pages))] == [*[None] * (len(wall.pages) - 1), END]
    for page in range(len(wall.pages)):
        its = [content for at, content, _ in wall.states if at == page]
        assert len(its) == len([1 for a, b in zip([None, *its], its, strict=False) if a != b])
    newest = 0
    for page, _, row in wall.states:
        newest = max(newest, page)
        assert row is not STOP or page == newest, "only what is being written can be stopped"


@in_virtual_time
async def test_pages_that_stay_are_not_written_again_and_the_last_one_goes_on() -> None:
    text = "word " * 600
    cut = Finished(EndReason.LENGTH, model="tiny:1b", persona="assistant")
    before = expected(text, cut)
    wall = ButtonWall(tuple(before))
    live = live_on(wall)
    live.go_on(text)

    await shown_on(wall, live, ["and more. ", "even more " * 200])

    assert len(before) == 2
    assert wall.pages == expected(text + "and more. " + "even more " * 200, DONE)
    assert all(page > 0 for page, _ in wall.writes)
    assert wall.rows == {0: "Old", 1: None, 2: None, 3: END}


@in_virtual_time
async def test_pages_that_were_cut_elsewhere_are_written_anew() -> None:
    text = "word " * 600
    wall = ButtonWall(("cut", "by", "the clock"))
    live = live_on(wall)
    live.go_on(text)

    await shown_on(wall, live, ["and more. "])

    assert wall.pages[: live.length] == expected(text + "and more. ", DONE)
    assert (live.length, wall.pages[2]) == (2, "the clock")


class SlowWall(ButtonWall):
    is_slow = True


@in_virtual_time
async def test_messages_that_may_be_edited_rarely_are_written_to_twice() -> None:
    wall = SlowWall(("An older version",))

    await shown_on(wall, live_on(wall), ["words "] * 50)

    assert [(page, row) for page, _, row in wall.states] == [(0, STOP), (0, END)]
    assert wall.pages == expected("words " * 50, DONE)


@pytest.mark.parametrize(("minutes", "is_slow"), [(5, False), (57, False), (59, True)])
def test_old_messages_are_written_to_rarely_and_young_ones_until_they_are_old(minutes: int, is_slow: bool) -> None:
    today = datetime(2038, 1, 20, tzinfo=UTC)  # by Discord's clock, whatever this machine's says
    made = today - timedelta(minutes=minutes)
    channel = cast("Any", SimpleNamespace(id=5))
    caller = Caller(Budgets(), lambda: 0.0, lambda: today)

    surface = ChannelSurface(caller, channel, key="1", message_ids=[discord.utils.time_snowflake(made)])

    assert surface.is_slow == is_slow
    left = surface.seconds_until_old(0)
    assert left == float("inf") if is_slow else left == pytest.approx(OLD - minutes * 60, abs=2)
    assert isinstance(surface.lanes(0)[0], Lane)
