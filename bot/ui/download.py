"""A model's download as a message: a bar that fills, and a button that cancels it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, suppress

import discord
import humanize

from bot.chat.model import PullProgress
from bot.delivery.lane import Lane
from bot.delivery.rhythm import Rhythm
from bot.delivery.schedule import Urgency
from bot.delivery.surface import PASSING, LaneLost, Payload, Surface, SurfaceGone
from bot.errors import explain
from bot.ui.checks import may
from bot.ui.responses import plain
from bot.ui.views import TellingView

log = logging.getLogger(__name__)

BAR = 20
"""Characters of the bar."""
SPEED_WINDOW = 10.0
"""Seconds over which the speed is averaged."""
CANCEL = "cancel-download:"
"""How the id of a cancel button begins, also of one that outlived its bot."""
CUT_OFF = "This download was cut off by a restart of the bot. Ask for it again: it goes on where it stopped."
TRIES = 3
"""How often the end is written before the message is left as it is."""


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


async def say_cut_off(press: discord.Interaction[discord.Client]) -> None:
    """Let the message of a download that a crash ended say so, and lose its button."""
    with suppress(*PASSING):
        await press.response.edit_message(content=CUT_OFF, view=None)


def progress_text(name: str, progress: PullProgress, speed: float) -> str:
    """One frame of the message."""
    head = f"Downloading **{plain(name)}**: {progress.status}"
    if not progress.total:
        return head
    share = min(progress.completed / progress.total, 1)
    filled = int(share * BAR)
    sizes = f"{humanize.naturalsize(progress.completed)} of {humanize.naturalsize(progress.total)}"
    rate = f", {humanize.naturalsize(speed)}/s" if speed else ""
    return f"{head}\n`{'█' * filled}{'░' * (BAR - filled)}` {share:.0%}, {sizes}{rate}"


class Download(TellingView):
    """Reads the download as fast as it comes and shows the newest state as often as Discord allows."""

    def __init__(
        self,
        name: str,
        stream: AsyncGenerator[PullProgress, None],
        surface: Surface,
        asker: discord.abc.User,
        noted: Callable[[int], AbstractAsyncContextManager[None]],
    ) -> None:
        """Take what is entered with the message's id while the message shows a download on its way."""
        super().__init__(timeout=None)
        self.cancel_button.custom_id = f"{CANCEL}{self.cancel_button.custom_id}"
        self._name = name
        self._stream = stream
        self._asker = asker.id
        self._noted = noted
        self._surface = surface
        self._rhythm = Rhythm(surface)
        self._text = progress_text(name, PullProgress("starting"), 0)
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._cancelled_because: str | None = None

    async def run(self) -> None:
        """Download to the end, which is shown and takes the button away.

        Where not even the beginning can be shown, nothing is downloaded, since nobody could cancel it.
        """
        self._reading = reading = asyncio.create_task(self._read())
        reading.add_done_callback(self._is_over)
        if self._cancelled_because:
            reading.cancel()
        try:
            first = Payload(self._text, view=self)
            await self._surface.write(0, first, self._surface.lanes(0)[0])
            async with self._noted(self._surface.message_ids[0]):
                await self._show(reading, first.content)
        except SurfaceGone:
            if self._surface.message_ids:  # only the message is gone: what was begun is still wanted
                await self._finish_unseen(reading)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self.stop()
            self._ended.set()

    def _is_over(self, _: asyncio.Task[None]) -> None:
        self._over.set()
        self._changed.set()

    async def _read(self) -> None:
        speed = Speed()
        async with aclosing(self._stream) as states:
            async for progress in states:
                self._text = progress_text(self._name, progress, speed.update(progress.completed))
                self._changed.set()

    async def _show(self, reading: asyncio.Task[None], shown: str) -> None:
        """Write the newest state as often as Discord allows, until the end is written."""
        end, tries = "", TRIES
        while tries:
            await self._changed.wait()
            self._changed.clear()
            over = reading.done()
            urgency = Urgency.URGENT if over else Urgency.ROUTINE
            lane = await self._rhythm.turn(0, urgency, unless=asyncio.Event() if over else self._over)
            if lane is None:
                continue
            if over:
                end = end or self._outcome(reading)
                tries = 0 if await self._is_written(Payload(end, view=None), lane) else tries - 1
                self._changed.set()
            elif (newest := self._text) != shown and await self._is_written(Payload(newest), lane):
                shown = newest

    async def _is_written(self, payload: Payload, lane: Lane) -> bool:
        """Whether a write came through; one that did not is logged, and the next one may. Raises SurfaceGone."""
        try:
            await self._surface.write(0, payload, lane)
        except SurfaceGone:
            raise
        except (LaneLost, *PASSING) as error:
            log.warning("The download of %r could not be shown for now: %s", self._name, error)
        except Exception:
            log.exception("The download of %r could not be shown", self._name)
        else:
            return True
        return False

    async def _finish_unseen(self, reading: asyncio.Task[None]) -> None:
        while not reading.done():
            self._changed.clear()
            await self._changed.wait()
        log.info("Unseen: %s", self._outcome(reading))

    def _outcome(self, reading: asyncio.Task[None]) -> str:
        """How a download that is over ended."""
        name = plain(self._name)
        if reading.cancelled():
            return f"The download of **{name}** was cancelled: {self._cancelled_because or 'the bot gave it up'}."
        if error := reading.exception():
            return f"**{name}** was not downloaded. {explain(error)}"
        command = f"/model use {self._name}".replace("`", "'")
        return f"**{name}** is downloaded. `{command}` lets it answer in a channel."

    async def cancel(self, why: str) -> None:
        """End the download and wait until the message says so; one that has not begun yet ends as it begins."""
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
        with suppress(*PASSING):  # the wish counts, also where Discord does not hear that it was heard
            await interaction.response.defer()
        await self.cancel(f"{plain(interaction.user.display_name)} pressed Cancel")
