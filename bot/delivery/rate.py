"""Discord's limit for all calls of a bot together. No I/O, no clock of its own."""

from __future__ import annotations

from collections import deque

from bot.delivery.budget import SAFETY


class Rate:
    """At most so many calls in any span of so many seconds.

    Discord says nothing of this limit in its responses, so nobody knows where its windows begin: what holds in every
    span holds in every window. Used beside a route's own `Budget`, with the same methods.
    """

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls = calls
        self.seconds = seconds
        self.sharers = 0
        """How many answers are being written under it."""
        self._span = seconds + SAFETY
        self._sent: deque[float] = deque()
        self._refused_until = float("-inf")

    def left(self, now: float) -> int:
        """Calls that may be sent now."""
        while self._sent and self._sent[0] + self._span <= now:
            self._sent.popleft()
        return 0 if now < self._refused_until else max(self.calls - len(self._sent), 0)

    def renews(self, now: float, begins: float) -> float:
        """When there is a call again; `begins` where there is one now."""
        opens = begins if self.left(now) or not self._sent else self._sent[0] + self._span
        return max(opens, self._refused_until)

    def gap(self, now: float, last: float, *, notice: float = 0.0) -> float:  # noqa: ARG002  # as Budget.gap
        """Seconds from a sharer's call to its next, so that every sharer gets as many."""
        return self.sharers * self._span / self.calls

    def spend(self, now: float) -> None:
        """Count a call that is about to be sent."""
        self._sent.append(now)

    def settle(self) -> None:
        """Nothing: a call counts from when it is sent."""

    def refuse(self, *, retry_after: float, now: float) -> None:
        """Take a 429: nothing is left until then."""
        self._refused_until = max(self._refused_until, now + retry_after + SAFETY)
