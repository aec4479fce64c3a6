"""A model's download as a message: a bar that fills, and a button that cancels it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

import discord
import humanize

from bot.chat.model import PullProgress
from bot.delivery.pace import Bucket
from bot.delivery.surface import InteractionSurface, SurfaceGone
from bot.errors import LlampostError, explain
from bot.ui.checks import may

BAR = 20
"""Characters of the bar."""
SPEED_WINDOW = 10.0
"""Seconds over which the speed is averaged."""


class Speed:
    """Bytes per second over the last few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, completed: int) -> float:
        """Note how many bytes are there now; returns the speed, 0 in the first second, while it is unknown."""
        now = self._clock()
        self._seen.append((now, completed))
        while now - self._seen[0][0] > SPEED_WINDOW:
            self._seen.popleft()
        since, before = self._seen[0]
        # Before that, what an earlier download left behind would look like a wonder of speed.
        return max(completed - before, 0) / (now - since) if now - since >= 1 else 0.0


def progress_text(name: str, progress: PullProgress, speed: float) -> str:
    """One frame of the message."""
    head = f"Downloading **{name}**: {progress.status}"
    if not progress.total:
        return head
    share = min(progress.completed / progress.total, 1)
    filled = int(share * BAR)
    sizes = f"{humanize.naturalsize(progress.completed)} of {humanize.naturalsize(progress.total)}"
    rate = f", {humanize.naturalsize(speed)}/s" if speed else ""
    return f"{head}\n`{'█' * filled}{'░' * (BAR - filled)}` {share:.0%}, {sizes}{rate}"


class Download(discord.ui.View):
    """Reads the download as fast as it comes and shows the newest state as often as Discord allows."""

    def __init__(
        self,
        name: str,
        stream: AsyncGenerator[PullProgress, None],
        interaction: discord.Interaction[discord.Client],
        bucket: Bucket,
    ) -> None:
        super().__init__(timeout=None)
        self._name = name
        self._stream = stream
        self._asker = interaction.user.id
        self._surface = InteractionSurface(interaction, private=False)
        self._bucket = bucket
        self._text = progress_text(name, PullProgress("starting"), 0)
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[str] | None = None
        self._ended = asyncio.Event()
        self._cancelled_because: str | None = None

    async def run(self) -> None:
        """Download to the end, which is shown and takes the button away."""
        first = self._text
        await self._surface.write(0, first, view=self)
        self._reading = asyncio.create_task(self._read())
        showing = asyncio.create_task(self._show(first))
        try:
            try:
                end = await self._outcome(self._reading)
            finally:
                showing.cancel()
                await asyncio.gather(showing, return_exceptions=True)
                self.stop()
            with suppress(SurfaceGone):
                async with self._bucket.turn():
                    await self._surface.write(0, end, view=None)
        finally:
            self._ended.set()

    async def _outcome(self, reading: asyncio.Task[str]) -> str:
        try:
            return await reading
        except LlampostError as error:
            return f"**{self._name}** was not downloaded. {explain(error)}"
        except asyncio.CancelledError:
            if self._cancelled_because is None:
                raise
            return f"The download of **{self._name}** was cancelled: {self._cancelled_because}."

    async def _read(self) -> str:
        speed = Speed()
        async with aclosing(self._stream) as states:
            async for progress in states:
                self._text = progress_text(self._name, progress, speed.update(progress.completed))
                self._changed.set()
        return f"**{self._name}** is downloaded. `/model use {self._name}` lets it answer in a channel."

    async def _show(self, shown: str) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            async with self._bucket.turn():
                if self._text != shown:
                    shown = self._text
                    # An edit in flight is never cancelled: discord.py would hold the next one up for longer.
                    await asyncio.shield(self._surface.write(0, shown))

    async def cancel(self, why: str) -> None:
        """End the download and wait until the message says so."""
        self._cancelled_because = self._cancelled_because or why
        if self._reading:
            self._reading.cancel()
            await self._ended.wait()

    @discord.ui.button(label="Cancel", style=discord.ButtonStyle.secondary)
    async def cancel_button(
        self, interaction: discord.Interaction[discord.Client], _: discord.ui.Button[Download]
    ) -> None:
        """Cancel, for whoever asked and those who manage the server."""
        if interaction.user.id != self._asker and not may(interaction, "manage_guild"):
            await interaction.response.send_message(
                "Only the person who started the download, or a server manager, can cancel it.", ephemeral=True
            )
            return
        await interaction.response.defer()
        await self.cancel(f"{interaction.user.display_name} pressed Cancel")
