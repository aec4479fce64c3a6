"""Reading the tree of messages: a branch is what one finds on the way from a message up to the root."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.chat.messages import Author, EndReason, Role, StoredMessage
from bot.storage.schema import AnyRow, conversations, messages

MAX_WINDOW = 2_000
"""The most messages of a window that are read, the newest ones, even where nobody ever moves its start."""

_NO_MESSAGE = 0
"""Ids count from 1."""


async def window(connection: AsyncConnection, conversation_id: int) -> list[StoredMessage]:
    """The shown branch from the window's start, or from the root where the start isn't on it any more."""
    start = func.coalesce(conversations.c.window_start_id, _NO_MESSAGE)
    query = _branch(_head(start).where(conversations.c.id == conversation_id), MAX_WINDOW)
    return [stored_message(row) for row in await connection.execute(query)]


async def branch(connection: AsyncConnection, channel_id: int, newest: int | None) -> list[StoredMessage]:
    """The shown branch of a channel, its newest messages or all."""
    head = _head(literal(_NO_MESSAGE)).where(conversations.c.channel_id == channel_id)
    return [stored_message(row) for row in await connection.execute(_branch(head, newest))]


def subtree(root: int) -> CTE:
    """The ids of a message and of everything below it."""
    found = select(messages.c.id).where(messages.c.id == root).cte("subtree", recursive=True)
    return found.union_all(select(messages.c.id).join(found, messages.c.parent_id == found.c.id))


def stored_message(row: AnyRow) -> StoredMessage:
    """A row of `messages` as the chat core knows it."""
    return StoredMessage(
        id=row.id,
        role=Role(row.role),
        content=row.content,
        created_at=row.created_at,
        author=None if row.author_id is None else Author(row.author_id, row.author_name),
        end_reason=EndReason(row.end_reason),
        tokens=row.tokens,
        tokenizer=row.tokenizer,
    )


def _head(start: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    return select(
        messages.c.id, messages.c.parent_id, start.label("start_id"), literal(1).label("distance")
    ).select_from(conversations.join(messages, messages.c.id == conversations.c.head_id))


def _branch(head: Select[*tuple[Any, ...]], limit: int | None) -> Select[*tuple[Any, ...]]:
    """From the head up to the start, a row a step, so that the cost is the length of the way and nothing else."""
    way = head.cte("way", recursive=True)
    step = (
        select(messages.c.id, messages.c.parent_id, way.c.start_id, way.c.distance + 1)
        .join(way, messages.c.id == way.c.parent_id)
        .where(way.c.id != way.c.start_id)
    )
    if limit is not None:
        step = step.where(way.c.distance < limit)
    way = way.union_all(step)
    return select(messages).join(way, way.c.id == messages.c.id).order_by(way.c.distance.desc())
