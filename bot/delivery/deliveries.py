"""All answers on their way: begins each one, stops it when nobody can see it any more, finishes them at shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from bot.chat.answers import Control, Finished, Question
from bot.chat.assistant import Assistant
from bot.chat.display import Display
from bot.chat.memory import BEING_WRITTEN, ConversationStore, OpenAnswerStore
from bot.chat.messages import Answer, Author, EndReason, OpenAnswer, Place
from bot.delivery import wording
from bot.delivery.buttons import Buttons, NoButtons
from bot.delivery.calls import monotonic
from bot.delivery.channel_surface import ChannelSurface
from bot.delivery.delivery import Delivery, Means
from bot.delivery.live_answer import PLACEHOLDER_AFTER
from bot.delivery.running import Running
from bot.delivery.surface import Surface
from bot.errors import BadInput, QueueFull

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that running answers get to end by themselves when the bot is shut down."""
LAST_WORDS = 3.0
"""Seconds that they then get to show that they were interrupted."""

ORDERLY = 30.0
"""Seconds that a message waits at most for an earlier one to be read: more than any file takes, but for a bad line."""

SETTLING = 2.0
"""Seconds that the press of a button waits for an answer's last words; Discord waits 3 for a response."""

Read = Callable[[], Awaitable[Question]]
"""Reads a question."""

UNKNOWN_KEPT = 100
"""Ids of deleted messages that are remembered, the newest ones."""


class Deliveries:
    """The one way in which a question becomes messages in Discord."""

    def __init__(
        self,
        *,
        assistant: Assistant,
        display: Callable[[Place, Author], Awaitable[Display]],
        is_opted_out: Callable[[Author], Awaitable[bool]],
        memory: ConversationStore,
        open_answers: OpenAnswerStore,
        buttons: Buttons | None = None,
        placeholder_after: float = PLACEHOLDER_AFTER,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._means = Means(
            assistant=assistant,
            display=display,
            is_opted_out=is_opted_out,
            memory=memory,
            open_answers=open_answers,
            buttons=buttons or NoButtons(),
            placeholder_after=placeholder_after,
            clock=clock,
            now=now,
        )
        self._running: set[Running] = set()
        self._unknown: deque[int] = deque(maxlen=UNKNOWN_KEPT)
        """What was deleted lately and belonged to no answer that we knew of."""
        self._closing = False

    async def answer(
        self,
        question: Question,
        surface: Surface,
        *,
        header: str = "",
        question_message: int | None = None,
        read: Read | None = None,
    ) -> Finished:
        """Answer a question on a surface, to the end. `question_message` is the Discord message that asked.

        Where its files, or its text, are still to be `read`, it is on its way already meanwhile. What that raises ends
        it, and is raised here. What the same person wrote before it comes first, also if that takes longer to be read:
        a file, and then a question about it.
        """
        running = Running(question, surface, Control(), question_message, header, is_unread=read is not None)
        earlier = [other for other in self._running if other.precedes(running)]
        async with self._run(running) as delivery:
            if read:
                await delivery.read(read)
            with suppress(TimeoutError):
                async with asyncio.timeout(ORDERLY):
                    for other in earlier:
                        await other.control.is_in_line.wait()
            return await self._answer(delivery)

    async def answer_left(self, left: OpenAnswer, question: Question, surface: ChannelSurface) -> None:
        """The same with a question that an earlier process left waiting."""
        async with self._run(_running(left, question, surface)) as delivery:
            await self._answer(delivery)

    async def close_left(self, left: OpenAnswer, answer: Answer, surface: ChannelSurface) -> None:
        """Bring an answer that an earlier process left in the middle to its end, as the memory has it."""
        question = Question(answer.place, answer.asker, answer.question, again=answer)
        async with self._run(_running(left, question, surface)) as delivery:
            await delivery.show(answer)

    async def write_over(
        self, question: Question, surface: ChannelSurface, *, header: str = "", question_message: int | None = None
    ) -> Finished:
        """The same with the messages of an older answer: a new version of it, or more of it.

        Raises BadInput where an answer is on its way in that conversation, unless the question is corrected, which
        waits for its turn; and what went wrong where a new version ends before its first word: then the older answer,
        which the memory goes on from, stands there again.
        """
        if not question.is_corrected:
            self.check_idle(question.place)
        running = Running(question, surface, Control(), question_message, header)
        async with self._run(running) as delivery:
            if question.again:
                await delivery.shorten(1)
            finished = await self._answer(delivery)
            if running.is_withdrawn:
                return finished
            await delivery.shorten(running.length)
            if question.again and question.again.content and not finished.has_text:
                await delivery.open()
                await delivery.show(question.again)
                if error := finished.error or wording.silence(finished):
                    raise error
            return finished

    async def show(self, answer: Answer, surface: ChannelSurface, *, header: str = "") -> None:
        """Show a finished answer on the messages of another version. Raises as `write_over` does."""
        self.check_idle(answer.place)
        question = Question(answer.place, answer.asker, answer.question, again=answer)
        running = Running(question, surface, Control(), answer.question_discord_id, header)
        async with self._run(running) as delivery:
            await delivery.show(answer)

    def check_idle(self, place: Place) -> None:
        """Raise BadInput where an answer is on its way in a conversation."""
        if any(running.is_in(place) for running in self._running):
            raise BadInput(BEING_WRITTEN)

    async def settled(self, channel_id: int) -> None:
        """Wait a moment for answers of a channel that have ended, but are not wound up yet.

        Their buttons can be seen a little before Discord has told that they can.
        """
        ending = [it for it in self._running if it.is_ending and it.question.place.channel_id == channel_id]
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLING):
                for running in ending:
                    await running.done.wait()

    @asynccontextmanager
    async def _run(self, running: Running) -> AsyncGenerator[Delivery, None]:
        """Have an answer among those on their way, and its row in the database, before anything of it can be seen."""
        if self._closing:
            raise QueueFull("The bot is being restarted; please ask again in a minute.")
        self._running.add(running)
        try:
            delivery = Delivery(running, self._means)
            await delivery.open()
            yield delivery
        finally:
            running.control.is_in_line.set()
            running.done.set()
            self._running.discard(running)

    async def _answer(self, delivery: Delivery) -> Finished:
        running = delivery.running
        return await delivery.answer(
            is_unwanted=lambda: running.loses(self._unknown),
            heir=lambda: self._heir(running),
        )

    def _heir(self, running: Running) -> Running | None:
        """The answer that takes up the question of one that was joined; that one may have been joined to a third."""
        control = running.control.heir
        while control and control.heir:
            control = control.heir
        return next((other for other in self._running if other.control is control), None)

    def asker(self, key: str) -> Author | None:
        """Who asked for the answer that is on its way under this key; None where there is none (any more)."""
        written = (running for running in self._running if not running.is_shown_again)
        return next((running.question.author for running in written if running.key == key), None)

    def stop(self, key: str, *, by: str) -> None:
        """Stop the answer under this key, out of the line or off the model, in a person's name."""
        for running in self._running:
            if running.key == key:
                log.info("An answer in channel %s is stopped by hand", running.question.place.channel_id)
                running.control.stop(by=by)

    def of_question(self, discord_id: int) -> Running | None:
        """The answer on its way to what a message asks, alone or with others."""
        return next((it for it in self._running if discord_id in it.asked_in and not it.is_withdrawn), None)

    def asker_in(self, place: Place, discord_id: int) -> Author | None:
        """Who asked for the answer on its way in a conversation that a message asks for, or is a page of."""
        for running in self._running:
            shown = {*running.asked_in, *running.surface.message_ids}
            if running.is_in(place) and not running.is_withdrawn and discord_id in shown:
                return running.question.author
        return None

    def asking(self) -> list[tuple[Place, int]]:
        """The messages that ask for the answers on their way, and where they stand."""
        return [(running.question.place, it) for running in self._running for it in running.asked_in]

    def withdraw(self, deleted: Collection[int], *, may_ask_again: bool = False) -> list[Running]:
        """Let nothing be left of the answers whose question or page is among messages that were deleted.

        Where they only were emptied, they `may_ask_again`. Returns them; each is `done` a little later.
        """
        lost = [running for running in self._running if running.loses(deleted)]
        for running in lost:
            running.withdraw()
        if not (lost or may_ask_again):
            # Perhaps messages whose ids are still on their way to us.
            self._unknown.extend(deleted)
        return lost

    def stop_in(self, is_gone: Callable[[Place], bool]) -> None:
        """Stop the answers in places that are there no more, or closed."""
        self._stop([running for running in self._running if is_gone(running.question.place)])

    def stop_of(self, person_id: int) -> None:
        """Stop the answers to a person, those that wait in line too, because nothing more of them is to be stored."""
        for running in self._running:
            if running.question.author.id == person_id:
                running.control.stop()

    def stop_where(self, is_closed: Callable[[Place], bool]) -> None:
        """Stop the answers in places that the bot sees no more, if it needs to see them."""
        self._stop([it for it in self._running if it.surface.needs_sight and is_closed(it.question.place)])

    def _stop(self, stopped: Iterable[Running]) -> None:
        for running in stopped:
            running.stop_unseen()

    async def close(self) -> None:
        """Let running answers end, then interrupt the rest, within 8 seconds; the next start mends what is left.

        What waits for its turn is left to the next start.
        """
        self._closing = True
        if self._running:
            log.info("Waiting for %s answers to end", len(self._running))
        for running in self._running:
            if running.waits:
                running.control.stop(EndReason.INTERRUPTED)
        await self._all_done(GRACE)
        for running in self._running:
            running.control.stop(EndReason.INTERRUPTED)
        await self._all_done(LAST_WORDS)
        await self._means.assistant.close()

    async def _all_done(self, seconds: float) -> None:
        waits = [asyncio.create_task(running.done.wait()) for running in self._running]
        if waits:
            _, late = await asyncio.wait(waits, timeout=seconds)
            for wait in late:
                wait.cancel()


def _running(left: OpenAnswer, question: Question, surface: ChannelSurface) -> Running:
    """An answer under the key of its buttons that are there already."""
    running = Running(question, surface, Control(), left.asked_in, left.header)
    running.rows, running.may_be_asked = [left.id], left.is_waiting
    return running
