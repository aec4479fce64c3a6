"""An answer shown on a wall: messages without a Discord behind them, in virtual time."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import discord

from bot.chat.answers import Control, Finished
from bot.chat.display import Display
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.budgets import Budgets
from bot.delivery.calls import Caller
from bot.delivery.lane import Lane
from bot.delivery.live_answer import LiveAnswer
from bot.delivery.pages import LIMIT, Pages
from bot.delivery.rendering import RESERVE
from bot.delivery.surface import Payload, Surface, TextFile
from bot.delivery.text import units
from tests.virtual_time import clock

HEADER = "-# alice asked: Why?"
DONE = Finished(EndReason.COMPLETE, model="tiny:1b", persona="assistant")


def refusal(status: int, code: int = 0) -> discord.HTTPException:
    return discord.HTTPException(cast("Any", SimpleNamespace(status=status, reason="")), {"code": code})


@dataclass
class Behaviour:
    """What Discord does with one write: how many seconds it takes, and how it fails."""

    seconds: float = 0.0
    error: Exception | None = None


class Wall(Surface):
    """Messages as a list, with what was written to them in order."""

    def __init__(self, behaviours: Iterable[Behaviour] = (), *, budgets: Budgets | None = None) -> None:
        caller = Caller(budgets or Budgets(unlimited=True), clock)
        super().__init__(caller, "1")
        self.pages: list[str] = []
        self.files: list[TextFile] = []
        self.writes: list[tuple[int, str]] = []
        self.times: list[float] = []
        self.hints: list[float] = []
        self.life = math.inf
        self.edits = caller.budgets.edits(5)
        self._sends = caller.budgets.messages(5)
        self._behaviours: Iterator[Behaviour] = iter(behaviours)

    def lanes(self, page: int) -> Sequence[Lane]:
        return (self.edits,) if page < len(self.message_ids) else (self._sends,)

    @property
    def seconds_left(self) -> float:
        return self.life - self.clock()

    @property
    def seconds_to_begin(self) -> float:
        return self.life - self.clock()

    async def hint(self) -> None:
        self.hints.append(self.clock())

    async def send_file(self, file: TextFile) -> None:
        raise NotImplementedError

    async def announce(self, asker: int, text: str) -> None:
        raise NotImplementedError

    async def _behave(self) -> None:
        behaviour = next(self._behaviours, Behaviour())
        await asyncio.sleep(behaviour.seconds)
        if behaviour.error:
            raise behaviour.error

    async def _begin(self, page: int, payload: Payload, lane: Lane) -> int:
        await self._caller.fetch(lane, self._behave())
        assert page == len(self.pages), "pages begin in order"
        self.pages.append("")
        self._note(page, payload)
        return page

    async def _edit(self, page: int, payload: Payload, lane: Lane) -> None:
        await self._caller.edit(lane, self._behave())
        self._note(page, payload)

    async def _delete(self, message_id: int) -> None:
        raise NotImplementedError

    def _note(self, page: int, payload: Payload) -> None:
        self.pages[page] = payload.content
        self.writes.append((page, payload.content))
        self.times.append(self.clock())
        self.files += [payload.file] if payload.file else []


MANY_MESSAGES = Display(max_messages=100)


@dataclass
class Shown:
    """An answer being shown on a wall."""

    wall: Wall
    header: str = HEADER
    display: Display = MANY_MESSAGES
    placeholder_after: float = 0
    control: Control = field(default_factory=Control)
    links: int = 0
    """How often the caller was told of a write."""

    def __post_init__(self) -> None:
        self.live = LiveAnswer(
            self.wall, self.control, header=self.header, display=self.display, placeholder_after=self.placeholder_after
        )
        self.task = asyncio.create_task(self.live.show(self._written))

    async def _written(self) -> None:
        self.links += 1

    async def stream(self, text: str, *, rate: float = 40.0) -> None:
        """Write words at so many a second."""
        for word in re.findall(r"\S+\s*|\s+", text):
            self.live.text(word)
            await asyncio.sleep(1 / rate)

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
