"""When the messages of one surface are written: at once where it matters, else in the rhythm of the budgets."""

from __future__ import annotations

import asyncio
import math

from bot.delivery.lane import Lane
from bot.delivery.schedule import Urgency, slot
from bot.delivery.surface import Surface


class Rhythm:
    """Gives turns to write, one after another."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._last = surface.clock()

    async def turn(self, page: int, urgency: Urgency, *, unless: asyncio.Event) -> Lane | None:
        """Wait until the page may be written; returns the lane to use, or None where the event came before.

        Raises SurfaceGone where there is no way left to write it.
        """
        while True:
            now = self._surface.clock()
            found = slot(urgency, self._surface.lanes(page), now, self._last)
            if found.at <= now:
                self._last = now
                return found.lane
            # What is allowed at that moment is looked at again then: others write, too.
            if await is_set_within(unless, found.at - now):
                return None


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, but not for longer; returns whether it came."""
    try:
        async with asyncio.timeout(None if seconds == math.inf else seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
