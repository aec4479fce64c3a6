"""What was said in each place, as a tree of messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.chat.memory import BEING_WRITTEN, NOT_THEIR_QUESTION, NOT_THEIRS_ALONE, Summary
from bot.chat.messages import Author, Conversation, EndReason, Place, Receipt, Role, RunningAnswer, StoredMessage
from bot.errors import BadInput, NotAllowed
from bot.storage import branches
from bot.storage.database import Database, utc_now
from bot.storage.schema import IS_RUNNING, AnyRow, conversations, discord_messages, messages, receipts

_PURGE_BATCH = 1_000
"""Messages deleted in one transaction: some milliseconds, so that no answer elsewhere waits for a long history."""


class SqlConversations:
    """A `ConversationStore`.

    A cleared conversation loses its channel, and with it everything that looks for it: that is the one transaction
    that counts. Its rows are deleted after that, a batch at a time (`purge`), the newest first, because each
    message needs its parent.
    """

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    async def open(self, place: Place) -> Conversation:
        """The place's conversation, made where there is none yet."""
        async with self._database.reading() as connection:
            row = await _find(connection, place)
        if row is None:
            async with self._database.transaction() as connection:
                row = await self._find_or_make(connection, place)
        return Conversation(row.id, place, row.window_start_id)

    async def window(self, conversation: Conversation) -> list[StoredMessage]:
        """The shown branch from the window's start to the head, oldest first; at most the newest MAX_WINDOW."""
        async with self._database.reading() as connection:
            return await branches.window(connection, conversation.id)

    async def begin(self, conversation: Conversation, author: Author, question: str) -> tuple[int, int]:
        """Store a question below the head, and its empty answer as RUNNING; returns the ids of both.

        Where the conversation was cleared since it was opened, they begin the place's new one.
        """
        async with self._database.transaction() as connection:
            row = await self._find_or_make(connection, conversation.place)
            common = {"conversation_id": row.id, "created_at": self._now()}
            question_id = await _add(
                connection,
                **common,
                parent_id=row.head_id,
                role=Role.USER,
                author_id=author.id,
                author_name=author.name,
                content=question,
                end_reason=EndReason.COMPLETE,
            )
            answer_id = await _add(
                connection,
                **common,
                parent_id=question_id,
                role=Role.ASSISTANT,
                content="",
                end_reason=EndReason.RUNNING,
            )
        return question_id, answer_id

    async def shown_as(self, message_id: int, discord_message_id: int) -> None:
        """Note that a stored message is (also) this message in Discord, which then shows no other any more."""
        pages = discord_messages.c
        async with self._database.transaction() as connection:
            known = await connection.scalar(select(pages.message_id).where(pages.discord_id == discord_message_id))
            message = await connection.scalar(select(messages.c.id).where(messages.c.id == message_id))
            if message is None or known == message_id:
                return
            await connection.execute(delete(discord_messages).where(pages.discord_id == discord_message_id))
            last = await connection.scalar(select(func.max(pages.position)).where(pages.message_id == message_id))
            position = 0 if last is None else last + 1
            row = {"discord_id": discord_message_id, "message_id": message_id, "position": position}
            await connection.execute(insert(discord_messages).values(row))

    async def finish(
        self,
        answer_id: int,
        content: str,
        reason: EndReason,
        receipt: Receipt,
        *,
        question_tokens: int | None = None,
    ) -> None:
        """Store an answer's text, end and receipt; the head moves to it where it has any text.

        An answer that was deleted or cleared meanwhile stays gone: then nothing is stored and nothing is raised.
        """
        async with self._database.transaction() as connection:
            answer = await _find_answer(connection, answer_id)
            if answer is None:
                return
            await _change(
                connection,
                answer_id,
                content=content,
                end_reason=reason,
                tokens=receipt.answer_tokens,
                tokenizer=None if receipt.answer_tokens is None else receipt.model,
            )
            if question_tokens is not None:
                await _change(connection, answer.parent_id, tokens=question_tokens, tokenizer=receipt.model)
            await connection.execute(delete(receipts).where(receipts.c.answer_id == answer_id))
            await connection.execute(insert(receipts).values(answer_id=answer_id, **asdict(receipt)))
            if content:
                await _move(connection, answer.conversation_id, head_id=answer_id)

    async def move_window(self, conversation: Conversation, start: int) -> None:
        """From now on the window starts at the message with this id, if it is still there."""
        here = exists().where(messages.c.id == start, messages.c.conversation_id == conversation.id)
        async with self._database.transaction() as connection:
            if await connection.scalar(select(here)):
                await _move(connection, conversation.id, window_start_id=start)

    async def last_estimate(self, model: str) -> tuple[int, int] | None:
        """Of the model's newest receipt that has both: our estimate, and the prompt tokens it really was."""
        found = receipts.c
        query = (
            select(found.prompt_estimate, found.prompt_tokens)
            .where(found.model == model, found.prompt_estimate.is_not(None), found.prompt_tokens.is_not(None))
            .order_by(found.answer_id.desc())
            .limit(1)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else (row.prompt_estimate, row.prompt_tokens)

    async def answer_in(self, place: Place, discord_message_id: int) -> StoredMessage | None:
        """The answer that a Discord message shows, or a page of; None where the place's memory holds none for it."""
        async with self._database.reading() as connection:
            return await branches.answer_in(connection, place.channel_id, discord_message_id)

    async def undo(self, place: Place, *, only_by: int | None) -> list[StoredMessage]:
        """Delete the newest question and answer of the shown branch, and what hangs below them.

        Returns the two, or nothing if there are none; refuses another's question, and to delete a RUNNING answer.
        A window that began there begins at the root again: it held nothing else, and how much of the older messages
        fits is not ours to say.
        """
        async with self._database.transaction() as connection:
            conversation = await _find(connection, place)
            newest = await branches.branch(connection, place.channel_id, 2)
            if conversation is None or not newest:
                return []
            question, author = newest[0].id, newest[0].author
            if only_by is not None and (author is None or author.id != only_by):
                raise NotAllowed(NOT_THEIR_QUESTION)
            if await branches.is_being_written(connection, question):
                raise BadInput(BEING_WRITTEN)
            parent = await connection.scalar(select(messages.c.parent_id).where(messages.c.id == question))
            gone = select(branches.subtree(question).c.id)
            await connection.execute(delete(messages).where(messages.c.id.in_(gone)))
            await _move(connection, conversation.id, head_id=parent)
            start_is_there = exists().where(messages.c.id == conversations.c.window_start_id)
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation.id, ~start_is_there)
                .values(window_start_id=None)
            )
        return newest

    async def clear(self, place: Place, *, only_by: int | None) -> int:
        """Delete everything that is remembered of a place; returns how many messages that were.

        Refuses where `only_by` is an id and somebody else asked here too.
        """
        async with self._database.transaction() as connection:
            row = await _find(connection, place)
            if row is None:
                return 0
            if only_by is not None and await branches.authors(connection, place.channel_id) - {only_by}:
                raise NotAllowed(NOT_THEIRS_ALONE)
            count = await _count(connection, row.id)
            await _move(connection, row.id, channel_id=None, head_id=None, window_start_id=None)
        await self.purge()
        return count

    async def purge(self) -> None:
        """Delete the rows of cleared conversations; at the start, those that a crash left behind."""
        while await self._purge_some():
            pass

    async def branch(self, place: Place, *, newest: int | None = None) -> list[StoredMessage]:
        """The shown branch, oldest first: all of it, or its newest messages."""
        if newest is not None and newest < 1:
            return []
        async with self._database.reading() as connection:
            return await branches.branch(connection, place.channel_id, newest)

    async def summary(self, place: Place, *, newest: int) -> Summary:
        """The shown branch in numbers, and its newest messages, all in one view of the database."""
        async with self._database.reading() as connection:
            return await branches.summary(connection, place.channel_id, newest)

    async def count(self, place: Place) -> int:
        """How many messages the place's memory holds: on every branch, with and without an answer."""
        async with self._database.reading() as connection:
            row = await _find(connection, place)
            return 0 if row is None else await _count(connection, row.id)

    async def authors(self, place: Place) -> set[int]:
        """Ids of everybody who asked something that the place's memory holds."""
        async with self._database.reading() as connection:
            return await branches.authors(connection, place.channel_id)

    async def interrupt_running(self) -> list[RunningAnswer]:
        """Mark every answer that is still RUNNING as INTERRUPTED, and say where each was shown."""
        shown = (
            select(
                messages.c.id, *conversations.c["channel_id", "guild_id", "parent_id"], discord_messages.c.discord_id
            )
            .select_from(messages.join(conversations).outerjoin(discord_messages))
            .where(IS_RUNNING, conversations.c.channel_id.is_not(None))
            .order_by(messages.c.id, discord_messages.c.position)
        )
        places: dict[int, Place] = {}
        pages: dict[int, list[int]] = {}
        async with self._database.transaction() as connection:
            for row in await connection.execute(shown):
                places[row.id] = Place(row.channel_id, row.guild_id, row.parent_id)
                pages.setdefault(row.id, []).extend([] if row.discord_id is None else [row.discord_id])
            await connection.execute(update(messages).where(IS_RUNNING).values(end_reason=EndReason.INTERRUPTED.value))
        return [RunningAnswer(answer, place, tuple(pages[answer])) for answer, place in places.items()]

    async def _find_or_make(self, connection: AsyncConnection, place: Place) -> AnyRow:
        if found := await _find(connection, place):
            return found
        new = {"channel_id": place.channel_id, "guild_id": place.guild_id, "parent_id": place.parent_id}
        made = insert(conversations).values(**new, created_at=self._now()).returning(conversations)
        row: AnyRow = (await connection.execute(made)).one()
        return row

    async def _purge_some(self) -> bool:
        """Delete one batch; whether there may be more."""
        async with self._database.transaction() as connection:
            cleared = select(conversations.c.id).where(conversations.c.channel_id.is_(None)).limit(1)
            conversation_id = await connection.scalar(cleared)
            if conversation_id is None:
                return False
            its = messages.c.conversation_id == conversation_id
            batch = select(messages.c.id).where(its).order_by(messages.c.id.desc()).limit(_PURGE_BATCH)
            gone = await connection.execute(delete(messages).where(messages.c.id.in_(batch)))
            if gone.rowcount < _PURGE_BATCH:
                await connection.execute(delete(conversations).where(conversations.c.id == conversation_id))
        return True


async def _find(connection: AsyncConnection, place: Place) -> AnyRow | None:
    query = select(conversations).where(conversations.c.channel_id == place.channel_id)
    return (await connection.execute(query)).first()


async def _find_answer(connection: AsyncConnection, answer_id: int) -> AnyRow | None:
    query = (
        select(messages.c.parent_id, messages.c.conversation_id)
        .join(conversations)
        .where(messages.c.id == answer_id, conversations.c.channel_id.is_not(None))
    )
    return (await connection.execute(query)).first()


async def _count(connection: AsyncConnection, conversation_id: int) -> int:
    query = select(func.count()).select_from(messages).where(messages.c.conversation_id == conversation_id)
    return (await connection.execute(query)).scalar_one()


async def _add(connection: AsyncConnection, **message: object) -> int:
    row_id: int = (await connection.execute(insert(messages).values(**message).returning(messages.c.id))).scalar_one()
    return row_id


async def _change(connection: AsyncConnection, message_id: int, **values: object) -> None:
    await connection.execute(update(messages).where(messages.c.id == message_id).values(**values))


async def _move(connection: AsyncConnection, conversation_id: int, **values: object) -> None:
    await connection.execute(update(conversations).where(conversations.c.id == conversation_id).values(**values))
