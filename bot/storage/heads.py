"""Which branch of a conversation is shown: the head is where it ends. Each function is called in a transaction.

What follows an answer may be older than it, since a later version can take it over: order is by parents, not by ids.
"""

from __future__ import annotations

from sqlalchemy import Connection, Select, bindparam, exists, select, update

from bot.chat.messages import Role
from bot.storage import branches
from bot.storage.schema import AnyRow, conversations, discord_messages, messages


def _shown_from() -> Select[int]:
    """From the head up to a question; no message below it is older, so an unrelated branch is left early."""
    head = select(conversations.c.head_id).where(conversations.c.id == bindparam("its_id")).scalar_subquery()
    way = select(messages.c.id, messages.c.parent_id).where(messages.c.id == head).cte("way", recursive=True)
    step = select(messages.c.id, messages.c.parent_id).join(way, messages.c.id == way.c.parent_id)
    question = bindparam("question", type_=messages.c.id.type)
    way = way.union_all(step.where(messages.c.id >= question, way.c.id != question))
    return select(way.c.id)


_SHOWN_FROM = _shown_from()
"""Built once, since every answer's end reads it."""

_MOVE = update(conversations).where(conversations.c.id == bindparam("its_id")).values(head_id=bindparam("head"))


def shown_from(connection: Connection, answer: AnyRow) -> list[int]:
    """The shown branch from an answer's question on; nothing where the question is not on it."""
    ids = _later(connection, answer)
    return ids if answer.parent_id in ids else []


def show(connection: Connection, answer: AnyRow, *, takes_over: bool = False, goes_on: bool = False) -> None:
    """Let the shown branch go through an answer, as a row of `messages`.

    Where it does already, what was said after it stays. An answer that `takes_over` is followed by what was said after
    the version that is shown, and leaves another branch shown. The first answer to a question that had none, so not one
    that `goes_on`, comes before what was asked since. Else the branch ends with it.
    """
    later = _later(connection, answer)
    if answer.id in later:
        return
    if answer.parent_id in later:
        stays = takes_over and _take_over(connection, answer, later)
    elif any(message_id > answer.parent_id for message_id in later):
        had_text = goes_on or has_text(connection, answer, besides=answer.id)
        stays = takes_over if had_text else _slip_in(connection, answer, later)
    else:
        stays = False
    if not stays:
        connection.execute(_MOVE, {"its_id": answer.conversation_id, "head": answer.id})


def has_text(connection: Connection, answer: AnyRow, *, besides: int | None = None) -> bool:
    """Whether an answer or another version of it has any text."""
    has = (messages.c.content != "", messages.c.id.is_distinct_from(besides))
    return bool(connection.scalar(select(exists().where(branches.answers_to(answer.parent_id), *has))))


def newest_end(answer_id: int) -> Select[int]:
    """Where the newest branch below an answer ends; at the answer itself where nothing was answered after it."""
    follow_up, its_answer = messages.alias(), messages.alias()
    goes_on = (
        exists()
        .select_from(follow_up.join(its_answer, its_answer.c.parent_id == follow_up.c.id))
        .where(follow_up.c.parent_id == messages.c.id, its_answer.c.content != "")
    )
    below = select(branches.subtree(answer_id).c.id)
    ends = (messages.c.role == Role.ASSISTANT.value, messages.c.content != "", ~goes_on)
    is_shown = exists().where(discord_messages.c.message_id == messages.c.id)
    newest = (messages.c.parent_id.desc(), is_shown.desc(), messages.c.id.desc())
    return select(messages.c.id).where(messages.c.id.in_(below), *ends).order_by(*newest).limit(1)


def _later(connection: Connection, answer: AnyRow) -> list[int]:
    """The shown branch as far up as it may be younger than an answer's question, that one and the head included."""
    return list(connection.scalars(_SHOWN_FROM, {"its_id": answer.conversation_id, "question": answer.parent_id}))


def _slip_in(connection: Connection, answer: AnyRow, later: list[int]) -> bool:
    """Let what was asked instead of a question that failed follow it, now that it has its answer."""
    above = connection.scalar(select(messages.c.parent_id).where(messages.c.id == answer.parent_id))
    next_question = (
        messages.c.id.in_(later),
        messages.c.id > answer.parent_id,
        messages.c.parent_id.is_not_distinct_from(above),
    )
    moved = connection.execute(update(messages).where(*next_question).values(parent_id=answer.id))
    return bool(moved.rowcount)


def _take_over(connection: Connection, answer: AnyRow, way: list[int]) -> bool:
    siblings = select(messages.c.id).where(messages.c.parent_id == answer.parent_id, messages.c.id != answer.id)
    next_question = (messages.c.id.in_(way), messages.c.parent_id.in_(siblings))
    moved = connection.execute(update(messages).where(*next_question).values(parent_id=answer.id))
    return bool(moved.rowcount)
