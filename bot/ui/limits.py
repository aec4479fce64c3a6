"""Telling people who have reached a limit, so that nobody else hears of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import discord

from bot.delivery.surface import NO_MENTIONS, PASSING
from bot.errors import LimitReached

log = logging.getLogger(__name__)


class LimitNotes:
    """A message can't be answered privately where it stands, so its author is told in a direct message.

    Once, until the limit is over: a person who goes on asking gets no pile of notes. But each limit is told: the one
    of a minute also to somebody who was told of the one of a day, if that was raised, or another server has none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_until: dict[tuple[int, str], float] = {}

    async def tell(self, message: discord.Message, error: LimitReached) -> None:
        """Say it, if it was not said already; where direct messages are closed, in the channel."""
        now = self._clock()
        self._told_until = {told: until for told, until in self._told_until.items() if until > now}
        note = message.author.id, error.why
        if note in self._told_until:
            return
        self._told_until[note] = now + error.seconds
        text = str(error) if message.guild is None else f"{error} You wrote here: {message.jump_url}"
        try:
            await message.author.send(text, allowed_mentions=NO_MENTIONS, suppress_embeds=True)
        except PASSING:
            try:
                await message.reply(str(error), mention_author=True, allowed_mentions=NO_MENTIONS)
            except PASSING as failed:
                log.info("Somebody could not be told of a limit: %s", failed)
