"""Messages of downloads, noted while they are on their way, so that the next process closes what a crash cut off."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial

import discord

from bot.chat.memory import StateStore
from bot.delivery.calls import Caller
from bot.delivery.surface import PASSING, Payload, persist
from bot.errors import StorageError
from bot.ui.download import CANCEL, CUT_OFF

log = logging.getLogger(__name__)

KEY = "downloads"
"""What the state has: `channel/message` of each, with spaces between."""


class CutOffDownloads:
    """What a download's message says is true also after a crash, without anybody pressing its button."""

    def __init__(self, client: discord.Client, *, state: StateStore, caller: Caller) -> None:
        self._client = client
        self._state = state
        self._caller = caller
        self._open: set[str] = set()

    @asynccontextmanager
    async def noted(self, channel_id: int, message_id: int) -> AsyncGenerator[None, None]:
        """While a download is shown in a message."""
        name = f"{channel_id}/{message_id}"
        self._open.add(name)
        await self._note()
        try:
            yield
        finally:
            self._open.discard(name)
            await self._note()

    async def find(self) -> list[str]:
        """What the last process left; call it before anything is noted."""
        with suppress(StorageError):  # the storage has logged it, once
            self._open.update((await self._state.get(KEY) or "").split())
        return sorted(self._open)

    async def close(self, left: list[str]) -> None:
        """Let each message say that its download was cut off; what can't be reached now waits for the next start."""
        for name in left:
            channel_id, _, message_id = name.partition("/")
            try:
                await self._close(int(channel_id), int(message_id))
            except (discord.NotFound, discord.Forbidden) as error:
                log.info("The message of a download that was cut off is out of reach: %s", error)
            except PASSING as error:
                log.info("The message of a download that was cut off can't be changed now: %s", error)
                continue
            self._open.discard(name)
        if left:
            await self._note()

    async def _close(self, channel_id: int, message_id: int) -> None:
        channel = self._client.get_partial_messageable(channel_id)
        message = await persist(partial(channel.fetch_message, message_id))
        if not _can_be_cancelled(message):
            return  # it came to its end, which was only not noted any more
        edits, edit = self._caller.budgets.edits(channel_id), channel.get_partial_message(message_id).edit
        payload = Payload(CUT_OFF, view=None)
        await persist(partial(self._caller.when_open, edits, lambda: edit(**payload.for_edit())))

    async def _note(self) -> None:
        with suppress(StorageError):  # as above; then only the button tells
            await self._state.set(KEY, " ".join(sorted(self._open)))


def _can_be_cancelled(message: discord.Message) -> bool:
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    return any((getattr(child, "custom_id", None) or "").startswith(CANCEL) for row in rows for child in row.children)
