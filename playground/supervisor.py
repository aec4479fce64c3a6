"""Keeps a demo's bot running: starts it, notices when it ends, restarts and kills it when a visitor asks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum

from playground.bot_process import BotFailedError, BotProcess

_BACK_AFTER = 1.0
# The second, where its folder is gone or its disk is full: nothing that a later try could not mend.
_DOES_NOT_START = (BotFailedError, OSError)


class BotState(StrEnum):
    """How a bot is."""

    STARTING = "starting"
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CRASHED = "crashed"


class Supervisor:
    """One bot over many of its lives.

    `cut` cuts its connection and waits until it is back; `report` is given one sentence for the terminal when it ends
    unasked.
    """

    def __init__(self, bot: BotProcess, *, cut: Callable[[], Awaitable[None]], report: Callable[[str], None]) -> None:
        self._bot = bot
        self._cut = cut
        self._report = report
        self._listeners: list[Callable[[], None]] = []
        # One change at a time: two clicks on "Restart" must not start two bots.
        self._turn = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self.state = BotState.STOPPED
        self.since = datetime.now(UTC)

    @property
    def can_restart(self) -> bool:
        """Whether it is neither coming nor going right now."""
        return self.state not in (BotState.STARTING, BotState.STOPPING, BotState.RECONNECTING)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever `state` has changed."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Start the bot and wait until it is ready. Raises BotFailedError, OSError."""
        async with self._turn:
            await self._start()

    async def restart(self) -> None:
        """End the bot as an operator would, and start it again."""
        async with self._turn:
            await self._stop()
            await self._start_again()

    async def kill(self) -> None:
        """End the bot as a crash would, and start it again after a moment."""
        async with self._turn:
            await self._unwatch()
            await self._bot.kill()
            self._become(BotState.CRASHED)
            # Long enough to see that nobody answers.
            await asyncio.sleep(_BACK_AFTER)
            await self._start_again()

    async def cut(self) -> None:
        """Cut the bot's connection to Discord, if it has one; it finds its way back by itself."""
        async with self._turn:
            if self.state is BotState.RUNNING:
                await self._reconnect()

    async def stop(self) -> None:
        """End the bot for good; one that takes too long is killed, and mends what it left at its next start."""
        async with self._turn:
            await self._stop()

    async def _start(self) -> None:
        self._become(BotState.STARTING)
        try:
            await self._bot.start()
        except _DOES_NOT_START:
            self._become(BotState.CRASHED)
            raise
        self._become(BotState.RUNNING)
        self._watch = asyncio.create_task(self._notice_end())

    async def _start_again(self) -> None:
        try:
            await self._start()
        except _DOES_NOT_START as failure:
            self._report(f"The bot could not be started: {failure}")

    async def _reconnect(self) -> None:
        self._become(BotState.RECONNECTING)
        with suppress(TimeoutError):
            await self._cut()
        # It may have crashed meanwhile.
        if self.state is BotState.RECONNECTING:
            self._become(BotState.RUNNING)

    async def _stop(self) -> None:
        await self._unwatch()
        if self._bot.is_running:
            self._become(BotState.STOPPING)
            with suppress(BotFailedError):
                await self._bot.stop()
        self._become(BotState.STOPPED)

    async def _notice_end(self) -> None:
        code = await self._bot.exited()
        self._become(BotState.CRASHED)
        self._report(self._bot.told(f"The bot ended with exit code {code}."))

    async def _unwatch(self) -> None:
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None

    def _become(self, state: BotState) -> None:
        self.state, self.since = state, datetime.now(UTC)
        for listener in self._listeners:
            listener()
