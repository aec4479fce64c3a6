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
from weakref import WeakValueDictionary

INTERVAL = 1.25
"""Seconds from the end of one write to the beginning of the next in the same bucket."""


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
    """All buckets; one that nobody holds any more is forgotten."""

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
        self._buckets: WeakValueDictionary[Hashable, Bucket] = WeakValueDictionary()

    def bucket(self, key: Hashable) -> Bucket:
        """The bucket of a channel or an interaction; hold on to it for as long as it is written to."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._interval, self._clock, self._sleep)
        return bucket
