"""The bot as a process of its own, started and stopped as an operator would."""

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

from playground.discord import EventKind, LoopbackDiscord
from playground.with_parent import Child

_ROOT = Path(__file__).resolve().parent.parent
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")


class BotFailedError(RuntimeError):
    """The bot ended, or did not come up, though nobody told it to end; the text ends with its log."""


class BotProcess(Child):
    """One run of the bot against a loopback Discord; `async with` starts it, waits for it and stops it.

    Its environment is built here and inherits nothing that could configure it; it runs in `folder`, so that no
    `.env` of the project is read. `module` starts another bot in its place, with the same arguments.
    """

    def __init__(
        self,
        discord: LoopbackDiscord,
        folder: Path,
        *,
        ollama_host: str,
        ollama_model: str,
        module: str = "playground.launch",
        environment: Mapping[str, str] | None = None,
        start_timeout: float = 30.0,
        stop_timeout: float = 15.0,
    ) -> None:
        super().__init__(folder / "bot.log")
        self._discord = discord
        self._folder = folder
        self._module = module
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self.environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
            "PYTHONPATH": str(_ROOT),
            "PYTHONUNBUFFERED": "1",
            "DISCORD_TOKEN": discord.token,
            "DATABASE_URL": f"sqlite+aiosqlite:///{quote(str(folder / 'llampost.db'))}",
            "OLLAMA_HOST": ollama_host,
            "OLLAMA_MODEL": ollama_model,
            **(environment or {}),
        }

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start and wait until the bot has identified and its commands are registered."""
        since = time.monotonic()
        await self._spawn(self._module, self._discord.url, "run", cwd=self._folder, env=self.environment)
        try:
            await self._ready_or_dead(since)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> int:
        """Ask the bot to end (SIGTERM), insist after the deadline, return its exit code."""
        if not await self._end(self._stop_timeout):
            raise BotFailedError(self.told(f"The bot did not end within {self._stop_timeout} s."))
        return await self.exited()

    async def _until_ready(self, since: float) -> None:
        await self._discord.wait_for(
            lambda event: event.kind is EventKind.READY, timeout=self._start_timeout, since=since
        )
        # A bot that comes back may find its commands registered and register nothing.
        if not self._discord.command_names():
            await self._discord.wait_for(
                lambda event: event.kind is EventKind.COMMANDS, timeout=self._start_timeout, since=since
            )

    async def _ready_or_dead(self, since: float) -> None:
        """Wait for readiness, but not for a process that has ended."""
        ready = asyncio.create_task(self._until_ready(since))
        ended = asyncio.create_task(self.exited())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise BotFailedError(self.told(f"The bot ended with exit code {ended.result()}."))
            await ready
        except TimeoutError as late:
            raise BotFailedError(self.told(f"The bot was not ready within {self._start_timeout} s.")) from late
        finally:
            ready.cancel()
            ended.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)
