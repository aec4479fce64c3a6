"""Rate-limit buckets: a window opens with its first call and gives all its calls back at its end."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from playground.discord.settings import Family, Limit, RateLimits


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the headers of one answer say, and for how long the call is refused (0 for a call let through)."""

    limit: Limit
    remaining: int
    reset_after: float
    bucket: str
    refused_for: float = 0.0

    def headers(self) -> dict[str, str]:
        """Return the X-RateLimit headers; 429 adds its own."""
        return {
            "X-RateLimit-Limit": str(self.limit.calls),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{time.time() + self.reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{in_milliseconds(self.reset_after):.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }


def in_milliseconds(seconds: float) -> float:
    """Round up to a millisecond: who waits for a rounded-down time comes too early."""
    return math.ceil(seconds * 1000) / 1000


@dataclass(frozen=True, slots=True)
class Level:
    """How full one bucket is now; an idle one has all its calls left and nothing to reset."""

    families: tuple[Family, ...]
    resource: str
    limit: Limit
    left: int
    resets_in: float


class _Window:
    def __init__(self) -> None:
        self.ends = float("-inf")
        self.used = 0


class Buckets:
    """One window per route family and top-level resource, and one for all calls of the bot's token.

    `limits` may be replaced at any time: numbers of calls hold at once, lengths for windows that open from then on.
    """

    def __init__(self, limits: RateLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._windows: dict[tuple[Family, str], _Window] = {}

    def take(self, family: Family, resource: str, *, channel: str = "") -> Verdict | None:
        """Count a call; None where nothing is limited. `channel` stands in for a resource that is no channel."""
        if family in self.limits.together:
            family, resource = self.limits.together[0], channel or resource
        limit: Limit | None = getattr(self.limits, family)
        if limit is None:
            return None
        window = self._windows.setdefault((family, resource), _Window())
        now = self._clock()
        if now >= window.ends:
            window.ends, window.used = now + limit.seconds, 0
        left = window.ends - now
        if window.used >= limit.calls:
            return Verdict(limit, 0, left, _hash(family), refused_for=left)
        window.used += 1
        return Verdict(limit, limit.calls - window.used, left, _hash(family))

    def levels(self, *, idle_for: float = 0.0) -> list[Level]:
        """Return the buckets that are in use, or have been idle for at most so many seconds, in order of first use."""
        now = self._clock()
        return [
            self._level(family, resource, limit, window, now)
            for (family, resource), window in self._windows.items()
            if now < window.ends + idle_for and (limit := getattr(self.limits, family))
        ]

    def _level(self, family: Family, resource: str, limit: Limit, window: _Window, now: float) -> Level:
        together = self.limits.together
        families = together if together and family == together[0] else (family,)
        resets_in = max(0.0, window.ends - now)
        used = window.used if resets_in else 0
        return Level(families, resource, limit, max(0, limit.calls - used), resets_in)


def _hash(family: str) -> str:
    """Discord names buckets by opaque hashes; a readable one serves as well."""
    return f"loopback-{family.replace('_', '-')}"
