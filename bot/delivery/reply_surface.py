"""An answer as a reply to a person's message."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import discord

from bot.delivery.calls import Caller
from bot.delivery.lane import Lane
from bot.delivery.surface import NO_MENTIONS, PASSING, Payload, Surface, TextFile

log = logging.getLogger(__name__)


class ReplySurface(Surface):
    """A reply to a message; further pages follow in the same channel."""

    def __init__(self, caller: Caller, question: discord.Message, channel: discord.PartialMessageable) -> None:
        """Take the channel of the question as one that need not be in the cache."""
        super().__init__(caller)
        self._question = question
        self._channel = channel
        self._edits = caller.budgets.edits(channel.id)
        self._sends = caller.budgets.messages(channel.id)

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
            lambda: self._channel.send(file=file.for_discord(), allowed_mentions=NO_MENTIONS, silent=True),
        )

    async def announce(self, asker: int, text: str) -> None:  # noqa: ARG002  # a reply notifies whom it replies to
        """A further reply to the question."""
        await self._caller.when_open(
            self._sends,
            lambda: self._channel.send(text, reference=self._reference(), mention_author=True, suppress_embeds=True),
        )

    async def _begin(self, page: int, payload: Payload, lane: Lane) -> int:
        how = payload.for_send()
        nonce = self._nonce(page)
        if page == 0:
            # The only message that notifies, and only the person who asked.
            call = self._channel.send(**how, reference=self._reference(), mention_author=True, nonce=nonce)
        else:
            call = self._channel.send(**how, silent=True, nonce=nonce)
        sent = await self._caller.fetch(lane, call)
        if sent.content != payload.content:
            # An earlier try came through with an older text, only its confirmation was lost.
            await self._caller.edit(self._edits, self._channel.get_partial_message(sent.id).edit(**payload.for_edit()))
        return sent.id

    def _reference(self) -> discord.MessageReference:
        return self._question.to_reference(fail_if_not_exists=False)

    def _nonce(self, page: int) -> str:
        """By this Discord knows a message that was sent already, where only its confirmation was lost."""
        return f"{self._question.id}.{page}"

    async def _edit(self, page: int, payload: Payload, lane: Lane) -> None:
        # Not Message.edit: in discord.py 2.7.1 it brings suppressed link previews back.
        message = self._channel.get_partial_message(self.message_ids[page])
        await self._caller.edit(lane, message.edit(**payload.for_edit()))
