"""However the text comes and however Discord behaves, in the end exactly the answer stands there."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.answers import Control, Finished, Step
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.live_answer import RESERVE, TRIES, LiveAnswer
from bot.delivery.pace import Pace
from bot.delivery.pages import LIMIT, Pages
from bot.delivery.surface import Surface
from bot.delivery.text import units
from bot.errors import BadInput, ModelStalled

HEADER = "-# alice asked: Why?"
DONE = Finished(EndReason.COMPLETE, model="tiny:1b", persona="assistant")


def refusal(status: int, code: int = 0) -> discord.HTTPException:
    return discord.HTTPException(cast("Any", SimpleNamespace(status=status, reason="")), {"code": code})


@dataclass
class Behaviour:
    """What Discord does with one write: how many turns of the loop it takes, and how it fails."""

    turns: int = 0
    error: Exception | None = None


class Wall(Surface):
    """Messages as a list, with what was written to them in order."""

    def __init__(self, behaviours: Iterable[Behaviour] = ()) -> None:
        super().__init__()
        self.pages: list[str] = []
        self.writes: list[tuple[int, str]] = []
        self._behaviours: Iterator[Behaviour] = iter(behaviours)

    def bucket_of(self, page: int) -> str:
        return "wall"

    async def _behave(self) -> None:
        behaviour = next(self._behaviours, Behaviour())
        for _ in range(behaviour.turns):
            await asyncio.sleep(0)
        if behaviour.error:
            raise behaviour.error

    async def _begin(self, page: int, content: str, view: discord.ui.View) -> int:
        await self._behave()
        assert page == len(self.pages), "pages begin in order"
        self.pages.append(content)
        self.writes.append((page, content))
        return page

    async def _edit(self, page: int, content: str, view: discord.ui.View | None) -> None:
        await self._behave()
        self.pages[page] = content
        self.writes.append((page, content))

    async def _attach(self, file: discord.File) -> None:
        raise NotImplementedError


@dataclass
class Shown:
    """An answer being shown on a wall."""

    wall: Wall
    header: str = HEADER
    control: Control = field(default_factory=Control)
    pace: Pace = field(default_factory=lambda: Pace(0))
    links: int = 0
    """How often the caller was told of a write."""

    def __post_init__(self) -> None:
        self.live = LiveAnswer(self.wall, self.pace, self.control, header=self.header)
        self.task = asyncio.create_task(self.live.show(self._written))

    async def _written(self) -> None:
        self.links += 1

    async def until(self, true: Callable[[], bool]) -> None:
        """Let the loop turn until something has happened."""
        for _ in range(1000):
            if true():
                return
            await asyncio.sleep(0)
        pytest.fail("it never happened")

    async def end(self, finished: Finished = DONE) -> list[str]:
        self.live.finish(finished)
        await self.task
        return self.wall.pages


def expected(text: str, finished: Finished, header: str = HEADER) -> list[str]:
    """How the messages of an answer read in the end."""
    pages = Pages(first_reserve=units(header) + 1, last_reserve=RESERVE)
    pages.feed(text)
    pages.flush()
    shown = [page.text for page in pages.closed] or [""]
    footer = wording.footer(finished)
    if not pages.closed and finished.reason in {EndReason.COMPLETE, EndReason.LENGTH}:
        footer = f"{wording.nothing_said(finished)}\n{footer}"
    shown[0] = "\n".join(filter(None, [header, shown[0]]))
    last = "\n".join(filter(None, [shown[-1], footer]))
    return [*shown[:-1], last] if units(last) <= LIMIT else [*shown, footer]


FAMILY = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"
MARKUP = ["\n", "\n\n", "```python\n", "```", "`", "**", "||", "- item\n"]
LONG = ["word " * 380, "so on. " * 90, "x" * 700, " " * 300, "\n" * 1500, FAMILY * 200]
CHUNKS = st.sampled_from(["word ", *MARKUP, *LONG, "\ud83d", "\ude00"])
NEWS = st.one_of(
    CHUNKS,
    st.integers(0, 4),  # turns of the loop until the next piece
    st.sampled_from([Step.LOADING, Step.THINKING]),
)
FAILURES = st.sampled_from([refusal(500), refusal(503), refusal(429), OSError("reset"), TimeoutError(), None])
BEHAVIOURS = st.lists(st.builds(Behaviour, turns=st.integers(0, 5), error=FAILURES), max_size=60).filter(
    lambda behaviours: all(
        len(list(run)) < TRIES for failed, run in itertools.groupby(behaviours, lambda it: bool(it.error)) if failed
    )
)
ENDS = st.sampled_from(
    [
        DONE,
        Finished(EndReason.STOPPED, model="tiny:1b", persona="assistant"),
        Finished(EndReason.FAILED, model="tiny:1b", persona="custom", error=ModelStalled("It stood still. Ask again.")),
        Finished(EndReason.FAILED, error=ModelStalled("A long sentence about what is wrong. " * 9)),
        Finished(EndReason.INTERRUPTED, model="tiny:1b", persona="assistant"),
    ]
)


@given(news=st.lists(NEWS, max_size=40), behaviours=BEHAVIOURS, finished=ENDS, header=st.sampled_from([HEADER, ""]))
@settings(max_examples=300, deadline=None)
def test_in_the_end_the_messages_read_as_the_answer_does(
    news: list[str | int], behaviours: list[Behaviour], finished: Finished, header: str
) -> None:
    async def story() -> Wall:
        shown = Shown(Wall(behaviours), header)
        for item in news:
            if isinstance(item, int):
                for _ in range(item):
                    await asyncio.sleep(0)
            elif isinstance(item, Step):
                shown.live.step(item, "tiny:1b")
            else:
                shown.live.text(item)
        await shown.end(finished)
        return shown.wall

    logging.disable(logging.CRITICAL)
    try:
        wall = asyncio.run(story())
    finally:
        logging.disable(logging.NOTSET)

    text = "".join(item for item in news if isinstance(item, str) and not isinstance(item, Step))
    final = expected(text, finished, header)
    assert wall.pages == final
    assert wall.pages[-1].endswith(wording.footer(finished))
    assert all(units(content) <= LIMIT for _, content in wall.writes)
    for page, content in enumerate(final):
        assert [written for at, written in wall.writes if at == page].index(content) + 1 == len(
            [written for at, written in wall.writes if at == page]
        ), "nothing is written to a page that reads as it should for good"


async def test_the_first_thing_to_see_is_that_somebody_is_at_it() -> None:
    shown = Shown(Wall())

    await shown.until(lambda: bool(shown.wall.pages))

    assert shown.wall.pages == [f"{HEADER}\n-# One moment…"]
    await shown.end()


async def test_who_waits_is_told_once_how_many_come_first() -> None:
    shown = Shown(Wall())
    for ahead in (3, 2, 1):
        shown.live.waiting(ahead)
        await shown.until(lambda: bool(shown.wall.pages))
        for _ in range(9):
            await asyncio.sleep(0)
    shown.live.step(Step.STARTING, "tiny:1b")
    for _ in range(9):
        await asyncio.sleep(0)

    assert shown.wall.writes == [(0, f"{HEADER}\n{wording.waiting(3)}")]
    await shown.end()


async def test_sending_and_editing_are_paced_apart() -> None:
    now, waits = [0.0], list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    class Apart(Wall):
        def bucket_of(self, page: int) -> str:
            return "edit" if page < len(self.message_ids) else "send"

    shown = Shown(Apart(), pace=Pace(1, clock=lambda: now[0], sleep=sleep))
    await shown.until(lambda: len(shown.wall.writes) == 1)
    shown.live.text("word " * 370)
    await shown.until(lambda: len(shown.wall.writes) == 2)
    waits_of_one_each = list(waits)
    shown.live.text("word " * 370)

    await shown.end()

    assert waits_of_one_each == []
    assert [page for page, _ in shown.wall.writes] == [0, 0, 0, 1]
    assert waits == [1], "the second edit waits for the first one, the new page waits for nothing"


async def test_the_caller_hears_of_each_write_even_while_text_never_pauses() -> None:
    """A crash in mid-answer can only be mended if the memory knew the message before."""
    shown = Shown(Wall(Behaviour(turns=3) for _ in itertools.count()))
    for count in range(50):
        shown.live.text(f"{count} ")
        await asyncio.sleep(0)
    links_while_writing = shown.links

    await shown.end()

    assert links_while_writing >= 3


async def test_failures_that_are_far_between_never_end_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    every_third = (Behaviour(3, refusal(500) if count % 3 == 2 else None) for count in itertools.count())
    shown = Shown(Wall(every_third))
    for count in range(400):
        shown.live.text(f"{count} ")
        await asyncio.sleep(0)

    pages = await shown.end()

    assert pages == expected("".join(f"{count} " for count in range(400)), DONE)
    assert sum(record.levelno == logging.WARNING for record in caplog.records) > TRIES
    assert shown.control.reason is None


async def test_a_discord_that_fails_again_and_again_ends_the_showing_and_the_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = Shown(Wall(Behaviour(error=OSError("no route")) for _ in itertools.count()))
    shown.live.text("never seen")

    await shown.task

    assert shown.wall.pages == []
    assert shown.control.reason is EndReason.STOPPED
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        f"An answer is left incomplete in Discord after {TRIES} failed writes"
    ]


@pytest.mark.parametrize("status", [403, 404])
async def test_a_message_that_is_gone_ends_the_showing_and_the_model_at_once(status: int) -> None:
    gone = refusal(status)
    gone.__class__ = discord.Forbidden if status == 403 else discord.NotFound  # as discord.py would raise it
    shown = Shown(Wall([Behaviour(), Behaviour(error=gone)]))
    await shown.until(lambda: bool(shown.wall.pages))
    shown.live.text("never seen")

    await shown.task

    assert shown.wall.pages == [f"{HEADER}\n-# One moment…"]
    assert shown.control.reason is EndReason.STOPPED


async def test_a_page_that_filled_up_with_nothing_after_it_still_gets_its_footer() -> None:
    """Only blank lines came after a full page, so it was the last one after all."""
    shown = Shown(Wall())
    shown.live.text("word " * 370 + "\n" * 300)
    await shown.until(lambda: bool(shown.wall.pages) and "One moment" not in shown.wall.pages[0])

    [page] = await shown.end()

    assert page.endswith("word\n-# tiny:1b · assistant")


async def test_an_error_with_a_very_long_list_in_it_still_fits_into_a_message() -> None:
    shown = Shown(Wall())
    names = ", ".join(f"`persona number {number}`" for number in range(200))

    pages = await shown.end(Finished(EndReason.FAILED, error=BadInput(f"There is no such persona. There are {names}.")))

    assert [page[:40] for page in pages] == [HEADER, "⚠️ There is no such persona. There are `p"[:40]]
    assert all(units(page) <= LIMIT for page in pages)
