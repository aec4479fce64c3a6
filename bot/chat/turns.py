"""Whose turn it is: one answer at a time in a conversation, a bounded number of answers at once, a bounded line."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.chat.estimate import Durations, waits
from bot.chat.fairness import FairLine, Ticket
from bot.errors import QueueFull

QUIET = 10.0
"""Seconds in which nobody is told a second time how many answers come first."""

CROWD = 2
"""Among more than so many that wait in one channel, each is told more rarely, since they share the channel's edits."""

CHANNEL = 2
"""How much of a ticket's path names a channel."""

Tell = Callable[[int, float | None], None]
"""Hears how many answers come first, and in about how many seconds one's turn begins, where that is known."""


@dataclass(eq=False, slots=True)
class _Waiting:
    ticket: Ticket
    tell: Tell
    called: asyncio.Event = field(default_factory=asyncio.Event)
    refused: QueueFull | None = None
    told: int | None = None
    told_at: float = -math.inf


class Turns:
    """Lets questions begin, in the fair order of `FairLine`, as soon as there is room and their conversation is free.

    A question never waits behind one that is itself held up elsewhere. Where the line is too long, the question whose
    turn would come last is refused: so whoever fills the line pushes out nobody but themselves.
    """

    def __init__(
        self, *, parallel: int, waiting: int, quiet: float = QUIET, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow `parallel` answers at once and `waiting` questions in line."""
        self._parallel = parallel
        self._limit = waiting
        self._quiet = quiet
        self._clock = clock
        self._running: dict[Ticket, float] = {}
        """Since when."""
        self._line = FairLine()
        self._waiting: dict[Ticket, _Waiting] = {}
        self._heirs: dict[Ticket, Ticket] = {}
        self._durations = Durations()
        self._again: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(
        self,
        ticket: Ticket,
        *,
        tell: Tell,
        instead_of: Ticket | None = None,
        joined: Callable[[], object] = lambda: None,
    ) -> AsyncGenerator[None, None]:
        """Wait for one's turn and hold it; `tell` hears at once where that means waiting, and now and then after that.

        A question `instead_of` another one has its place in line, or its turn once that one gives it back. `joined` is
        called as soon as nobody can come in between. Raises QueueFull where the line is full. A block that ends without
        an error counts as an answer whose duration lets later ones be foretold.
        """
        await self._admit(ticket, tell, instead_of, joined)
        try:
            yield
            self._durations.add(ticket.model, self._clock() - self._running[ticket])
        finally:
            self._leave(ticket)

    async def _admit(self, ticket: Ticket, tell: Tell, instead_of: Ticket | None, joined: Callable[[], object]) -> None:
        if self._may_go(ticket):
            self._running[ticket] = self._clock()
            joined()
            return
        waiting = self._waiting[ticket] = _Waiting(ticket, tell)
        self._join(waiting, instead_of)
        try:
            if not waiting.refused:
                joined()
                self._tell(waiting, self._outlooks()[ticket])
            await waiting.called.wait()
        except BaseException:
            # Stopped while in line, or replaced; the turn may have been given in the same moment.
            if ticket in self._running:
                self._leave(ticket)
            elif ticket in self._line:
                self._line.leave(ticket)
                self._tell_all()
            raise
        finally:
            del self._waiting[ticket]
        if waiting.refused:
            raise waiting.refused

    def _join(self, waiting: _Waiting, instead_of: Ticket | None) -> None:
        self._line.join(waiting.ticket, instead_of=instead_of)
        if instead_of is not None and instead_of in self._running:
            self._heirs[instead_of] = waiting.ticket
        elif len(self._line) > self._limit:
            last = self._waiting[self._line.in_order()[-1]]
            self._line.leave(last.ticket)
            last.refused = QueueFull(_full(self._limit))
            last.called.set()

    def _may_go(self, ticket: Ticket) -> bool:
        is_free = all(ticket.conversation != other.conversation for other in self._running)
        return is_free and len(self._running) < self._parallel

    def _leave(self, ticket: Ticket) -> None:
        del self._running[ticket]
        heir = self._heirs.pop(ticket, None)
        if heir is not None and heir in self._line:
            self._call(heir)
        while (following := self._line.first(self._may_go)) is not None:
            self._call(following)
        self._tell_all()

    def _call(self, ticket: Ticket) -> None:
        self._line.take(ticket)
        self._running[ticket] = self._clock()
        self._waiting[ticket].called.set()

    def _tell(self, waiting: _Waiting, outlook: tuple[int, float | None]) -> None:
        waiting.told, waiting.told_at = outlook[0], self._clock()
        waiting.tell(*outlook)

    def _tell_all(self) -> None:
        """Tell those for whom the number has changed, each as rarely as `QUIET` says; the rest when that is over."""
        if self._again:
            self._again.cancel()
            self._again = None
        now, later = self._clock(), math.inf
        outlooks = self._outlooks()
        crowds = Counter(ticket.path[:CHANNEL] for ticket in outlooks)
        for ticket, outlook in outlooks.items():
            waiting = self._waiting[ticket]
            if outlook[0] == waiting.told:
                continue
            due = waiting.told_at + self._quiet * max(crowds[ticket.path[:CHANNEL]] / CROWD, 1)
            if due <= now:
                self._tell(waiting, outlook)
            else:
                later = min(later, due)
        if later < math.inf:
            self._again = asyncio.get_running_loop().call_later(later - now, self._tell_all)

    def _outlooks(self) -> dict[Ticket, tuple[int, float | None]]:
        """For each that waits: how many answers end before theirs begins, at most, and in how many seconds it does."""
        line, now, usual = self._line.in_order(), self._clock(), self._durations
        seconds = waits(
            {ticket.conversation: usual.left(ticket.model, now - since) for ticket, since in self._running.items()},
            [(ticket.conversation, usual.usual(ticket.model)) for ticket in line],
            parallel=self._parallel,
        )
        if len(self._running) < self._parallel:
            # There is room: everybody in line waits for their own conversation only.
            before = Counter[Hashable]()
            ahead = []
            for ticket in line:
                before[ticket.conversation] += 1
                ahead.append(before[ticket.conversation])
        else:
            ahead = list(range(1, len(line) + 1))
        return dict(zip(line, zip(ahead, seconds, strict=True), strict=True))


def _full(waiting: int) -> str:
    """Why a question is refused where no more than so many may wait."""
    if not waiting:
        return "I can't take another question just now; please ask again in a moment."
    how_many = "One question is" if waiting == 1 else f"{waiting} questions are"
    return f"{how_many} waiting already; please ask again in a moment."
