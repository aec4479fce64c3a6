"""The ways to write a message, each with the buckets that its calls are counted in. No I/O, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.delivery.budget import Budget
from bot.delivery.rate import Rate

NO_LIMIT = 1_000_000
"""Calls left in a lane without buckets."""


@dataclass(frozen=True)
class Lane:
    """One way to write a message, and the limits that a call there is counted in. Without any it is always open."""

    name: str
    route: Budget | None = None
    """The route's own bucket."""
    total: Rate | None = None
    """What all routes share, where this one is counted in it."""
    hashes: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """What Discord calls the routes' own buckets, by the names of lanes; kept by whoever hands out lanes."""

    @property
    def budgets(self) -> tuple[Budget | Rate, ...]:
        """All limits that there are."""
        return tuple(budget for budget in (self.route, self.total) if budget)

    def spend(self, now: float) -> None:
        """Count a call in all its buckets."""
        for budget in self.budgets:
            budget.spend(now)

    def settle(self) -> None:
        """Count a call as answered, or as lost, in all its buckets."""
        for budget in self.budgets:
            budget.settle()

    def learn(
        self,
        now: float,
        *,
        limit: int,
        remaining: int,
        reset_after: float,
        sent: float | None = None,
        bucket: str | None = None,
    ) -> None:
        """Take Discord's word, which is about the route's own bucket; `bucket` is Discord's name for it."""
        if self.route:
            self.route.learn(limit=limit, remaining=remaining, reset_after=reset_after, now=now, sent=sent)
        if bucket:
            self.hashes[self.name] = bucket

    def refuse(self, now: float, retry_after: float, *, everywhere: bool) -> None:
        """Take a 429 of the route's own bucket, or of those that all routes share."""
        refusing = (self.total if everywhere else None) or self.route
        if refusing:
            refusing.refuse(retry_after=retry_after, now=now)

    def left(self, now: float) -> int:
        """Calls that all its buckets allow now."""
        return min((budget.left(now) for budget in self.budgets), default=NO_LIMIT)

    def open_at(self, now: float) -> float:
        """The earliest moment for a call."""
        return max((budget.renews(now, now) for budget in self.budgets if not budget.left(now)), default=now)

    def gap(self, now: float, last: float, *, notice: float = 0.0) -> float:
        """Seconds from an answer's last call to its next in the rhythm that its scarcest bucket allows."""
        return max(budget.gap(now, last, notice=notice) for budget in self.budgets)
