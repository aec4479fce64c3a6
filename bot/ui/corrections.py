"""Questions that are edited in Discord: the memory takes the new words, and the answer is written anew."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

import discord

from bot.chat.again import correction
from bot.chat.answers import Question
from bot.chat.joining import joined
from bot.chat.limits import Limits
from bot.chat.memory import ConversationStore
from bot.chat.messages import Answer, Author, Place
from bot.chat.mirror import Asked, MirrorStore
from bot.delivery.calls import Caller
from bot.delivery.channel_surface import ChannelSurface
from bot.delivery.deliveries import Deliveries
from bot.delivery.running import Running
from bot.delivery.surface import random_key
from bot.errors import LimitReached
from bot.ui.addressed import QuestionReader, is_addressed, is_emptied
from bot.ui.places import roles_of

FRESH_FOR = timedelta(minutes=15)
"""For so long a question is answered anew when it is edited, or late where it was missed.

Later the memory takes new words, and that is all.
"""

KEPT = 1_000
"""Messages of which the newest edit is remembered."""

AnswerAnew = Callable[[], Awaitable[object]]
"""Writes an answer anew, to its end."""


class Corrections:
    """Lets questions read as they stand in Discord now."""

    def __init__(
        self,
        *,
        client: discord.Client,
        caller: Caller,
        store: MirrorStore,
        memory: ConversationStore,
        deliveries: Deliveries,
        limits: Limits,
        is_opted_out: Callable[[Author], Awaitable[bool]],
        reader: QuestionReader,
        take_back: Callable[[Place, Collection[int]], Awaitable[None]],
    ) -> None:
        """Take also what lets a question go that was asked in certain messages."""
        self._client = client
        self._caller = caller
        self._store = store
        self._memory = memory
        self._deliveries = deliveries
        self._limits = limits
        self._is_opted_out = is_opted_out
        self._reader = reader
        self._take_back = take_back
        self._newest: OrderedDict[int, datetime] = OrderedDict()
        """When messages were edited last, as far as we know."""
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def correct(
        self, place: Place, discord_id: int, message: discord.Message | None = None, *, is_halved: bool = False
    ) -> bool:
        """Take up what has become of a message that asked, alone or with others; give it where it is known already.

        Where one of these others was deleted, older versions of the answer go once there is a new one. Returns False
        where nobody knows such a question. Raises what reading and answering it raise.
        """
        is_known, answer_anew = await self.take_up(place, discord_id, message, is_halved=is_halved)
        if answer_anew:
            await answer_anew()
        return is_known

    async def take_up(
        self, place: Place, discord_id: int, message: discord.Message | None = None, *, is_halved: bool = False
    ) -> tuple[bool, AnswerAnew | None]:
        """The same, but leave it to the caller to write the answer anew, where that is to be done."""
        edited_at = message.edited_at if message else None
        self._note(discord_id, edited_at)
        # One edit after the other up to where the next one finds the answer on its way, and can stop it.
        async with self._locks.setdefault(discord_id, asyncio.Lock()):
            if edited_at and edited_at < self._newest.get(discord_id, edited_at):
                return True, None  # a later edit is about to be taken up, or was
            running = self._deliveries.of_question(discord_id)
            if asked_in := await self._emptied(running, place, discord_id, message):
                await self._take_back(place, asked_in)
                return True, None
            if running is not None and not await self._hold(running, place, discord_id, message):
                return True, None
            asked = await self._store.asked_in(discord_id)  # as it is now that the answer has ended
            if asked is None:
                return False, None
            return True, await self._reword(asked, place, message, is_halved=is_halved)

    def _note(self, discord_id: int, edited_at: datetime | None) -> None:
        if edited_at and edited_at >= self._newest.get(discord_id, edited_at):
            self._newest[discord_id] = edited_at
            self._newest.move_to_end(discord_id)
            if len(self._newest) > KEPT:
                self._newest.popitem(last=False)

    async def _emptied(
        self, running: Running | None, place: Place, discord_id: int, message: discord.Message | None
    ) -> Sequence[int]:
        """The messages of a question that were edited until neither words nor files were left; else none."""
        if message and not self._is_empty(message):
            return ()
        asked = await self._store.asked_in(discord_id)
        asked_in = running.asked_in if running else asked.discord_ids if asked else ()
        messages = await self._messages(place, asked_in, message)
        return asked_in if messages and all(map(self._is_empty, messages)) else ()

    def _is_empty(self, message: discord.Message) -> bool:
        me = self._client.user
        return bool(me and is_addressed(message, me) and is_emptied(message, me, self._client.intents))

    async def _reword(
        self, asked: Asked, place: Place, message: discord.Message | None, *, is_halved: bool
    ) -> AnswerAnew | None:
        """Let the memory take the new words; returns what writes the answer anew, where that is to be done."""
        messages = await self._messages(place, asked.discord_ids, message)
        question = await self._question(messages, before=asked.content)
        if question is None or question.with_files() == asked.content:
            return None
        if await self._is_opted_out(asked.author):
            # Nothing new of theirs is kept, and what they took back is not to be kept either.
            await self._store.forget_messages(asked.discord_ids)
            return None
        await self._store.reword(asked.question_id, question.with_files(), question.images)
        if self._caller.now() - asked.asked_at > FRESH_FOR:
            return None
        return await self._anew(asked, question, messages[-1], is_halved=is_halved)

    async def _hold(self, running: Running, place: Place, discord_id: int, message: discord.Message | None) -> bool:
        """Stop an answer whose question reads otherwise now; False where it waits and takes the new words by itself."""
        asked = await self._store.asked_in(discord_id)
        messages = await self._messages(place, running.asked_in, message)
        question = await self._question(messages, before=asked.content if asked else None)
        if question is None or (asked and question.with_files() == asked.content):
            return False
        if running.question.is_new and running.control.reword(question):
            return False
        await self._check_limits(running, asked, question, messages[-1])
        running.control.stop()
        await running.done.wait()
        return True

    async def _check_limits(
        self, running: Running, asked: Asked | None, question: Question, message: discord.Message
    ) -> None:
        """Raise LimitReached, and let the answer go on, where there would be no other one in its place."""
        author, guild_id = running.question.author, running.question.place.guild_id
        try:
            await self._limits.admit(author, guild_id, roles_of(message.author), only_ask=True)
        except LimitReached:
            if asked and not await self._is_opted_out(author):
                await self._store.reword(asked.question_id, question.with_files(), question.images)
            raise

    async def _messages(
        self, place: Place, discord_ids: Sequence[int], known: discord.Message | None
    ) -> list[discord.Message]:
        """Those of a question that are still there, oldest first."""
        channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        found = []
        for discord_id in sorted(discord_ids):
            if known and known.id == discord_id:
                found.append(known)
                continue
            try:
                found.append(await channel.fetch_message(discord_id))
            except discord.NotFound:
                continue
        return found

    async def _question(self, messages: Sequence[discord.Message], *, before: str | None) -> Question | None:
        """All of them as one question, which the memory has as `before`; None where nothing of it is left."""
        whole: Question | None = None
        for message in messages:
            if (me := self._client.user) and is_addressed(message, me):
                question = await self._reader.question(message, me, before=before)
                whole = joined(whole, question) if whole else question
        return None if whole is None or whole.is_blank else whole

    async def _anew(
        self, asked: Asked, question: Question, message: discord.Message, *, is_halved: bool
    ) -> AnswerAnew | None:
        answer = await self._memory.answer(asked.place.channel_id, asked.answer_id or 0)
        if answer is None:
            return None  # cleared a moment ago
        await self._limits.admit(asked.author, asked.place.guild_id, roles_of(message.author))
        again, surface = correction(answer, question, is_halved=is_halved), self._surface(answer, message)
        return partial(self._deliveries.write_over, again, surface, question_message=message.id)

    def _surface(self, answer: Answer, message: discord.Message) -> ChannelSurface:
        place = answer.place
        return ChannelSurface(
            self._caller,
            self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id),
            key=random_key(),
            message_ids=answer.discord_ids,
            replies_to=message.to_reference(fail_if_not_exists=False),
        )
