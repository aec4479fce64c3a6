"""Saves a loopback Discord's world again and again, so that not even a kill loses more than the last moments."""

import asyncio
import logging
from contextlib import suppress
from typing import Self

from playground.discord.server import LoopbackDiscord
from playground.discord.snapshot import Snapshot

logger = logging.getLogger(__name__)

_PERIOD = 1.0


class Keeper:
    """Saves a Discord while `async with` lasts: what changed, once a second, and at the end.

    It looks at the world instead of listening to events, as not every change is one.
    """

    def __init__(self, discord: LoopbackDiscord, snapshot: Snapshot) -> None:
        self._discord = discord
        self._snapshot = snapshot
        self._ended = asyncio.Event()
        self._work: asyncio.Task[None]
        self._trouble = ""

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        await self._work

    async def _keep(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PERIOD):
                    await self._ended.wait()
            await self._save()
            if self._ended.is_set():
                return

    async def _save(self) -> None:
        """A full disk must not end a demo: it is said once, and tried again."""
        try:
            await asyncio.to_thread(self._snapshot.write, self._snapshot.take(self._discord))
        except OSError as failure:
            if str(failure) != self._trouble:
                logger.warning("The world could not be saved, and a restart will begin with an older one: %s", failure)
            self._trouble = str(failure)
        else:
            self._trouble = ""
