"""Whose turn it is: one answer at a time in a conversation, a bounded number of answers at once, a bounded line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.errors import QueueFull


@dataclass(eq=False, slots=True)
class _Waiting:
    conversation: Hashable
    tell: Callable[[int], None]
    admitted: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """First come, first served, except that a question never waits behind one that is itself held up elsewhere."""

    def __init__(self, *, parallel: int, waiting: int) -> None:
        """Allow `parallel` answers at once and `waiting` questions in line."""
        self._parallel = parallel
        self._waiting = waiting
        self._running: set[Hashable] = set()
        self._line: list[_Waiting] = []

    @asynccontextmanager
    async def turn(self, conversation: Hashable, *, tell: Callable[[int], None]) -> AsyncGenerator[None, None]:
        """Wait for one's turn and hold it; `tell` hears how many answers come first, each time that changes.

        Raises QueueFull at once where the line is full.
        """
        await self._admit(conversation, tell)
        try:
            yield
        finally:
            self._leave(conversation)

    async def _admit(self, conversation: Hashable, tell: Callable[[int], None]) -> None:
        if self._free(conversation):
            self._running.add(conversation)
            return
        if len(self._line) >= self._waiting:
            raise QueueFull(f"{len(self._line)} questions are waiting already; please ask again in a moment.")
        waiting = _Waiting(conversation, tell)
        self._line.append(waiting)
        try:
            tell(self._ahead(waiting))
            await waiting.admitted.wait()
        except BaseException:
            # Stopped while in line; the turn may have been given in the same moment.
            if waiting in self._line:
                self._line.remove(waiting)
                self._tell_all()
            else:
                self._leave(conversation)
            raise

    def _free(self, conversation: Hashable) -> bool:
        return len(self._running) < self._parallel and conversation not in self._running

    def _leave(self, conversation: Hashable) -> None:
        self._running.remove(conversation)
        for waiting in list(self._line):
            if self._free(waiting.conversation):
                self._line.remove(waiting)
                self._running.add(waiting.conversation)
                waiting.admitted.set()
        self._tell_all()

    def _tell_all(self) -> None:
        for waiting in self._line:
            waiting.tell(self._ahead(waiting))

    def _ahead(self, waiting: _Waiting) -> int:
        """How many answers end before this one begins, at most."""
        before = self._line[: self._line.index(waiting)]
        if len(self._running) < self._parallel:
            # There is room: everybody in line waits for their own conversation only.
            before = [other for other in before if other.conversation == waiting.conversation]
        return len(before) + 1
