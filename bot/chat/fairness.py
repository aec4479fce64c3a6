"""In which order those who wait have their turns: round robin over servers, in each over channels, then over people.

Plain round robin, one answer at a time: whoever had a turn goes to the end of its circle, and whoever begins to wait
joins there. So while somebody waits, nobody beside them has two turns before they have one. No clock and no tasks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Ticket:
    """One question that waits or has its turn."""

    conversation: Hashable
    """One answer at a time in each."""
    path: tuple[Hashable, ...]
    """Server, channel, person: each shares what the one before it gets. All direct messages count as one server."""
    model: str = ""
    """Which model will answer, as far as is known."""


class FairLine:
    """The questions that wait."""

    def __init__(self) -> None:
        self._tickets: list[Ticket] = []
        self._ends = itertools.count()
        self._places: dict[tuple[Hashable, ...], int] = {}
        """Where each server, channel and person with a waiting question stands in its circle; the lowest is next."""

    def __len__(self) -> int:
        return len(self._tickets)

    def __contains__(self, ticket: Ticket) -> bool:
        return ticket in self._tickets

    def join(self, ticket: Ticket, *, instead_of: Ticket | None = None) -> None:
        """Let a question wait, behind what its person asked before, or in place of one that waits."""
        if instead_of is not None and instead_of in self._tickets:
            self._tickets[self._tickets.index(instead_of)] = ticket
        else:
            self._tickets.append(ticket)
        for circle in _circles(ticket):
            self._places.setdefault(circle, next(self._ends))

    def leave(self, ticket: Ticket) -> None:
        """Take out a question that waits no more, without a turn."""
        self._tickets.remove(ticket)
        self._forget_empty(ticket)

    def take(self, ticket: Ticket) -> None:
        """Take out a question that gets its turn."""
        self._tickets.remove(ticket)
        for circle in _circles(ticket):
            self._places[circle] = next(self._ends)
        self._forget_empty(ticket)

    def first(self, may_go: Callable[[Ticket], bool]) -> Ticket | None:
        """Whose turn it is among those that may go."""
        return next(iter(self._ordered(filter(may_go, self._tickets), 1)), None)

    def in_order(self) -> list[Ticket]:
        """All that wait, as they would have their turns if nothing held up one of them and nobody else came."""
        return self._ordered(self._tickets, 1)

    def _ordered(self, tickets: Iterable[Ticket], depth: int) -> list[Ticket]:
        """Those in one circle, turn by turn; the innermost is one person's, whose questions keep their order."""
        groups: dict[tuple[Hashable, ...], list[Ticket]] = {}
        for ticket in tickets:
            groups.setdefault(ticket.path[:depth], []).append(ticket)
        if len(groups) == 1:
            [only] = groups.values()
            return only if depth >= len(only[0].path) else self._ordered(only, depth + 1)
        circle = sorted(groups, key=self._places.__getitem__)
        return list(_in_turns([self._ordered(groups[path], depth + 1) for path in circle]))

    def _forget_empty(self, left: Ticket) -> None:
        for circle in _circles(left):
            if not any(ticket.path[: len(circle)] == circle for ticket in self._tickets):
                self._places.pop(circle, None)


def _circles(ticket: Ticket) -> Iterator[tuple[Hashable, ...]]:
    return (ticket.path[:depth] for depth in range(1, len(ticket.path) + 1))


def _in_turns(lines: Sequence[Sequence[T]]) -> Iterator[T]:
    """The first of each, then the second of each, and so on."""
    missing = object()
    for row in itertools.zip_longest(*lines, fillvalue=missing):
        yield from (item for item in row if item is not missing)  # type: ignore[misc]
