"""What is deleted in Discord leaves the memory, and what belongs to it leaves Discord."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import discord

from bot.chat.messages import Place
from bot.chat.mirror import MirrorStore
from bot.delivery.deliveries import Deliveries
from bot.delivery.surface import PASSING, delete
from bot.errors import LlampostError
from bot.ui.corrections import Corrections

log = logging.getLogger(__name__)


@contextmanager
def _left_to_the_next_start() -> Iterator[None]:
    """There is nobody to tell, and the next start finds what could not be done now."""
    try:
        yield
    except LlampostError as error:
        log.info("What was deleted in Discord could not be taken up now: %s", error)


class Mirroring:
    """Lets the memory hold no more than what stands in Discord."""

    def __init__(
        self, *, client: discord.Client, store: MirrorStore, deliveries: Deliveries, corrections: Corrections
    ) -> None:
        self._client = client
        self._store = store
        self._deliveries = deliveries
        self._corrections = corrections

    async def deleted(self, place: Place, discord_ids: Collection[int]) -> None:
        """Messages of a place were deleted: questions go with their answers, and answers with their questions.

        A question of which another message is left is asked with that one.
        """
        with _left_to_the_next_start():
            await self._deleted(place, discord_ids)

    async def taken_back(self, place: Place, discord_ids: Collection[int]) -> None:
        """The same with all messages of a question that were edited until nothing was left: they may ask again."""
        with _left_to_the_next_start():
            await self._deleted(place, discord_ids, may_ask_again=True)

    async def _deleted(self, place: Place, discord_ids: Collection[int], *, may_ask_again: bool = False) -> None:
        lost = self._deliveries.withdraw(discord_ids, may_ask_again=may_ask_again)
        taken_away = {shown for running in lost for shown in running.surface.message_ids}
        await self._forget(discord_ids, besides=taken_away)
        for running in lost:
            await running.done.wait()
        if lost:  # what was stored a moment ago
            await self._forget(discord_ids)
        for discord_id in discord_ids:
            half = self._deliveries.of_question(discord_id)
            if half is None:
                continue
            if left := [it for it in half.asked_in if it not in discord_ids]:
                await self._corrections.correct(place, left[0], is_halved=True)
            else:  # it began meanwhile
                self._deliveries.withdraw(discord_ids)

    async def channel_gone(self, channel_id: int) -> None:
        """A channel was deleted with all its threads, or a thread."""
        self._deliveries.stop_in(lambda place: channel_id in {place.channel_id, place.parent_id})
        with _left_to_the_next_start():
            self._log(await self._store.forget_channel(channel_id), f"channel {channel_id} was deleted")

    async def server_gone(self, guild_id: int) -> None:
        """The bot is in a server no more. What was set up there stays, in case that it comes back."""
        self._deliveries.stop_in(lambda place: place.guild_id == guild_id)
        with _left_to_the_next_start():
            self._log(await self._store.forget_server(guild_id), f"the bot left server {guild_id}")

    async def _forget(self, discord_ids: Collection[int], *, besides: Collection[int] = ()) -> None:
        forgotten = await self._store.forget_messages(discord_ids)
        for place, discord_id in forgotten.orphans:
            if discord_id not in besides:
                await self._delete(place, discord_id)
        for place, discord_id in forgotten.halved:
            await self._corrections.correct(place, discord_id, is_halved=True)

    async def _delete(self, place: Place, discord_id: int) -> None:
        channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        try:
            await delete(channel.get_partial_message(discord_id).delete)
        except PASSING as error:
            log.info("A message whose answer is forgotten is still there: %s", error)

    @staticmethod
    def _log(count: int, why: str) -> None:
        if count:
            log.info("%s messages are forgotten, because %s", count, why)
