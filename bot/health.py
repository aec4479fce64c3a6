"""A sign of life in a file, for container health checks: the bot renews it while it is connected to Discord."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

INTERVAL = 15
"""Seconds between two signs of life."""
STALE = 90
"""Seconds after which a missing sign means that something is wrong; reconnecting takes a while."""


def sign_of_life() -> Path:
    """The file, one for each user of the machine."""
    return Path(tempfile.gettempdir()) / f"llampost-{os.getuid()}.alive"


async def beat(is_well: Callable[[], bool], interval: float = INTERVAL) -> None:
    """Renew the sign of life for as long as all is well; runs until cancelled."""
    while True:
        if is_well():
            await asyncio.to_thread(sign_of_life().touch)
        await asyncio.sleep(interval)


def is_alive() -> bool:
    """Whether a bot on this machine gave a sign of life lately."""
    try:
        # A clock that was set back would make the last sign one of the future.
        return abs(time.time() - sign_of_life().stat().st_mtime) < STALE
    except OSError:
        return False
