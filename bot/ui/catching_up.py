"""After a start: what was deleted, edited and asked in Discord while nobody told the bot."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import discord

from bot.chat.memory import StateStore
from bot.chat.messages import Place
from bot.chat.mirror import MirrorStore, Standing
from bot.delivery.deliveries import Deliveries
from bot.delivery.surface import PASSING
from bot.errors import LlampostError
from bot.ui.addressed import is_addressed, is_bare
from bot.ui.corrections import FRESH_FOR, Corrections
from bot.ui.mirroring import Mirroring

log = logging.getLogger(__name__)

Channel = discord.abc.Messageable

UNKNOWN_CHANNEL = 10003
"""Discord's code for a channel that is gone; other 404s may be anything on the way."""

PAUSE = 0.05
"""Seconds between two looks: of the 50 calls a second that Discord allows, most are left for answers."""

PAGE = 100
"""Messages that Discord gives at most in one call."""


@dataclass(slots=True)
class _Found:
    """What a look into a channel showed."""

    deleted: set[int] = field(default_factory=set)
    edited: list[discord.Message] = field(default_factory=list)
    later: list[discord.Message] = field(default_factory=list)
    """What came after the last message that is remembered, as far as one page of history shows it."""


class CatchingUp:
    """Compares each place's window with Discord, the liveliest place first.

    One call shows up to 100 messages, and what lies between the remembered ones is leapt over where it is longer. Only
    one call is on its way at a time, so people's answers hardly notice it.
    """

    def __init__(
        self,
        *,
        client: discord.Client,
        store: MirrorStore,
        state: StateStore,
        mirroring: Mirroring,
        corrections: Corrections,
        deliveries: Deliveries,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._store = store
        self._state = state
        self._mirroring = mirroring
        self._corrections = corrections
        self._deliveries = deliveries
        self._now = now
        self._taking_up: set[asyncio.Task[None]] = set()
        self._listing = asyncio.Lock()

    async def close(self) -> None:
        """Leave to the next start what is not taken up yet."""
        for task in self._taking_up:
            task.cancel()
        await asyncio.gather(*self._taking_up, return_exceptions=True)

    async def catch_up(self) -> None:
        """Go through all places; one that can't be seen now waits for the next start."""
        await self._leave_servers()
        await self._on_their_way()
        deleted = edited = 0
        for place in await self._store.places():
            await asyncio.sleep(PAUSE)
            if found := await self._place(place):
                deleted, edited = deleted + len(found.deleted), edited + len(found.edited)
                # That may take as long as the model's answers, for which other places don't wait.
                self._begin(self._take_up(place, found))
        log.info("Caught up with Discord: of what is remembered, %s messages are gone, and %s edited", deleted, edited)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._taking_up.add(task)
        task.add_done_callback(self._taking_up.discard)

    async def refresh(self, place: Place) -> None:
        """Let the memory say what stands in a place now.

        Answers to edited questions are written anew without being waited for. One to a question of which a part was
        deleted is waited for, since with the older answer the model would still tell of that part.
        """
        found = await self._place(place)
        if found and found.deleted:
            await self._mirroring.deleted(place, found.deleted)
        for message in found.edited if found else ():
            await _safely(place, self._reword(place, message))

    async def _reword(self, place: Place, message: discord.Message) -> None:
        _, answer_anew = await self._corrections.take_up(place, message.id, message)
        if answer_anew:
            self._begin(_safely(place, answer_anew()))

    async def _leave_servers(self) -> None:
        """Forget the servers in which this application was, and is no more."""
        now = {guild.id for guild in self._client.guilds}
        for guild_id in await self._servers() - now:
            await self._mirroring.server_gone(guild_id)
        async with self._listing:
            # As it is by now: somebody may have let the bot in meanwhile.
            await self._note_servers(guild.id for guild in self._client.guilds)

    async def joined(self, guild_id: int) -> None:
        """Know of a server that it was joined, also where it is left again before the next look."""
        async with self._listing:
            await self._note_servers({*await self._servers(), guild_id})

    async def _servers(self) -> set[int]:
        """Those in which this application was when that was noted last."""
        return {int(guild_id) for guild_id in (await self._state.get(self._key) or "").split()}

    async def _note_servers(self, guild_ids: Iterable[int]) -> None:
        await self._state.set(self._key, " ".join(map(str, sorted(guild_ids))))

    @property
    def _key(self) -> str:
        """With the token of another application, all servers would look as if they were left."""
        return f"servers:{self._client.application_id}"

    async def _on_their_way(self) -> None:
        """Withdraw answers that lost their question in an outage of which the gateway tells nothing."""
        for place, discord_id in self._deliveries.asking():
            channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
            try:
                is_there = await _is_there(channel, discord_id)
            except PASSING as error:
                log.info("Whether a question is still there could not be found out: %s", error)
            else:
                if not is_there:
                    await self._mirroring.deleted(place, {discord_id})

    async def _place(self, place: Place) -> _Found | None:
        """What happened in a place; None where that can't be seen now."""
        found = _Found()
        try:
            channel = await self._channel(place)
            if channel is None:
                return None
            await self._look(channel, deque(await self._store.standing(place)), found)
            if found.deleted and await _is_there(channel, max(found.deleted)):
                log.warning("Discord shows no history of channel %s, so nothing is taken for deleted", place.channel_id)
                return None
        except PASSING as error:
            log.info("Channel %s could not be compared with the memory: %s", place.channel_id, error)
        except Exception:
            log.exception("Channel %s could not be compared with the memory", place.channel_id)
        else:
            return found
        return None

    async def _take_up(self, place: Place, found: _Found) -> None:
        missed: list[discord.Message] = []
        try:
            missed = self._missed(found, besides=await self._store.let_go())
            if found.deleted:
                await self._mirroring.deleted(place, found.deleted)
            for message in found.edited:
                await _safely(place, self._corrections.correct(place, message.id, message))
        except PASSING as error:
            log.info("What happened in channel %s could not be taken up: %s", place.channel_id, error)
        except Exception:
            log.exception("What happened in channel %s could not be taken up", place.channel_id)
        for message in missed:
            # As if the gateway told it now.
            self._client.dispatch("message_missed", message)

    async def _look(self, channel: Channel, left: deque[Standing], found: _Found) -> None:
        while left:
            after = discord.Object(left[0].discord_id - 1)
            shown = {it.id: it async for it in channel.history(limit=PAGE, after=after, oldest_first=True)}
            last = max(shown) if len(shown) == PAGE else math.inf
            while left and left[0].discord_id <= last:
                standing = left.popleft()
                message = shown.get(standing.discord_id)
                if message is None:
                    found.deleted.add(standing.discord_id)
                elif standing.is_question and message.edited_at:
                    found.edited.append(message)
                if not left:
                    found.later = [it for it in shown.values() if it.id > standing.discord_id]

    async def _channel(self, place: Place) -> Channel | None:
        """Where a place's messages can be read; None where the bot may not. What is gone is forgotten."""
        if place.guild_id is None:
            return self._client.get_partial_messageable(place.channel_id)
        guild = self._client.get_guild(place.guild_id)
        if guild is None or guild.unavailable:
            return None
        channel = guild.get_channel_or_thread(place.channel_id)
        try:
            channel = channel or await guild.fetch_channel(place.channel_id)
        except discord.NotFound as error:
            if error.code == UNKNOWN_CHANNEL:
                await self._mirroring.channel_gone(place.channel_id)
        except discord.Forbidden:
            log.info("Channel %s is hidden from the bot, so it is not compared with the memory", place.channel_id)
        if not isinstance(channel, discord.abc.Messageable):
            return None
        # To those who may not read it, Discord shows an empty history.
        rights = channel.permissions_for(guild.me)
        return channel if rights.view_channel and rights.read_message_history else None

    def _missed(self, found: _Found, *, besides: Collection[int]) -> list[discord.Message]:
        """What was asked a moment ago and has no answer, `besides` what nobody wants answered any more."""
        me, now = self._client.user, self._now()
        answered = {it.reference.message_id for it in found.later if it.author == me and it.reference}
        done = answered.union(besides)
        return [
            message
            for message in found.later
            if me and message.id not in done and is_addressed(message, me) and now - message.created_at <= FRESH_FOR
            # One that was edited until nothing was left was taken back.
            if not (message.edited_at and is_bare(message, me))
        ]


async def _safely(place: Place, work: Awaitable[object]) -> None:
    """Take up an edit; what goes wrong concerns no other one."""
    try:
        await work
    except (LlampostError, *PASSING) as error:
        log.info("An edited question in channel %s was not answered anew: %s", place.channel_id, error)
    except Exception:
        log.exception("An edited question in channel %s could not be taken up", place.channel_id)


async def _is_there(channel: Channel, message_id: int) -> bool:
    try:
        await channel.fetch_message(message_id)
    except discord.NotFound:
        return False
    return True
