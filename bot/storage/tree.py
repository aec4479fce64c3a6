"""Changing the tree of messages: each function is called in a transaction.

The statements of every answer are built once, since building one takes longer than executing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, func, insert, select, update

from bot.chat.memory import BEING_WRITTEN, NOT_THEIR_QUESTION, NOT_THEIRS_ALONE, Begun
from bot.chat.messages import Author, EndReason, Image, Place, Receipt, Role, StoredMessage
from bot.errors import BadInput, NotAllowed
from bot.storage import branches, heads, open_answers, removal, thoughts, versions
from bot.storage.schema import IS_RUNNING, AnyRow, conversations, images, messages, receipts

PURGE_BATCH = 1_000
"""Messages deleted in one transaction: some milliseconds, so that no answer elsewhere waits for a long history."""

_FIND = select(*conversations.c["id", "head_id"]).where(branches.HERE)
_MAKE = insert(conversations).returning(conversations.c.id)
_ADD = insert(messages).returning(messages.c.id)
_CHANGE = update(messages).where(messages.c.id == bindparam("message_id"))
_MOVE = update(conversations).where(conversations.c.id == bindparam("its_id"))
_FIND_ANSWER = (
    select(*messages.c["id", "parent_id", "conversation_id"])
    .join(conversations)
    .where(messages.c.id == bindparam("answer_id"), conversations.c.channel_id.is_not(None))
)
_KEEP = update(messages).where(messages.c.id == bindparam("answer_id"), IS_RUNNING).values(content=bindparam("so_far"))
_TEAR_UP = delete(receipts).where(receipts.c.answer_id == bindparam("answer_id"))
_KEEP_RECEIPT = insert(receipts)
_KEEP_IMAGES = insert(images)


def begin(
    connection: Connection,
    place: Place,
    author: Author,
    question: str,
    pictures: Sequence[Image],
    *,
    at: datetime,
    after: int | None = None,
    on_way: Sequence[int] = (),
) -> Begun:
    """Store a question with its pictures below the head or an older answer, and its empty answer as RUNNING."""
    found = _find(connection, place)
    conversation_id, head_id = (_make(connection, place, at), None) if found is None else (found.id, found.head_id)
    older = None if after is None else versions.shown_in(connection, conversation_id, after)
    window = _window(connection, place, head_id, older)
    asked = {
        "conversation_id": conversation_id,
        "parent_id": older or head_id,
        "role": Role.USER,
        "author_id": author.id,
        "author_name": author.name,
        "content": question,
        "end_reason": EndReason.COMPLETE,
        "created_at": at,
    }
    question_id = _add(connection, asked)
    keep_images(connection, question_id, pictures)
    nobody = {"author_id": None, "author_name": None}
    running = {"parent_id": question_id, "role": Role.ASSISTANT, "content": "", "end_reason": EndReason.RUNNING}
    answer_id = _add(connection, asked | running | nobody)
    open_answers.begin(connection, on_way, answer_id)
    return Begun(question_id, answer_id, window)


def keep_images(connection: Connection, message_id: int, pictures: Sequence[Image]) -> None:
    """Store what came with a question, in its order."""
    if pictures:
        rows = [
            {"message_id": message_id, "position": position, "name": picture.name, "content": picture.data}
            for position, picture in enumerate(pictures)
        ]
        connection.execute(_KEEP_IMAGES, rows)


def _window(connection: Connection, place: Place, head_id: int | None, older: int | None) -> list[StoredMessage]:
    if older is not None and older != head_id:
        return branches.window_to(connection, older)
    return [] if head_id is None else branches.window(connection, place)


def keep(connection: Connection, answer_id: int, content: str) -> None:
    """Store what there is of an answer's text, where it is still RUNNING."""
    connection.execute(_KEEP, {"answer_id": answer_id, "so_far": content})


def finish(
    connection: Connection,
    answer_id: int,
    content: str,
    reason: EndReason,
    receipt: Receipt,
    *,
    question_tokens: int | None,
    thought: tuple[str, datetime] | None = None,
    takes_over: bool = False,
    replaces: bool = False,
    goes_on: bool = False,
) -> None:
    """Store an answer's text, end and receipt, if it is still there; the head moves to it where it has any text.

    One that `takes_over` is put before what was said after the version that is shown, and then the head stays. One that
    `replaces` is the only version left. One that `goes_on` had a text before.
    """
    answer = connection.execute(_FIND_ANSWER, {"answer_id": answer_id}).first()
    if answer is None:
        return
    # The model counts its thoughts too, which no prompt will hold: then nobody knows what the text alone comes to.
    counted = receipt.answer_tokens if receipt.thought_seconds is None else None
    size = {"tokens": counted, "tokenizer": None if counted is None else receipt.model}
    if thought:
        thoughts.keep(connection, answer_id, *thought)
    connection.execute(_CHANGE, {"message_id": answer_id, "content": content, "end_reason": reason, **size})
    if question_tokens is not None:
        size = {"tokens": question_tokens, "tokenizer": receipt.model}
        connection.execute(_CHANGE, {"message_id": answer.parent_id, **size})
    connection.execute(_TEAR_UP, {"answer_id": answer_id})
    connection.execute(_KEEP_RECEIPT, {"answer_id": answer_id, **asdict(receipt)})
    if content:
        heads.show(connection, answer, takes_over=takes_over, goes_on=goes_on)
        if replaces:
            versions.forget_others(connection, answer)


def move_window(connection: Connection, place: Place, start: int) -> None:
    """Let the place's window start at a message, if that is one of the place's."""
    here = exists().where(messages.c.id == start, messages.c.conversation_id == conversations.c.id)
    its = update(conversations).where(branches.HERE, here).values(window_start_id=start)
    connection.execute(its, branches.whose(place))


def undo(connection: Connection, place: Place, only_by: int | None) -> list[StoredMessage]:
    """Delete the newest question of the shown branch with every version of its answer; returns the two that are shown.

    What was said below another version stays, since others may have said it. A window that began there begins at the
    root again: it held nothing else, and how much of the older messages fits is not ours to say.
    """
    newest = branches.branch(connection, place, 2)
    if not newest:
        return []
    question, author = newest[0].id, newest[0].author
    if only_by is not None and (author is None or author.id != only_by):
        raise NotAllowed(NOT_THEIR_QUESTION)
    if branches.is_being_written(connection, question):
        raise BadInput(BEING_WRITTEN)
    removal.remove(connection, [question])
    return newest


def unlink(connection: Connection, place: Place, only_by: int | None) -> int:
    """Take the place's conversation out of everybody's sight; returns how many messages it had."""
    row = _find(connection, place)
    if row is None:
        return 0
    if only_by is not None and branches.authors(connection, place) - {only_by}:
        raise NotAllowed(NOT_THEIRS_ALONE)
    connection.execute(_MOVE, {"its_id": row.id, "channel_id": None, "head_id": None, "window_start_id": None})
    return _count(connection, row.id)


def unlink_all(connection: Connection, condition: ColumnElement[bool]) -> int:
    """The same for every conversation of which something holds."""
    its = conversations.c.channel_id.is_not(None) & condition
    ids = list(connection.scalars(select(conversations.c.id).where(its)))
    total = sum(_count(connection, conversation_id) for conversation_id in ids)
    gone = {"channel_id": None, "head_id": None, "window_start_id": None}
    connection.execute(update(conversations).where(conversations.c.id.in_(ids)).values(gone))
    return total


def purge_some(connection: Connection) -> bool:
    """Delete one batch of what was unlinked; whether there may be more."""
    cleared = select(conversations.c.id).where(conversations.c.channel_id.is_(None)).limit(1)
    conversation_id = connection.scalar(cleared)
    if conversation_id is None:
        return False
    its = messages.c.conversation_id == conversation_id
    batch = select(messages.c.id).where(its).order_by(messages.c.id.desc()).limit(PURGE_BATCH)
    # What follows a later version of an answer is older than it, and may be in a later batch.
    held = messages.c.parent_id.in_(batch) & messages.c.id.not_in(batch)
    connection.execute(update(messages).where(held).values(parent_id=None))
    gone = connection.execute(delete(messages).where(messages.c.id.in_(batch)))
    if gone.rowcount < PURGE_BATCH:
        connection.execute(delete(conversations).where(conversations.c.id == conversation_id))
    return True


def count(connection: Connection, place: Place) -> int:
    """How many messages the place has: on every branch, with and without an answer."""
    row = _find(connection, place)
    return 0 if row is None else _count(connection, row.id)


def interrupt_running(connection: Connection) -> list[int]:
    """Mark every answer that is still RUNNING as INTERRUPTED; returns their ids.

    The shown branches go through those that have any text.
    """
    query = select(messages).join(conversations).where(IS_RUNNING, conversations.c.channel_id.is_not(None))
    running = connection.execute(query.order_by(messages.c.id)).all()
    for answer in running:
        if answer.content:
            # Discord shows it in the place of an older version, and below it what was said since.
            # What was to go on has the receipt of its beginning.
            goes_on = connection.scalar(select(exists().where(receipts.c.answer_id == answer.id)))
            heads.show(connection, answer, takes_over=True, goes_on=bool(goes_on))
    connection.execute(update(messages).where(IS_RUNNING).values(end_reason=EndReason.INTERRUPTED.value))
    return [answer.id for answer in running]


def _find(connection: Connection, place: Place) -> AnyRow | None:
    return connection.execute(_FIND, branches.whose(place)).first()


def _make(connection: Connection, place: Place, at: datetime) -> int:
    ids = {"channel_id": place.channel_id, "guild_id": place.guild_id, "parent_id": place.parent_id}
    made: int = connection.execute(_MAKE, {**ids, "owner_id": place.owner_id, "created_at": at}).scalar_one()
    return made


def _add(connection: Connection, message: dict[str, object]) -> int:
    added: int = connection.execute(_ADD, message).scalar_one()
    return added


def _count(connection: Connection, conversation_id: int) -> int:
    query = select(func.count()).select_from(messages).where(messages.c.conversation_id == conversation_id)
    return connection.execute(query).scalar_one()
