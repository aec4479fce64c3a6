"""What the database must know of an answer while it is on its way, so that a crash leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.chat.memory import ConversationStore, OpenAnswerStore
from bot.chat.messages import OpenAnswer
from bot.delivery.running import Running
from bot.errors import StorageError

log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds that the next write to Discord waits for a note: longer only if another program holds the database."""


class Traces:
    """Keeps the answer's row, which messages show what the memory keeps, and the text as far as it is shown.

    The answer itself never fails for that, nor waits for long: a fault of the database is logged, and what was not
    noted is tried again with the next write.
    """

    def __init__(
        self,
        running: Running,
        *,
        memory: ConversationStore,
        open_answers: OpenAnswerStore,
        now: Callable[[], datetime],
    ) -> None:
        self._running = running
        self._now = now
        self._memory = memory
        self._open_answers = open_answers
        self._stored: tuple[int, int] | None = None
        self._linked: set[tuple[int, int]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._noted: int | None = None
        self._noting: asyncio.Task[None] | None = None
        self._is_news = False
        self._text = self._kept = ""
        self._keeping: asyncio.Task[None] | None = None

    async def open(self, *, anonymous: bool) -> None:
        """Store that the answer is on its way, before anything of it is sent: if it is `anonymous`, but not whose.

        Nothing of a private one, which nobody could find after a restart.
        """
        running = self._running
        if running.question.private or running.rows or self._opening:
            return
        row = _row(running, opened_at=self._now(), anonymous=anonymous)
        self._opening = asyncio.create_task(_noted(self._open(row)))
        await asyncio.wait({self._opening}, timeout=PATIENCE)

    async def open_anew(self, *, anonymous: bool) -> None:
        """The same with what is known of the question now, in the place of what was stored before."""
        before = await self.rows()
        self._running.rows, self._opening = [], None
        await self.open(anonymous=anonymous)
        if await self.rows():
            await self._forget(before)
        else:
            self._running.rows = before

    async def _open(self, row: OpenAnswer) -> None:
        self._running.rows.insert(0, await self._open_answers.open(row))
        self._noted = None
        self._running.may_be_asked = row.may_be_asked

    async def rows(self) -> list[int]:
        """The rows, when the first one is there, or could not be stored."""
        if self._opening:
            await self._opening
        return self._running.rows

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
        self._is_news = True
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_all())
        await asyncio.wait({self._noting}, timeout=PATIENCE)

    async def _note_all(self) -> None:
        while self._is_news:
            self._is_news = False
            await _noted(self._note())
            await _noted(self._link())

    async def close(self, *, shown: bool) -> None:
        """All reads as it should, if it was shown to the end; else the next start looks after it."""
        self._is_news = True
        if self._noting:
            await self._noting
        await self._note_all()
        if self._keeping:
            await self._keeping
        while shown and (rows := self._running.rows):
            # Others may bring theirs meanwhile, which give way to this answer.
            self._running.rows = []
            await self._forget(rows)
        self._running.is_closed = True
        self._opening = None

    async def _forget(self, rows: Sequence[int]) -> None:
        """Nobody needs to look after these any more."""
        await _noted(self._open_answers.close(rows))

    async def put_off(self) -> None:
        """The next start may ask the question."""
        await self.update()
        for row in await self.rows():
            await _noted(self._open_answers.allow(row, asking=True))

    async def give_way(self) -> None:
        """Its messages are about to go; the question may be asked without them."""
        for row in await self.rows():
            await _noted(self._open_answers.note(row, None))

    async def _keep(self, answer_id: int) -> None:
        while self._kept != self._text:
            self._kept = self._text
            await _noted(self._memory.keep(answer_id, self._kept))

    async def _note(self) -> None:
        rows, message_ids = await self.rows(), self._running.surface.message_ids
        if rows and message_ids and message_ids[-1] != self._noted:
            await self._open_answers.note(rows[0], message_ids[-1])
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
            if (stored_id, message_id) not in self._linked:
                await self._memory.shown_as(stored_id, message_id)
                self._linked.add((stored_id, message_id))


async def _noted(work: Awaitable[None]) -> None:
    try:
        await work
    except StorageError:
        pass  # the storage has logged it, once
    except Exception:
        log.exception("An answer on its way could not be noted in the database")


def _row(running: Running, *, opened_at: datetime, anonymous: bool) -> OpenAnswer:
    question, messages = running.question, running.surface.message_ids
    row = OpenAnswer(place=question.place, opened_at=opened_at, key=running.key)
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
