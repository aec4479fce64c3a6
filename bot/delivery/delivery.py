"""One answer from its question to its end in Discord, with all that is noted about it meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import discord

from bot.chat.answers import Finished, Question, finished_before
from bot.chat.assistant import Assistant
from bot.chat.display import Display
from bot.chat.memory import ConversationStore, OpenAnswerStore
from bot.chat.messages import Answer, Author, EndReason, Place
from bot.delivery import wording
from bot.delivery.buttons import Buttons
from bot.delivery.live_answer import LiveAnswer, MakeView, no_view
from bot.delivery.running import Running
from bot.delivery.surface import PASSING, SurfaceGone, TextFile, persist
from bot.delivery.traces import Traces
from bot.errors import LlampostError, StorageError

log = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every answer needs on its way."""

    assistant: Assistant
    display: Callable[[Place, Author], Awaitable[Display]]
    is_opted_out: Callable[[Author], Awaitable[bool]]
    memory: ConversationStore
    open_answers: OpenAnswerStore
    buttons: Buttons
    placeholder_after: float
    clock: Callable[[], float]
    now: Callable[[], datetime]


class Delivery:
    """The way of one answer."""

    def __init__(self, running: Running, means: Means) -> None:
        self.running = running
        self._means = means
        self._traces = Traces(running, memory=means.memory, open_answers=means.open_answers, now=means.now)

    async def open(self) -> None:
        """Store that it is on its way, or once more, before anything of it can be seen."""
        if (anonymous := await self._is_anonymous()) is not None:
            await self._traces.open(anonymous=anonymous)

    async def read(self, read: Callable[[], Awaitable[Question]]) -> None:
        """Take the whole question, which is on its way already. What goes wrong with it is raised, and ends it."""
        running = self.running
        try:
            running.question = await read()
        except Exception:
            await self._traces.close(shown=True)
            raise
        running.is_unread = False
        # What a command asks can't be read again, so it is stored with its files.
        if running.question_message is None and (anonymous := await self._is_anonymous()) is not None:
            await self._traces.open_anew(anonymous=anonymous)

    async def answer(self, *, is_unwanted: Callable[[], bool], heir: Callable[[], Running | None]) -> Finished:
        """Let the answer be written and shown, to the end of both.

        After each write it is asked whether it `is_unwanted`. A question that was joined to another one is left to its
        `heir`.
        """
        running, means = self.running, self._means
        question, asked_at = running.question, means.clock()
        display = await self._chosen_display()
        live = LiveAnswer(
            running.surface,
            running.control,
            header=running.header,
            display=display,
            placeholder_after=means.placeholder_after,
            stop_button=lambda: means.buttons.stop(running.key),
            writing=self._traces.writing,
        )
        if question.more_of:
            live.go_on(question.more_of.content)
        running.live = live
        finished = await self._write(live, is_unwanted, heir)
        if running.is_withdrawn:
            return finished
        running.length = live.length or running.length
        is_lost = finished.reason in {EndReason.FAILED, EndReason.INTERRUPTED} and not finished.is_put_off
        if is_lost and question.is_new and not running.is_visible:
            # The question stands nowhere else in Discord, and nothing that a person wrote is lost.
            await self._attach_question()
        took_long = display.ready_after is not None and means.clock() - asked_at > display.ready_after
        if took_long and finished.reason in {EndReason.COMPLETE, EndReason.LENGTH} and not live.is_gone:
            await self._announce()
        return finished

    async def show(self, answer: Answer) -> None:
        """Show a remembered answer in the messages that there are, and in further ones where it needs them."""
        running, surface = self.running, self.running.surface
        running.is_shown_again = True
        display = await self._chosen_display()
        live = LiveAnswer(surface, running.control, header=running.header, display=display, placeholder_after=0)
        live.text(answer.content)
        live.finish(finished_before(answer), lambda: self._means.buttons.end(answer))
        # A press of its buttons waits until it is shown; what the same person asks meanwhile does not.
        running.live = live
        running.control.is_in_line.set()
        self._traces.remembered(answer.question_id, answer.id)
        # Before the buttons are there, which go by that.
        await self._traces.update()
        shown = await live.show(self._traces.update)
        await self.shorten(live.length)
        await self._traces.close(shown=shown)

    async def shorten(self, length: int) -> None:
        """Delete the messages that an answer needs no more; they are forgotten first, or the answer would be."""
        surface = self.running.surface
        if surplus := surface.message_ids[length:]:
            await self._means.memory.not_shown(surplus)
            await surface.shorten(length)

    async def _write(
        self, live: LiveAnswer, is_unwanted: Callable[[], bool], heir: Callable[[], Running | None]
    ) -> Finished:
        running, traces, question = self.running, self._traces, self.running.question
        noting: list[asyncio.Task[None]] = []
        stored: list[int] = []

        def remembered(question_id: int, answer_id: int) -> None:
            stored.append(answer_id)
            running.is_stored = True
            traces.remembered(question_id, answer_id)
            # The next write may be a long time off, and a crash may come before it.
            noting.append(asyncio.create_task(traces.update()))

        async def written() -> None:
            if is_unwanted():
                running.withdraw()
            await traces.update()

        showing = asyncio.create_task(live.show(written))
        # Whatever ends the showing, the model does not go on writing for nobody.
        showing.add_done_callback(lambda _: running.control.stop())
        finished = await self._means.assistant.answer(
            replace(question, on_way=tuple(running.rows) if question.is_new else ()),
            live,
            running.control,
            remembered=remembered,
            joins=question.is_new and running.question_message is not None,
        )
        if finished.reason is EndReason.JOINED:
            live.withdraw()
        elif not running.is_withdrawn:
            finished = replace(finished, is_put_off=finished.reason is EndReason.INTERRUPTED and running.waits)
            live.finish(finished, await self._end_buttons(stored))
        shown = await showing
        await asyncio.gather(*noting)
        running.is_withdrawn = running.is_withdrawn or live.is_deleted
        await self._wind_up(finished, stored, heir, shown=shown)
        return finished

    async def _wind_up(
        self, finished: Finished, stored: Sequence[int], heir: Callable[[], Running | None], *, shown: bool
    ) -> None:
        """Leave the answer's row to whoever needs it still, if anybody does."""
        await self._traces.rows()
        if self.running.is_withdrawn and finished.reason is not EndReason.JOINED:
            # One that ended as WITHDRAWN was forgotten with its end.
            await self._take_away(() if finished.reason is EndReason.WITHDRAWN else stored)
        if finished.is_put_off:
            await self._traces.put_off()
        elif finished.reason is not EndReason.JOINED or not await self._give_way(heir()):
            await self._traces.close(shown=shown)

    async def _take_away(self, stored: Sequence[int]) -> None:
        """Leave nothing of an answer that was deleted in Discord, or whose question was."""
        try:
            await self.shorten(0)
            for answer_id in stored:
                await self._means.memory.remove(answer_id)
        except LlampostError as error:
            log.info("An answer that was deleted in Discord is not forgotten here: %s", error)
        except Exception:
            log.exception("An answer that was deleted in Discord could not be forgotten")

    async def _give_way(self, heir: Running | None) -> bool:
        """Leave the question to the answer that takes it up, if that takes its row too; take away what was shown."""
        running = self.running
        takes_over = heir is not None and not heir.is_closed
        if heir and running.question_message is not None:
            heir.joined += [*running.joined, running.question_message]
        if heir and takes_over:
            heir.rows += running.rows
        await self._traces.give_way()
        await self.shorten(0)
        return takes_over

    async def _is_anonymous(self) -> bool | None:
        """Whether it may be kept that there is an answer, but not whose; None where that can't be read."""
        question = self.running.question
        if not question.is_new:
            return False  # what is there already is kept anyway
        return await _read(self._means.is_opted_out(question.author), "Whether a question may be kept")

    async def _end_buttons(self, stored: list[int]) -> MakeView:
        """What makes the buttons of an answer that is remembered, as the memory has it now."""
        question, answer = self.running.question, self.running.question.more_of
        if stored:
            kept = self._means.memory.answer(question.place.channel_id, stored[0])
            answer = await _read(kept, "What the buttons of an answer are")
        return partial(self._means.buttons.end, answer) if answer else no_view

    async def _chosen_display(self) -> Display:
        question = self.running.question
        chosen = await _read(self._means.display(question.place, question.author), "How answers are to be shown")
        return chosen or Display()  # the answer, which needs the database too, will say that it fails

    async def _attach_question(self) -> None:
        running = self.running
        try:
            await persist(partial(running.surface.send_file, TextFile("question.txt", running.question.text)))
        except SurfaceGone:
            pass
        except PASSING:
            log.exception("A question could not be given back as a file")

    async def _announce(self) -> None:
        """Notify the person who asked; whoever sees a private answer is looking at it already."""
        question, surface = self.running.question, self.running.surface
        if question.private or not surface.message_ids:
            return
        place = question.place
        shown = discord.MessageReference(
            message_id=surface.message_ids[0], channel_id=place.channel_id, guild_id=place.guild_id
        )
        try:
            await surface.announce(question.author.id, wording.ready(shown.jump_url))
        except (SurfaceGone, *PASSING) as error:
            log.info("That an answer is ready could not be said: %s", error)


async def _read(work: Awaitable[_T], what: str) -> _T | None:
    """What an answer can do without; None where it can't be read, since no answer fails for that."""
    try:
        return await work
    except StorageError:
        return None  # the storage has logged it, once
    except Exception:
        log.exception("%s could not be read", what)
        return None
