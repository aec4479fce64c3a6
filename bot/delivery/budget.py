"""How many calls Discord still allows, as far as its responses tell. No I/O, no clock of its own.

Discord counts calls in buckets: a window opens with the first call that arrives, and gives all its calls back at its
end. Which numbers hold is not documented and differs between buckets; every response says them (X-RateLimit headers),
so a `Budget` starts from what is known to be safe and learns. Times are seconds of one monotonic clock.
See docs/delivery.md.
"""

from __future__ import annotations

import math

CALLS = 5
SECONDS = 5.0
"""What Discord is known to allow for messages of a channel and for an interaction: the state before learning."""

SAFETY = 0.05
"""A window is taken to renew this much later than Discord says, since its clock and ours tick apart."""

CLEAN = 60.0
"""Seconds without a refusal after which a bucket that refused is trusted with more calls again."""


class Budget:
    """One bucket. `spend` before a call is sent; `learn` or `refuse` when its response came.

    It errs to the safe side: a call counts from the moment it is sent, and a window ends at the latest moment that
    agrees with what Discord said.
    """

    def __init__(self, calls: int = CALLS, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.sharers = 0
        """How many answers are being written through this bucket."""
        self._limit = calls
        self._withheld = 0
        """Calls of each window that are not made, because Discord refused when they were."""
        self._withholds_until = -math.inf
        self._used = 0
        self._in_flight = 0
        self._last_spent = -math.inf
        self._ends = -math.inf
        self._end_is_known = False
        self._previous_end = -math.inf
        self._refused_until = -math.inf

    @property
    def calls(self) -> int:
        """Calls that a whole window is good for."""
        return max(self._limit - self._withheld, 1)

    def is_over(self, now: float) -> bool:
        """Whether no window is running, so that the next call opens one."""
        return now >= self._renews

    def left(self, now: float) -> int:
        """Calls that may be sent now."""
        if now < self._refused_until:
            return 0
        return max(self.calls - (self._in_flight if self.is_over(now) else self._used), 0)

    def renews(self, now: float, begins: float) -> float:
        """When the running window ends; where none is running, the end of one that begins at `begins`."""
        return begins + self.seconds if self.is_over(now) else self._renews

    def gap(self, now: float, last: float, *, notice: float = 0.0) -> float:
        """Seconds from a sharer's last call to its next, so that calls come evenly and every sharer gets as many.

        The last call of the window then falls `notice` seconds before its end. Infinite while nothing is left.
        """
        left = self.left(now)
        if not left:
            return math.inf
        since = max(last, self._last_spent)
        even = since + max(self.renews(now, since) - notice - since, 0.0) / left - last
        return max(even, self.sharers * self.seconds / self.calls) if self.sharers > 1 else even

    def spend(self, now: float) -> None:
        """Count a call that is about to be sent."""
        if self.is_over(now):
            self._previous_end, self._ends = self._renews, now + self.seconds + SAFETY
            self._end_is_known = False
            self._used = self._in_flight
        self._used += 1
        self._in_flight += 1
        self._last_spent = now

    def settle(self) -> None:
        """Count a call as answered, or as lost."""
        self._in_flight = max(self._in_flight - 1, 0)

    def learn(self, *, limit: int, remaining: int, reset_after: float, now: float, sent: float | None = None) -> None:
        """Take Discord's word for a window, in whatever order responses come; `sent` is when the call went out.

        The end of its window lies between `sent` and `now`, each plus `reset_after`.
        """
        earliest, latest = (now if sent is None else sent) + reset_after, now + reset_after + SAFETY
        # What was refused under a higher limit is no reason to make fewer calls than a lower one allows.
        self._withheld = max(self._withheld - max(self._limit - limit, 0), 0)
        self._limit = max(limit, 1)
        if self._withheld and now >= self._withholds_until:
            self._withhold(max(self._withheld - max(self._limit // 8, 1), 0), now)
        if remaining == limit - 1:
            self.seconds = max(reset_after, SAFETY)
        if earliest <= self._previous_end:
            return  # a late word about a window before this one
        if earliest > self._renews:  # the call arrived only after the window that it was counted in
            self._previous_end, self._ends = self._renews, latest
            self._used = limit - remaining + self._in_flight
        else:
            self._ends = min(self._ends, latest) if self._end_is_known else latest
            self._used = max(self._used, limit - remaining)
        self._end_is_known = True

    def refuse(self, *, retry_after: float, now: float) -> None:
        """Take a 429: nothing is left until then, and later windows are trusted with no more than this one let through.

        Other calls on their way are refused with it, which is no further news. Nor is a refusal beyond a limit
        that was learnt meanwhile.
        """
        if now >= self._refused_until and self._used <= self._limit:
            let_through = min(self.calls, self._used) - 1
            self._withhold(self._limit - max(let_through, self.calls // 2, 1), now)
        self._refused_until = max(self._refused_until, now + retry_after + SAFETY)

    def _withhold(self, calls: int, now: float) -> None:
        self._withheld = calls
        self._withholds_until = now + CLEAN

    @property
    def _renews(self) -> float:
        return max(self._ends, self._refused_until)
