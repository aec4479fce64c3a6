"""What a start does with the answers that were on their way when the last process ended, however it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

import discord

from bot.chat.answers import Control, Finished, Question
from bot.chat.memory import ConversationStore, OpenAnswerStore
from bot.chat.messages import Answer, Author, EndReason, OpenAnswer, Place
from bot.delivery import wording
from bot.delivery.buttons import Buttons
from bot.delivery.calls import Caller
from bot.delivery.channel_surface import ChannelSurface
from bot.delivery.deliveries import Deliveries
from bot.delivery.live_answer import LiveAnswer
from bot.delivery.pages import LIMIT
from bot.delivery.surface import PASSING, Payload, SurfaceGone, TextFile, key_of, persist
from bot.delivery.text import units
from bot.errors import BadInput, LlampostError, StorageError
from bot.ui.addressed import QuestionReader
from bot.ui.remains import Remains, find

log = logging.getLogger(__name__)

ASKED_FOR = timedelta(hours=1)
"""A question that waited longer is not asked any more: whoever asked has turned to something else."""

TRIED_FOR = timedelta(days=1)
"""So long each start tries again to bring an answer to its end."""

Work = Callable[[OpenAnswer, Remains], Awaitable[None]]


class Aftermath:
    """Brings every answer to its end, and asks what still waited; nothing is asked twice in this way."""

    def __init__(
        self,
        client: discord.Client,
        *,
        open_answers: OpenAnswerStore,
        memory: ConversationStore,
        deliveries: Deliveries,
        reader: QuestionReader,
        caller: Caller,
        buttons: Buttons,
        refresh: Callable[[Place, Author], Awaitable[None]],
    ) -> None:
        """Take what lets a person's conversation say what stands in Discord, where nobody told the bot of changes."""
        self._refresh = refresh
        self._client = client
        self._open_answers = open_answers
        self._memory = memory
        self._deliveries = deliveries
        self._reader = reader
        self._caller = caller
        self._buttons = buttons
        self._asking: set[asyncio.Task[None]] = set()

    async def deal_with(self, left: Sequence[OpenAnswer]) -> None:
        """Look after what was left, oldest first; what can't be reached now is tried at the next start."""
        shown_by = {one.answer_id: one.id for one in left}
        for one in left:
            if one.is_waiting:
                continue
            is_joined = one.answer_id is not None and shown_by[one.answer_id] != one.id
            await self._safely(self._take_away if is_joined else self._end, one)
        # Only then the names in a question's text are known.
        await self._client.wait_until_ready()
        for one in left:
            if one.is_waiting:
                await self._safely(self._ask, one)

    async def _safely(self, work: Work, left: OpenAnswer) -> None:
        channel_id, is_over = left.place.channel_id, self._age(left) > TRIED_FOR
        try:
            await work(left, await persist(partial(find, self._client, left)))
        except (discord.NotFound, SurfaceGone):
            log.info("An answer that was on its way in channel %s is gone", channel_id)
            is_over = True
        except PASSING as error:
            log.info(
                "An answer that was on its way in channel %s can't be brought to an end now: %s", channel_id, error
            )
        except StorageError:
            return  # the storage has logged it, once
        except Exception:
            log.exception("An answer that was on its way in channel %s could not be brought to an end", channel_id)
        else:
            return
        if is_over:
            with suppress(StorageError):  # as above
                await self._open_answers.close([left.id])

    def _age(self, left: OpenAnswer) -> timedelta:
        return self._caller.now() - left.opened_at

    # What had begun

    async def _end(self, left: OpenAnswer, remains: Remains) -> None:
        answer = await self._remembered(left)
        message_ids = {*(answer.discord_ids if answer else ()), *remains.message_ids}
        message_ids -= {left.discord_id} if remains.is_gone and left.discord_id else set()
        if remains.shows_end(left, answer) or (remains.is_gone and not message_ids):
            await self._open_answers.close([left.id])
        elif answer and (answer.content or not remains.message_ids):
            await self._end_thinking(left, remains)
            await self._deliveries.close_left(left, answer, self._surface(left, sorted(message_ids)))
        else:
            if remains.message_ids:
                await self._mark(left, remains.messages[-1], answer)
            await self._open_answers.close([left.id])

    async def _remembered(self, left: OpenAnswer) -> Answer | None:
        """The answer as the memory has it: a version without any text leaves the one before it in its place."""
        if left.answer_id is None:
            return None
        return await self._memory.answer(left.place.channel_id, await self._memory.current(left.answer_id))

    async def _mark(self, left: OpenAnswer, message: discord.Message, answer: Answer | None) -> None:
        """Let a message say that it was interrupted, below what it says, which stands nowhere else."""
        if answer:
            await self._memory.shown_as(answer.id, message.id)
        finished = Finished(EndReason.INTERRUPTED, is_kept=answer is not None)
        payload = Payload(interrupted(message.content, finished), self._buttons.end(answer) if answer else None)
        channel = self._client.get_partial_messageable(left.place.channel_id, guild_id=left.place.guild_id)
        mended = channel.get_partial_message(message.id)
        edits = self._caller.budgets.edits(left.place.channel_id)
        await persist(partial(self._caller.when_open, edits, lambda: mended.edit(**payload.for_edit())))

    async def _take_away(self, left: OpenAnswer, remains: Remains) -> None:
        """Delete what nobody needs to see any more."""
        await self._surface(left, [message.id for message in remains.messages]).shorten(0)
        await self._open_answers.close([left.id])

    # What still waited

    async def _ask(self, left: OpenAnswer, remains: Remains) -> None:
        if remains.is_gone or remains.shows_end(left):
            await self._open_answers.close([left.id])
            return
        if not left.may_be_asked or self._age(left) > ASKED_FOR:
            await self._give_up(left, remains, BadInput(wording.NOT_REACHED))
            return
        await self._end_thinking(left, remains)
        if left.asker:
            # Else the model would read once more what was deleted or edited meanwhile, and might tell of it.
            await self._refresh(left.place, left.asker)
        # Noted first: a question that ends the process would else end each that follows.
        await self._open_answers.allow(left.id, asking=False)
        try:
            question = await self._question(left)
        except LlampostError as error:
            await self._give_up(left, remains, error)
            return
        except (asyncio.CancelledError, *PASSING):
            await self._open_answers.allow(left.id, asking=True)
            raise
        if question is None:
            await self._take_away(left, remains)
            return
        surface = self._surface(left, remains.message_ids)
        task = asyncio.create_task(self._answer(left, question, surface))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _question(self, left: OpenAnswer) -> Question | None:
        """What was asked, as it reads now; None where it was taken back. Raises as `QuestionReader.files` does."""
        if left.asker is None:
            return None
        if left.asked_in is None:
            return Question(left.place, left.asker, left.question or "", persona=left.persona)
        channel_id = left.place.channel_id
        try:
            channel = self._client.get_channel(channel_id) or await self._client.fetch_channel(channel_id)
            message = await channel.fetch_message(left.asked_in)  # type: ignore[union-attr]
        except discord.NotFound:
            return None
        question = await self._reader.question(message, self._client.user)  # type: ignore[arg-type]
        asked = Question(left.place, left.asker, question.text, question.files, after=question.after)
        return None if asked.is_blank else asked

    async def _answer(self, left: OpenAnswer, question: Question, surface: ChannelSurface) -> None:
        log.info("A question that waited in channel %s is asked now", left.place.channel_id)
        try:
            await self._deliveries.answer_left(left, question, surface)
        except LlampostError:
            # The bot is being stopped again: the next start may ask it.
            await self._open_answers.allow(left.id, asking=True)
        except Exception:
            log.exception("A question that waited in channel %s could not be asked", left.place.channel_id)

    async def _give_up(self, left: OpenAnswer, remains: Remains, error: LlampostError) -> None:
        """Say that a question gets no answer, and give it back where it stands nowhere else."""
        surface = self._surface(left, remains.message_ids)
        await self._end_thinking(left, remains)
        live = LiveAnswer(surface, Control(), header=left.header, placeholder_after=0)
        live.finish(Finished(EndReason.FAILED, error=error))
        if not await live.show(_nothing):
            return
        if left.question and not live.is_gone and not _is_above(left):
            await surface.send_file(TextFile("question.txt", left.question))
        await self._open_answers.close([left.id])

    async def _end_thinking(self, left: OpenAnswer, remains: Remains) -> None:
        """Delete what says "is thinking": only the command's own process could have written there."""
        thinking = [message.id for message in remains.messages if message.flags.loading]
        await self._surface(left, thinking).shorten(0)

    def _surface(self, left: OpenAnswer, message_ids: Sequence[int]) -> ChannelSurface:
        place = left.place
        channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        replies_to = None
        if left.asked_in is not None:
            replies_to = discord.MessageReference(
                message_id=left.asked_in,
                channel_id=place.channel_id,
                guild_id=place.guild_id,
                fail_if_not_exists=False,
            )
        # An older version of the bot did not store the key of every answer.
        key = left.key or key_of(left.asked_in or left.interaction_id or left.id)
        return ChannelSurface(self._caller, channel, key=key, message_ids=message_ids, replies_to=replies_to)


def interrupted(content: str, finished: Finished) -> str:
    """How a message reads that was left in the middle: the line that said what went on gives way to the end."""
    text, footer = wording.without_status(content), wording.footer(finished)
    return f"{text}\n{footer}" if text and units(text) + units(footer) < LIMIT else text or footer


def _is_above(left: OpenAnswer) -> bool:
    """Whether the whole question can be read in the line above its answer."""
    question, name = left.question or "", left.asker.name if left.asker else ""
    return not wording.is_shortened(question) and left.header.startswith(wording.header(name, question))


async def _nothing() -> None:
    """After each write."""
