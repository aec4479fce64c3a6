"""An answer as a reply to a person's message."""

from __future__ import annotations

import discord

from bot.delivery.calls import Caller
from bot.delivery.channel_surface import ChannelSurface
from bot.delivery.surface import key_of, random_key


class ReplySurface(ChannelSurface):
    """A reply to a message; further pages follow in the same channel."""

    def __init__(self, caller: Caller, question: discord.Message, channel: discord.PartialMessageable) -> None:
        """Take the channel of the question as one that need not be in the cache."""
        replies_to = question.to_reference(fail_if_not_exists=False)
        # What came with an edit may be asked after the answer to older words was deleted, whose messages Discord knows.
        key = key_of(question.id) if question.edited_at is None else random_key()
        super().__init__(caller, channel, key=key, replies_to=replies_to)

    async def announce(self, asker: int, text: str) -> None:  # noqa: ARG002  # a reply notifies whom it replies to
        """A further reply to the question."""
        await self._caller.when_open(
            self._sends,
            lambda: self._channel.send(text, **self._reply(), suppress_embeds=True),
        )
