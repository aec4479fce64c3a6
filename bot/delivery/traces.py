"""What the database must know of an answer's messages while it is written, so that a crash leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence

from bot.chat.answers import Question
from bot.chat.memory import ConversationStore, OpenMessageStore
from bot.delivery.surface import Surface
from bot.errors import StorageError

log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds that the next write to Discord waits for a note: longer only if another program holds the database."""


class Traces:
    """Notes which messages show what the memory keeps, and which one is being written to.

    The answer itself never fails for that, nor waits for long: a fault of the database is logged, and the note is tried
    again later.
    """

    def __init__(
        self,
        question: Question,
        surface: Surface,
        *,
        memory: ConversationStore,
        open_messages: OpenMessageStore,
        question_message: int | None,
        joined: Sequence[int] = (),
    ) -> None:
        """Take the Discord message that asked, where there is one, and those that turn out to have asked with it."""
        self._question = question
        self._surface = surface
        self._memory = memory
        self._open_messages = open_messages
        self._question_message = question_message
        self._joined = joined
        self._stored: tuple[int, int] | None = None
        self._linked: set[int] = set()
        self._open: int | None = None
        self._noting: asyncio.Task[None] | None = None
        self._is_news = False

    def remembered(self, question_id: int, answer_id: int) -> None:
        """The memory keeps the question and the answer under these ids."""
        self._stored = (question_id, answer_id)

    async def update(self) -> None:
        """Note what has come since the last time; called after each write."""
        self._is_news = True
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note())
        await asyncio.wait({self._noting}, timeout=PATIENCE)

    async def close(self, *, shown: bool) -> None:
        """The last message reads as it should, if it was shown to the end; else the next start looks after it."""
        self._is_news = True
        if self._noting:
            await self._noting
        await self._note()
        if shown and self._open is not None:
            await self._noted(self._open_messages.forget(self._open))

    async def _note(self) -> None:
        while self._is_news:
            self._is_news = False
            await self._noted(self._note_open())
            await self._noted(self._link())

    @staticmethod
    async def _noted(work: Awaitable[None]) -> None:
        try:
            await work
        except StorageError:
            pass  # the storage has logged it, once
        except Exception:
            log.exception("The messages of an answer could not be noted in the database")

    async def _note_open(self) -> None:
        # A private message can't be reached after a restart, and pages before the last one are finished.
        newest = self._surface.message_ids[-1] if self._surface.message_ids else None
        if self._question.private or newest is None or newest == self._open:
            return
        await self._open_messages.note(newest, self._question.place, instead_of=self._open)
        self._open = newest

    async def _link(self) -> None:
        if self._stored is None:
            return
        question_id, answer_id = self._stored
        pairs = [(answer_id, message_id) for message_id in self._surface.message_ids]
        if self._question_message is not None:
            pairs += [(question_id, message_id) for message_id in (self._question_message, *self._joined)]
        for stored_id, message_id in pairs:
            if message_id not in self._linked:
                await self._memory.shown_as(stored_id, message_id)
                self._linked.add(message_id)
