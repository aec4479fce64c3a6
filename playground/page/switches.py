"""The route by which a visitor restarts, kills or cuts off the bot."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from playground.discord import LoopbackDiscord
from playground.page.ports import BotControls
from playground.page.reading import read_order
from playground.page.refusals import RefusedError, json_answer

logger = logging.getLogger(__name__)


class Switches:
    """Turns them in the background: a restart takes seconds, and the tab that asked for it may be closed."""

    def __init__(self, discord: LoopbackDiscord, bot: BotControls) -> None:
        self._discord = discord
        self._bot = bot
        self._running: set[asyncio.Task[None]] = set()

    async def turn(self, request: web.Request) -> web.Response:
        """Begin what was asked for; the world tells how it goes on."""
        what = (await read_order(request, self._discord)).text("do")
        switches: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "restart": self._bot.restart,
            "kill": self._bot.kill,
            "cut": self._bot.cut,
        }
        if what not in switches:
            raise RefusedError("The bot can be told to restart, kill or cut.")
        # Between two clicks the bot may not have noticed the first one yet.
        if self._running or not self._bot.can_restart:
            raise RefusedError("The bot is still busy with what it was told before: wait a moment.")
        task = asyncio.create_task(switches[what]())
        self._running.add(task)
        task.add_done_callback(self._done)
        return json_answer({})

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("The bot could not be switched", exc_info=error)

    async def close(self) -> None:
        """Give up what is still going on."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
