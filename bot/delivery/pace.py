"""How often messages may be written: one pace per rate-limit bucket, shared fairly by all answers in it.

Discord allows about five writes in five seconds to one channel or interaction. discord.py makes the write that uses up
a bucket wait until the window is over, so a pace of one write in 1.25 s, which always leaves one to spare, is faster
than a shorter one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager

INTERVAL = 1.25
"""Seconds from the end of one write to the beginning of the next in the same bucket."""

MANY = 1_000
"""Buckets kept before the free ones are looked for."""

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]


class Bucket:
    """One bucket; whoever waits first writes first."""

    def __init__(self, interval: float, clock: Clock, sleep: Sleep) -> None:
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._free_at = clock()

    @property
    def is_free(self) -> bool:
        """Whether a write could begin at once, so that a new bucket would do as well."""
        return not self._lock.locked() and self._free_at <= self._clock()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None, None]:
        """Wait until the bucket may be written to; what is written inside should be decided inside, as the newest."""
        async with self._lock:
            if (wait := self._free_at - self._clock()) > 0:
                await self._sleep(wait)
            try:
                yield
            finally:
                self._free_at = self._clock() + self._interval


class Pace:
    """All buckets; now and then those that have long been free are forgotten."""

    def __init__(
        self,
        interval: float = INTERVAL,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[Hashable, Bucket] = {}

    def bucket(self, key: Hashable) -> Bucket:
        """The bucket of a channel or an interaction."""
        if key not in self._buckets:
            if len(self._buckets) >= MANY:
                self._buckets = {known: bucket for known, bucket in self._buckets.items() if not bucket.is_free}
            self._buckets[key] = Bucket(self._interval, self._clock, self._sleep)
        return self._buckets[key]
