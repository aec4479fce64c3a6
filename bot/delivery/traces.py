"""What the database must know of an answer while it is on its way, so that a crash leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.chat.memory import ConversationStore, OpenAnswerStore
from bot.chat.messages import OpenAnswer
from bot.delivery.running import Running

log = logging.getLogger(__name__)


class Traces:
    """Keeps the answer's row, which messages show what the memory keeps, and the text as far as it is shown.

    The answer itself never fails for that: a fault of the database is logged, and what was not noted is tried again
    with the next write.
    """

    def __init__(self, running: Running, *, memory: ConversationStore, open_answers: OpenAnswerStore) -> None:
        self._running = running
        self._memory = memory
        self._open_answers = open_answers
        self._stored: tuple[int, int] | None = None
        self._linked: set[int] = set()
        self._noted: int | None = None
        self._noting = asyncio.Lock()
        self._text = self._kept = ""
        self._keeping: asyncio.Task[None] | None = None

    async def open(self, *, anonymous: bool) -> None:
        """Store that the answer is on its way, before anything of it is sent: if it is `anonymous`, but not whose.

        Nothing of a private one, which nobody could find after a restart.
        """
        running = self._running
        if running.question.private or running.rows:
            return
        row = _row(running, anonymous=anonymous)
        try:
            running.rows = [await self._open_answers.open(row)]
            running.may_be_asked = row.may_be_asked
        except Exception:
            log.exception("That an answer is on its way could not be noted in the database")

    def remembered(self, question_id: int, answer_id: int) -> None:
        """The memory keeps the question and the answer under these ids."""
        self._stored = (question_id, answer_id)

    def writing(self, text: str) -> None:
        """So much of the answer is about to be shown: then the memory should have it too. Waits for nothing."""
        self._text = text
        if self._stored and text != self._kept and (self._keeping is None or self._keeping.done()):
            self._keeping = asyncio.create_task(self._keep(self._stored[1]))

    async def update(self) -> None:
        """Note what has come since the last time; called after each write."""
        try:
            async with self._noting:
                await self._note()
                await self._link()
        except Exception:
            log.exception("The messages of an answer could not be noted in the database")

    async def close(self, *, shown: bool) -> None:
        """All reads as it should, if it was shown to the end; else the next start looks after it."""
        await self.update()
        if self._keeping:
            await self._keeping
        while shown and (rows := self._running.rows):
            # Others may bring theirs meanwhile, which give way to this answer.
            self._running.rows = []
            await self.forget(rows)
        self._running.is_closed = True

    async def forget(self, rows: Sequence[int]) -> None:
        """Nobody needs to look after these any more."""
        try:
            await self._open_answers.close(rows)
        except Exception:
            log.exception("A finished answer could not be noted in the database")

    async def put_off(self) -> None:
        """The next start may ask the question."""
        await self.update()
        try:
            for row in self._running.rows:
                await self._open_answers.allow(row, asking=True)
        except Exception:
            log.exception("That a question is put off could not be noted in the database")

    async def give_way(self) -> None:
        """Its messages are about to go; the question may be asked without them."""
        try:
            for row in self._running.rows:
                await self._open_answers.note(row, None)
        except Exception:
            log.exception("That an answer gives way to the next could not be noted in the database")

    async def _keep(self, answer_id: int) -> None:
        try:
            while self._kept != self._text:
                self._kept = self._text
                await self._memory.keep(answer_id, self._kept)
        except Exception:
            log.exception("The text of an answer so far could not be stored")

    async def _note(self) -> None:
        message_ids = self._running.surface.message_ids
        if self._running.rows and message_ids and message_ids[-1] != self._noted:
            await self._open_answers.note(self._running.rows[0], message_ids[-1])
            self._noted = message_ids[-1]

    async def _link(self) -> None:
        if self._stored is None:
            return
        question_id, answer_id = self._stored
        running = self._running
        pairs = [(answer_id, message_id) for message_id in running.surface.message_ids]
        if running.question_message is not None:
            pairs += [(question_id, message_id) for message_id in (running.question_message, *running.joined)]
        for stored_id, message_id in pairs:
            if message_id not in self._linked:
                await self._memory.shown_as(stored_id, message_id)
                self._linked.add(message_id)


def _row(running: Running, *, anonymous: bool) -> OpenAnswer:
    question, messages = running.question, running.surface.message_ids
    row = OpenAnswer(place=question.place, opened_at=datetime.now(UTC), key=running.key)
    if older := question.again or question.more_of:
        # Further pages of an older version are about to go.
        row = replace(row, answer_id=older.id, discord_id=messages[0 if question.again else -1] if messages else None)
    if anonymous:
        return row
    row = replace(row, asked_in=running.question_message, asker=question.author, header=running.header)
    if running.question_message is not None or not question.is_new:
        return replace(row, may_be_asked=question.is_new)
    return replace(
        row,
        interaction_id=running.surface.origin,
        question=question.with_files(),
        persona=question.persona,
        # Images are kept with questions that have come to their turn only.
        may_be_asked=not (running.is_unread or question.images),
    )
