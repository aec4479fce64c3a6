"""How many calls Discord still allows, and when the next one shows the most. No I/O, no clock of its own.

Discord counts calls in buckets: a window opens with its first call and gives all its calls back at its end. Which
numbers hold is not documented and differs between buckets; every response says them (X-RateLimit headers), so a
`Budget` starts from what is safe and learns. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CALLS = 5
SECONDS = 5.0
"""What Discord is known to allow for messages of a channel and for an interaction: the state before learning."""

RENEWAL = 0.25
"""So shortly before a window renews, its reserved call may be spent: waiting for the new window would be as quick."""

SAFETY = 0.05
"""A window is taken to renew this much later than Discord says, since its clock and ours tick apart."""


class Budget:
    """One bucket. `spend` before a call is sent; `learn` or `refuse` when its response came."""

    def __init__(self, calls: int = CALLS, seconds: float = SECONDS) -> None:
        self.calls = calls
        self.seconds = seconds
        self.sharers = 0
        """How many answers are being written through this bucket."""
        self._used = 0
        self._in_flight = 0
        self._renews = float("-inf")

    def left(self, now: float) -> int:
        """Calls that may be sent now."""
        return self.calls - self._in_flight if self._is_over(now) else max(self.calls - self._used, 0)

    def renews(self, now: float, begins: float) -> float:
        """When the running window ends; where none is running, the end of one that begins at `begins`."""
        return begins + self.seconds if self._is_over(now) else self._renews

    def share(self, now: float) -> float:
        """Calls left for one of the sharers."""
        return self.left(now) / max(self.sharers, 1)

    def spend(self, now: float) -> None:
        """Count a call that is about to be sent."""
        if self._is_over(now):
            self._renews = now + self.seconds + SAFETY
            self._used = self._in_flight
        self._used += 1
        self._in_flight += 1

    def settle(self) -> None:
        """Count a call as answered, or as lost."""
        self._in_flight = max(self._in_flight - 1, 0)

    def learn(self, *, limit: int, remaining: int, reset_after: float, now: float) -> None:
        """Take Discord's word for the window, and reckon in the calls that it has not seen yet."""
        self.calls = max(limit, 1)
        if remaining == limit - 1:
            self.seconds = max(reset_after, SAFETY)
        self._used = limit - remaining + self._in_flight
        self._renews = now + reset_after + SAFETY

    def refuse(self, *, retry_after: float, now: float) -> None:
        """Take a 429: nothing is left until then, whatever we thought."""
        self._used = self.calls
        self._renews = now + retry_after + SAFETY

    def _is_over(self, now: float) -> bool:
        return now >= self._renews


@dataclass(frozen=True)
class Lane:
    """One way to write a message, and the buckets that a call there is counted in."""

    name: str
    budgets: tuple[Budget, ...]

    def spend(self, now: float) -> None:
        """Count a call in all its buckets."""
        for budget in self.budgets:
            budget.spend(now)

    def settle(self) -> None:
        """Count a call as answered, or as lost, in all its buckets."""
        for budget in self.budgets:
            budget.settle()

    def learn(self, now: float, *, limit: int, remaining: int, reset_after: float) -> None:
        """Take Discord's word, which is about the first bucket: the route's own."""
        if self.budgets:
            self.budgets[0].learn(limit=limit, remaining=remaining, reset_after=reset_after, now=now)

    def refuse(self, now: float, retry_after: float, *, everywhere: bool) -> None:
        """Take a 429 of the route's own bucket, or of all of them."""
        for budget in self.budgets if everywhere else self.budgets[:1]:
            budget.refuse(retry_after=retry_after, now=now)

    def left(self, now: float) -> int:
        """Calls that all its buckets allow now."""
        return min(budget.left(now) for budget in self.budgets)

    def open_at(self, now: float) -> float:
        """The earliest moment for a call."""
        return max((budget.renews(now, now) for budget in self.budgets if not budget.left(now)), default=now)

    def horizon(self, now: float, last: float) -> tuple[float, float, float]:
        """When its scarcest bucket renews, what one answer has until then, and what it gets then."""
        budget = min(self.budgets, key=lambda budget: budget.share(now))
        return budget.renews(now, last), budget.share(now), budget.calls / max(budget.sharers, 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """When to write next, and through which lane."""

    at: float
    lane: Lane


def urgent(lanes: Sequence[Lane], now: float) -> Slot:
    """The earliest call there is: for first words and last words."""
    return min((Slot(lane.open_at(now), lane) for lane in lanes), key=lambda slot: (slot.at, -slot.lane.left(now)))


def routine(lanes: Sequence[Lane], now: float, last: float) -> Slot:
    """The next call in an even rhythm that keeps one call in reserve, so that last words never wait.

    Even gaps give the least staleness for a number of calls (half the mean square of the gaps over their mean). The
    reserve, one call over all lanes together, is spent only just before a window renews.
    """
    open_lanes = [lane for lane in lanes if lane.left(now)]
    if not open_lanes:
        return urgent(lanes, now)
    horizons = sorted(lane.horizon(now, last) for lane in lanes)
    calls = sum(share for _, share, _ in horizons)
    gap = 0.0
    for renews, _, renewed in horizons:
        # The rhythm that makes the calls there are by then last until then; the slowest of these is right for all.
        gap = max(gap, (renews - RENEWAL - last) / max(calls, SAFETY))
        calls += renewed
    at = last + gap
    if sum(lane.left(now) for lane in open_lanes) == 1:
        at = max(at, horizons[0][0] - RENEWAL)
    # The lane whose calls would lapse soonest.
    best = min(open_lanes, key=lambda lane: lane.horizon(now, last)[0])
    return Slot(max(at, now), best)
