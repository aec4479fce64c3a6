"""All answers on their way: begins each one, stops it when nobody can see it any more, finishes them at shutdown."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field

from bot.chat.answers import Control, Finished, Question
from bot.chat.assistant import Assistant
from bot.chat.memory import ConversationStore
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.live_answer import LiveAnswer
from bot.delivery.pace import Pace
from bot.delivery.surface import Surface, SurfaceGone
from bot.errors import QueueFull

log = logging.getLogger(__name__)

GRACE = 6.0
"""Seconds that running answers get to end by themselves when the bot is shut down."""
LAST_WORDS = 3.0
"""Seconds that they then get to show that they were interrupted."""


@dataclass(eq=False, slots=True)
class _Running:
    question: Question
    surface: Surface
    control: Control
    question_message: int | None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    stored: tuple[int, int] | None = None
    linked: set[int] = field(default_factory=set)

    def is_about(self, discord_id: int) -> bool:
        """Whether a message (the question or a page), channel or thread of this id carries the answer."""
        place = self.question.place
        return discord_id in {self.question_message, place.channel_id, place.parent_id, *self.surface.message_ids}


class Deliveries:
    """The one way in which a question becomes messages in Discord."""

    def __init__(self, *, assistant: Assistant, memory: ConversationStore, pace: Pace) -> None:
        self._assistant = assistant
        self._memory = memory
        self._pace = pace
        self._running: set[_Running] = set()
        self._closing = False

    async def answer(
        self, question: Question, surface: Surface, *, header: str = "", question_message: int | None = None
    ) -> Finished:
        """Answer a question on a surface, to the end. `question_message` is the Discord message that asked."""
        if self._closing:
            raise QueueFull("The bot is being restarted; please ask again in a minute.")
        running = _Running(question, surface, Control(), question_message)
        self._running.add(running)
        try:
            return await self._answer(running, header)
        finally:
            running.done.set()
            self._running.discard(running)

    async def _answer(self, running: _Running, header: str) -> Finished:
        bucket = self._pace.bucket(running.surface.bucket_key)
        live = LiveAnswer(running.surface, bucket, running.control, header=header)

        linking: list[asyncio.Task[None]] = []

        def remembered(question_id: int, answer_id: int) -> None:
            running.stored = (question_id, answer_id)
            # Mostly the first message is there already; after a crash it is found only if it was noted.
            linking.append(asyncio.create_task(self._link(running)))

        showing = asyncio.create_task(live.show(lambda: self._link(running)))
        finished = await self._assistant.answer(running.question, live, running.control, remembered=remembered)
        live.finish(finished)
        await showing
        await asyncio.gather(*linking)
        await self._link(running)
        if finished.reason is EndReason.FAILED and header and wording.is_shortened(running.question.text):
            # The question stands nowhere else in Discord, and nothing that a person wrote is lost.
            with suppress(SurfaceGone):
                await running.surface.attach("question.txt", running.question.text)
        return finished

    async def _link(self, running: _Running) -> None:
        """Note in the memory which Discord messages show what it keeps; the answer itself never fails for that."""
        if running.stored is None:
            return
        question_id, answer_id = running.stored
        pairs = [(answer_id, message_id) for message_id in running.surface.message_ids]
        if running.question_message is not None:
            pairs.append((question_id, running.question_message))
        try:
            for stored_id, message_id in pairs:
                if message_id not in running.linked:
                    await self._memory.shown_as(stored_id, message_id)
                    running.linked.add(message_id)
        except Exception:
            log.exception("The messages of an answer could not be noted in the memory")

    def stop_about(self, discord_id: int) -> None:
        """Stop the answers whose message, question, channel or thread has this id, because it is gone."""
        for running in self._running:
            if running.is_about(discord_id):
                running.control.stop()

    async def close(self) -> None:
        """Let running answers end, then interrupt the rest; after at most 9 seconds none is left unmarked."""
        self._closing = True
        if not self._running:
            return
        log.info("Waiting for %s answers to end", len(self._running))
        await self._all_done(GRACE)
        for running in self._running:
            running.control.stop(EndReason.INTERRUPTED)
        await self._all_done(LAST_WORDS)

    async def _all_done(self, seconds: float) -> None:
        waits = [asyncio.create_task(running.done.wait()) for running in self._running]
        if waits:
            _, late = await asyncio.wait(waits, timeout=seconds)
            for wait in late:
                wait.cancel()
