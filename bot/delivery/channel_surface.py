"""An answer as messages of a channel, some of which may be there already."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import discord

from bot.delivery.calls import Caller
from bot.delivery.lane import Lane
from bot.delivery.surface import NO_MENTIONS, OLD, PASSING, Payload, Surface, TextFile

log = logging.getLogger(__name__)


class ChannelSurface(Surface):
    """Messages that the bot sends and edits as any member of the channel does."""

    def __init__(
        self,
        caller: Caller,
        channel: discord.PartialMessageable,
        *,
        key: str,
        message_ids: Sequence[int] = (),
        replies_to: discord.MessageReference | None = None,
    ) -> None:
        """Take a key as `Surface` does, the messages to write to first, and what the first one replies to."""
        super().__init__(caller, key)
        self._channel = channel
        self._replies_to = replies_to
        self._edits = caller.budgets.edits(channel.id)
        self._sends = caller.budgets.messages(channel.id)
        self.message_ids = list(message_ids)
        ages = [(caller.now() - discord.utils.snowflake_time(it)).total_seconds() for it in message_ids]
        self.is_slow = any(age > OLD for age in ages)
        # What is old already is written to rarely instead of being left for a new message.
        self._begun_at = [math.inf if self.is_slow else self.clock() - age for age in ages]

    def lanes(self, page: int) -> Sequence[Lane]:
        """Sending and editing are counted apart, each for the whole channel."""
        return (self._edits,) if page < len(self.message_ids) else (self._sends,)

    async def hint(self) -> None:
        """The typing indicator, which Discord shows for 10 seconds."""
        try:
            await self._channel.typing()
        except PASSING as error:
            log.info("Typing could not be shown: %s", error)

    async def send_file(self, file: TextFile) -> None:
        """Below the last page, silently."""
        await self._caller.when_open(
            self._sends,
            lambda: self._channel.send(
                file=file.for_discord(), allowed_mentions=NO_MENTIONS, silent=True, nonce=self.nonce("file")
            ),
        )

    async def announce(self, asker: int, text: str) -> None:
        """A further message that notifies; a reply notifies whom it replies to by itself."""
        mentions = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(asker)])
        await self._caller.when_open(
            self._sends,
            lambda: self._channel.send(f"<@{asker}> {text}", allowed_mentions=mentions, suppress_embeds=True),
        )

    async def _begin(self, page: int, payload: Payload, lane: Lane) -> int:
        how = payload.for_send()
        nonce = self.nonce(page)
        if page == 0:
            # The only message that notifies, and only the person who asked.
            call = self._channel.send(**how, **self._reply(), nonce=nonce)
        else:
            call = self._channel.send(**how, silent=True, nonce=nonce)
        sent = await self._caller.fetch(lane, call)
        if sent.content != payload.content:
            # An earlier try came through with an older text, only its confirmation was lost.
            await self._caller.edit(self._edits, self._channel.get_partial_message(sent.id).edit(**payload.for_edit()))
        return sent.id

    def _reply(self) -> dict[str, Any]:
        return {"reference": self._replies_to, "mention_author": True} if self._replies_to else {}

    async def _delete(self, message_id: int) -> None:
        await self._channel.get_partial_message(message_id).delete()

    async def _edit(self, page: int, payload: Payload, lane: Lane) -> None:
        # Not Message.edit: in discord.py 2.7.1 it brings suppressed link previews back.
        message = self._channel.get_partial_message(self.message_ids[page])
        await self._caller.edit(lane, message.edit(**payload.for_edit()))
