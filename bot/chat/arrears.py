"""What the memory could not take when it was time, because its disk was full or another program had locked it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.errors import DatabaseDamaged, StorageError

log = logging.getLogger(__name__)

AGAIN_AFTER = 5.0
"""Seconds between two attempts."""

Work = Callable[[], Awaitable[None]]


class Arrears:
    """Tries again and again, in the order in which it came, until the memory has it."""

    def __init__(self, again_after: float = AGAIN_AFTER) -> None:
        self._again_after = again_after
        self._due: deque[Work] = deque()
        self._attempt: asyncio.Task[None] | None = None
        self._trying: asyncio.Task[None] | None = None

    async def store(self, work: Work) -> None:
        """Do it now; where that fails for a reason that may pass, it is tried again, and the failure is raised too."""
        try:
            await work()
        except DatabaseDamaged:
            raise
        except StorageError:
            self._due.append(work)
            if self._trying is None:
                self._trying = asyncio.create_task(self._try_again())
            raise

    async def settle(self) -> None:
        """Do now what is due, before anything that builds on it. Raises StorageError where that still can't be."""
        if self._due:
            if self._attempt is None or self._attempt.done():
                self._attempt = asyncio.create_task(self._settle())
            # For all who want it at once it is one attempt, which none of them ends.
            await asyncio.shield(self._attempt)

    async def close(self) -> None:
        """Try for a last time."""
        if self._trying:
            self._trying.cancel()
        with suppress(StorageError):
            await self.settle()
        if self._due:
            log.error("The ends of %s answers are lost to the memory: they could not be stored in time", len(self._due))

    async def _settle(self) -> None:
        while self._due:
            try:
                await self._due[0]()
                log.info("The end of an answer, which could not be stored in time, is stored now")
            except Exception as error:
                if isinstance(error, StorageError) and not isinstance(error, DatabaseDamaged):
                    raise
                log.exception("The end of an answer can't be stored, and is given up")
            self._due.popleft()

    async def _try_again(self) -> None:
        while self._due:
            await asyncio.sleep(self._again_after)
            with suppress(StorageError):
                await self.settle()
        self._trying = None
