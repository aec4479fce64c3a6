"""Taking questions out of the tree with all their answers: what others said below them follows what was said above.

Each function is called in a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import CTE, ColumnElement, Connection, Select, bindparam, delete, exists, func, select, update

from bot.chat.messages import Role
from bot.storage.schema import conversations, messages

_LIFT = update(messages).where(messages.c.id == bindparam("its_id")).values(parent_id=bindparam("parent"))
_MOVE_HEAD = update(conversations).where(conversations.c.id == bindparam("its_id")).values(head_id=bindparam("head"))
_MOVE_START = (
    update(conversations).where(conversations.c.id == bindparam("its_id")).values(window_start_id=bindparam("start"))
)


def exchanges(questions: ColumnElement[bool]) -> CTE:
    """The ids of these questions and of every version of their answers."""
    found = select(messages.c.id, messages.c.parent_id).where(questions).cte("exchanges", recursive=True)
    is_answer = messages.c.role == Role.ASSISTANT.value
    below = select(messages.c.id, messages.c.parent_id).join(found, messages.c.parent_id == found.c.id)
    # A question may be found twice, once as an answer's neighbour: UNION lets each row in once.
    return found.union(below.where(is_answer))


def remove(connection: Connection, question_ids: Sequence[int]) -> int:
    """Delete these questions and every version of their answers; returns how many messages that were.

    Where a shown branch ended or a window began among them, it ends or begins with what is left nearest. A conversation
    of which nothing is left goes too.
    """
    # Also where a thread went on from them: what is deleted is not to be remembered elsewhere.
    questions = messages.c.id.in_(question_ids) | messages.c.copied_from.in_(question_ids)
    rows = connection.execute(select(exchanges(questions)))
    gone: dict[int, int | None] = {row.id: row.parent_id for row in rows}
    if not gone:
        return 0
    touched = select(messages.c.conversation_id).distinct().where(messages.c.id.in_(gone))
    places = list(connection.scalars(touched))
    _lift_children(connection, gone)
    _move_heads(connection, gone, places)
    _move_windows(connection, gone, places)
    connection.execute(delete(messages).where(messages.c.id.in_(gone)))
    is_empty = ~exists().where(messages.c.conversation_id == conversations.c.id)
    connection.execute(delete(conversations).where(conversations.c.id.in_(places), is_empty))
    return len(gone)


def _left_above(gone: Mapping[int, int | None], message_id: int | None) -> int | None:
    """The message itself, or the nearest one above it that stays."""
    while message_id is not None and message_id in gone:
        message_id = gone[message_id]
    return message_id


def _lift_children(connection: Connection, gone: Mapping[int, int | None]) -> None:
    of_gone = messages.c.parent_id.in_(gone) & messages.c.id.not_in(gone)
    children = connection.execute(select(messages.c.id, messages.c.parent_id).where(of_gone)).all()
    if children:
        connection.execute(
            _LIFT, [{"its_id": child.id, "parent": _left_above(gone, child.parent_id)} for child in children]
        )


def _move_heads(connection: Connection, gone: Mapping[int, int | None], places: Sequence[int]) -> None:
    headless = select(conversations.c.id, conversations.c.head_id).where(
        conversations.c.id.in_(places), conversations.c.head_id.in_(gone)
    )
    for row in connection.execute(headless).all():
        connection.execute(_MOVE_HEAD, {"its_id": row.id, "head": _left_above(gone, row.head_id)})


def _move_windows(connection: Connection, gone: Mapping[int, int | None], places: Sequence[int]) -> None:
    """Called when heads and parents are right again, and before anything is deleted."""
    query = select(*conversations.c["id", "head_id", "window_start_id"]).where(
        conversations.c.id.in_(places), conversations.c.window_start_id.in_(gone)
    )
    for row in connection.execute(query).all():
        start = connection.scalar(_first_question_after(row.head_id, row.window_start_id))
        connection.execute(_MOVE_START, {"its_id": row.id, "start": start})


def _first_question_after(head_id: int | None, start_id: int) -> Select[tuple[int | None]]:
    """On the way up from the head; what was said later has the higher id, so the way ends at the first lower one."""
    way = (
        select(messages.c.id, messages.c.parent_id, messages.c.role)
        .where(messages.c.id == head_id, messages.c.id > start_id)
        .cte("way", recursive=True)
    )
    step = select(messages.c.id, messages.c.parent_id, messages.c.role).join(way, messages.c.id == way.c.parent_id)
    way = way.union_all(step.where(messages.c.id > start_id))
    return select(func.min(way.c.id)).where(way.c.role == Role.USER.value)
