"""The bot of a soak: a process of its own, as people run it, or a task of ours, where its own tasks can be counted."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, Self

from bot.app import STOPPING, run
from bot.config import read_settings
from playground.bot_process import BotProcess
from playground.discord import EventKind, LoopbackDiscord
from playground.launch import discord_at
from tests.wire.stage import PATIENCE

from .records import EXPECTED, unexpected

_OURS = ("/bot/", "/cogs/", "/discord/")
_LASTING = {"BaseView.__timeout_task_impl", "ConnectionState._delay_ready"}
"""discord.py keeps the buttons of each private message for the 15 minutes for which its token lives.

And after a new session it waits some seconds for the servers.
"""


class SoakBot(Protocol):
    """What a soak does with its bot."""

    @property
    def pid(self) -> int: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def crash(self) -> None:
        """End as after kill -9, and start again."""
        ...

    def troubles(self) -> Iterable[str]:
        """What went wrong in it that nobody expected, once it has ended."""
        ...

    def tasks(self) -> Counter[str]:
        """Its asyncio tasks, by the names of their functions, where they can be seen."""
        ...


class ProcessBot(BotProcess):
    """As people run it."""

    async def crash(self) -> None:
        """Kill it and start it again."""
        await self.kill()
        await self.start()

    def troubles(self) -> Iterable[str]:
        """Read its log, which is JSON, and its exit code."""
        yield from unexpected(self.log())
        if self.returncode != 0:
            yield f"the bot ended with {self.returncode}"

    def tasks(self) -> Counter[str]:
        """None of them can be seen."""
        return Counter()


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        event = record.getMessage()
        is_error = record.levelno >= logging.ERROR or record.exc_info or "never" in event
        if is_error and not any(known.search(event) for known in EXPECTED):
            self.found.append(f"the log says: {record.name}: {event} {record.exc_info or ''}")


class InProcessBot:
    """The same program as a task of ours, put together by the same code."""

    def __init__(self, discord: LoopbackDiscord, environment: dict[str, str]) -> None:
        self._discord = discord
        self._environment = environment
        self._errors = _Errors()
        self._place = discord_at(discord.url)
        self._task: asyncio.Task[None]

    @property
    def pid(self) -> int:
        """Our own."""
        return os.getpid()

    async def __aenter__(self) -> Self:
        self._place.__enter__()
        # A bot leaves signals ignored, since its process ends then; ours goes on, and what we begin inherits that.
        self._handlers = {number: signal.getsignal(number) for number in STOPPING}
        logging.getLogger().addHandler(self._errors)
        begun = time.monotonic()
        self._task = asyncio.create_task(run(read_settings(self._environment), self._environment))
        await self._discord.wait_for(lambda event: event.kind is EventKind.READY, timeout=PATIENCE, since=begun)
        if not self._discord.command_names():
            await self._discord.wait_for(lambda event: event.kind is EventKind.COMMANDS, timeout=PATIENCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(self._task, PATIENCE)
        finally:
            logging.getLogger().removeHandler(self._errors)
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._place.__exit__(None, None, None)

    async def crash(self) -> None:
        """It can't: it would take us along."""
        raise NotImplementedError

    def troubles(self) -> Iterable[str]:
        """What was logged."""
        return self._errors.found

    def tasks(self) -> Counter[str]:
        """Those that run the bot's or discord.py's code, and not that of the Discord or the model beside it."""
        return Counter(filter(None, map(_name, asyncio.all_tasks())))


def _name(task: asyncio.Task[object]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    if code is None or not any(f"{folder}" in code.co_filename for folder in _OURS):
        return ""
    is_beside = "/playground/" in code.co_filename or "/tests/" in code.co_filename
    return "" if is_beside or code.co_qualname in _LASTING else str(code.co_qualname)


def environment(discord: LoopbackDiscord, folder: Path, more: dict[str, str]) -> dict[str, str]:
    """What a bot process would be given."""
    return BotProcess(discord, folder, ollama_host="", ollama_model="", environment=more).environment
