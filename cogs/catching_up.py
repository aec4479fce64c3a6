"""What happened in Discord while the bot was away."""

from __future__ import annotations

import asyncio

from discord.ext import commands

from bot.client import Bot
from bot.ui.catching_up import CatchingUp


class CatchingUpCog(commands.Cog, name="Catching up"):
    """Looks after each start, and after an outage of which Discord does not tell what was missed."""

    def __init__(self, bot: Bot) -> None:
        self._catching_up = CatchingUp(
            client=bot,
            store=bot.services.mirror,
            state=bot.services.state,
            mirroring=bot.mirroring,
            corrections=bot.corrections,
            now=bot.services.caller.now,
        )
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

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before:
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        await self._catching_up.catch_up()


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(CatchingUpCog(bot))
