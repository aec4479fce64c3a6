"""Reading the tree of messages: a branch is what one finds on the way from a message up to the root."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Select, bindparam, exists, func, literal, select

from bot.chat.memory import Summary
from bot.chat.messages import Author, EndReason, Image, Place, Role, StoredMessage
from bot.storage.schema import IS_RUNNING, AnyRow, conversations, discord_messages, images, messages, receipts

MAX_WINDOW = 2_000
"""The most messages of a window that are read, the newest ones, even where nobody ever moves its start."""

_NO_MESSAGE = 0
"""Ids count from 1."""

HERE = (conversations.c.channel_id == bindparam("of_channel")) & conversations.c.owner_id.is_not_distinct_from(
    bindparam("of_owner", type_=conversations.c.owner_id.type)
)
"""Which conversation is a place's: goes with `whose`."""


def whose(place: Place) -> dict[str, int | None]:
    """The parameters of `HERE`."""
    return {"of_channel": place.channel_id, "of_owner": place.owner_id}


def window(connection: Connection, place: Place) -> list[StoredMessage]:
    """The shown branch of a place from the window's start, or from the root where the start isn't on it any more."""
    return [stored_message(row) for row in connection.execute(_WINDOW, whose(place))]


def window_to(connection: Connection, message_id: int) -> list[StoredMessage]:
    """The same of the branch that ends with a message, whichever is shown."""
    return [stored_message(row) for row in connection.execute(_WINDOW_TO, {"of_message": message_id})]


def branch(connection: Connection, place: Place, newest: int | None) -> list[StoredMessage]:
    """The shown branch of a place, its newest messages or all."""
    head = _head(literal(_NO_MESSAGE)).where(HERE)
    return [stored_message(row) for row in connection.execute(_branch(head, newest), whose(place))]


def images_of(connection: Connection, message_ids: Sequence[int]) -> dict[int, list[Image]]:
    """The pictures that came with messages, by the messages that have any."""
    query = select(images).where(images.c.message_id.in_(message_ids)).order_by(*images.primary_key)
    found: dict[int, list[Image]] = {}
    for row in connection.execute(query):
        found.setdefault(row.message_id, []).append(Image(row.name, row.content))
    return found


def summary(connection: Connection, place: Place, newest: int) -> Summary:
    """The shown branch of a place in numbers, and its newest messages."""
    whole = _way(_head(literal(_NO_MESSAGE)).where(HERE), None)
    return Summary(
        total=connection.execute(select(func.count()).select_from(whole), whose(place)).scalar_one(),
        window=window(connection, place),
        newest=branch(connection, place, newest),
    )


def answer_in(connection: Connection, channel_id: int, discord_id: int) -> StoredMessage | None:
    """The answer that is shown in a Discord message of a channel."""
    query = (
        select(messages)
        .select_from(discord_messages.join(messages).join(conversations))
        .where(
            discord_messages.c.discord_id == discord_id,
            messages.c.role == Role.ASSISTANT.value,
            conversations.c.channel_id == channel_id,
        )
    )
    row = (connection.execute(query)).first()
    return None if row is None else stored_message(row)


def shown_at(connection: Connection, message_id: int) -> int | None:
    """The first Discord message that shows a message, or where none does, the answer to it."""
    shown = discord_messages.c
    query = (
        select(shown.discord_id)
        .join(messages)
        .where((messages.c.id == message_id) | (messages.c.parent_id == message_id))
        .order_by(messages.c.id, shown.position)
        .limit(1)
    )
    return connection.scalar(query)


def authors(connection: Connection, place: Place) -> set[int]:
    """Ids of everybody who asked something in a place, on whichever branch."""
    query = select(messages.c.author_id).distinct().join(conversations).where(HERE, messages.c.author_id.is_not(None))
    return set(connection.scalars(query, whose(place)).all())


def last_estimate(connection: Connection, model: str) -> tuple[int, int] | None:
    """The prompt's size as we estimated it and as the model counted it, where both were noted last."""
    found = receipts.c
    query = (
        select(found.prompt_estimate, found.prompt_tokens)
        .where(found.model == model, found.prompt_estimate.is_not(None), found.prompt_tokens.is_not(None))
        .order_by(found.answer_id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row.prompt_estimate, row.prompt_tokens)


def is_being_written(connection: Connection, root: int) -> bool:
    """Whether an answer is RUNNING anywhere below a message."""
    running = exists().where(IS_RUNNING, messages.c.id.in_(select(subtree(root).c.id)))
    return bool(connection.scalar(select(running)))


def above(connection: Connection, message_id: int) -> set[int]:
    """The ids of a message and of what was said before it, of no more than a window."""
    end = _end(literal(_NO_MESSAGE)).where(messages.c.id == message_id)
    return set(connection.scalars(select(_way(end, MAX_WINDOW).c.id)))


def answers_to(question_id: int) -> ColumnElement[bool]:
    """What holds of every version of the answer to a question."""
    return (messages.c.parent_id == question_id) & (messages.c.role == Role.ASSISTANT.value)


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


def _window_start() -> ColumnElement[int]:
    return func.coalesce(conversations.c.window_start_id, _NO_MESSAGE)


def _head(start: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    return _end(start).select_from(conversations.join(messages, messages.c.id == conversations.c.head_id))


def _end(start: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    return select(messages.c.id, messages.c.parent_id, start.label("start_id"), literal(1).label("distance"))


def _way(head: Select[*tuple[Any, ...]], limit: int | None) -> CTE:
    """From the head up to the start, a row a step, so that the cost is the length of the way and nothing else."""
    way = head.cte("way", recursive=True)
    step = (
        select(messages.c.id, messages.c.parent_id, way.c.start_id, way.c.distance + 1)
        .join(way, messages.c.id == way.c.parent_id)
        .where(way.c.id != way.c.start_id)
    )
    if limit is not None:
        step = step.where(way.c.distance < limit)
    return way.union_all(step)


def _branch(head: Select[*tuple[Any, ...]], limit: int | None) -> Select[*tuple[Any, ...]]:
    way = _way(head, limit)
    return select(messages).join(way, way.c.id == messages.c.id).order_by(way.c.distance.desc())


_WINDOW = _branch(_head(_window_start()).where(HERE), MAX_WINDOW)
"""Built once, since every question reads it."""

_WINDOW_TO = _branch(
    _end(_window_start())
    .select_from(conversations.join(messages, messages.c.conversation_id == conversations.c.id))
    .where(messages.c.id == bindparam("of_message")),
    MAX_WINDOW,
)
