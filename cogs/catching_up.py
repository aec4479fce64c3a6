"""What happened in Discord while the bot was away."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import discord
from discord.ext import commands

from bot.client import Bot
from bot.errors import StorageError

log = logging.getLogger(__name__)


class CatchingUpCog(commands.Cog, name="Catching up"):
    """Looks after each start, and after an outage of which Discord does not tell what was missed."""

    def __init__(self, bot: Bot) -> None:
        self._catching_up = bot.catching_up
        self._running: asyncio.Task[None] | None = None

    async def cog_unload(self) -> None:
        """Leave the rest for the next start."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._catching_up.close()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Discord tells from now on; what was before must be looked up."""
        before = self._running
        self._running = asyncio.create_task(self._after(before))

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Somebody let the bot into a server."""
        with suppress(StorageError):  # the storage has logged it, once
            await self._catching_up.joined(guild.id)

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before:
            await before  # not cut short: it may be writing an answer anew
        try:
            await self._catching_up.catch_up()
        except StorageError:
            pass  # the storage has logged it, once
        except Exception:
            log.exception("What happened while the bot was away could not be found out")


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(CatchingUpCog(bot))
