"""When each token of an answer is due, and the wait for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeline:
    """Token k is due k / rate seconds after the start, whatever became of those before it."""

    start: float
    rate: float

    def due(self, token: int) -> float:
        """Return the moment of a token."""
        return self.start + token / self.rate


async def paced(
    timeline: Timeline,
    count: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[int]:
    """Yield each token's number when it is due: never before, and those that are late at once."""
    for token in range(count):
        while (wait := timeline.due(token) - clock()) > 0:
            await sleep(wait)
        yield token
