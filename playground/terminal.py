"""What the command lines say while they work: plain lines, also for screen readers and logs."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PATIENCE = 2.0
_REPEAT = 5.0


def say(*lines: str) -> None:
    """Print results, each line at once."""
    for line in lines:
        print(line, flush=True)


def tell(text: str) -> None:
    """Print one line that is no result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@asynccontextmanager
async def telling(what: str) -> AsyncIterator[None]:
    """Say what takes so long, once it does."""
    ticker = asyncio.create_task(_tick(what))
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)


async def _tick(what: str) -> None:
    started = time.monotonic()
    pause = _PATIENCE
    while True:
        await asyncio.sleep(pause)
        tell(f"{what}… {time.monotonic() - started:.0f} s")
        pause = _REPEAT
