"""The versions of an answer, siblings in the tree of messages: each function is called in a transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, delete, exists, or_, select, update

from bot.chat.memory import BEING_WRITTEN, FORGOTTEN, Begun
from bot.chat.messages import Answer, Author, EndReason, Place, Receipt, Role, StoredMessage
from bot.errors import BadInput
from bot.storage import branches, heads, let_go, open_answers, pages, removal
from bot.storage.schema import IS_RUNNING, AnyRow, conversations, discord_messages, messages, receipts, thoughts

_RECEIPT = [column for column in receipts.c if column is not receipts.c.answer_id]


def answer(connection: Connection, channel_id: int, answer_id: int) -> Answer | None:
    """An answer with everything that its buttons need; None where the channel's memory does not hold it."""
    question = messages.alias()
    query = (
        select(
            messages,
            *conversations.c["channel_id", "guild_id", "owner_id"],
            conversations.c.parent_id.label("parent_channel_id"),
            question.c.id.label("question_id"),
            question.c.content.label("question"),
            question.c.author_id.label("asker_id"),
            question.c.author_name.label("asker_name"),
            exists().where(thoughts.c.answer_id == messages.c.id).label("has_thoughts"),
        )
        .select_from(messages.join(question, messages.c.parent_id == question.c.id))
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.id == answer_id, conversations.c.channel_id == channel_id)
    )
    row = connection.execute(query).first()
    if row is None or row.asker_id is None:
        return None
    shown_question = pages.showing(connection, row.question_id)
    return Answer(
        has_thoughts=row.has_thoughts,
        id=row.id,
        place=Place(row.channel_id, row.guild_id, row.parent_channel_id, row.owner_id),
        asker=Author(row.asker_id, row.asker_name),
        question_id=row.question_id,
        question=row.question,
        content=row.content,
        end_reason=EndReason(row.end_reason),
        receipt=_receipt(connection, answer_id),
        versions=tuple(connection.scalars(_versions(row.question_id, answer_id))),
        discord_ids=pages.showing(connection, answer_id),
        question_discord_id=shown_question[0] if shown_question else None,
    )


def shown_in(connection: Connection, conversation_id: int, discord_id: int) -> int | None:
    """The id of a conversation's answer that a Discord message shows, where it has any text."""
    query = (
        select(messages.c.id)
        .join(discord_messages)
        .where(
            discord_messages.c.discord_id == discord_id,
            messages.c.conversation_id == conversation_id,
            messages.c.role == Role.ASSISTANT.value,
            messages.c.content != "",
        )
    )
    return connection.scalar(query)


def begin_again(connection: Connection, answer_id: int, *, at: datetime) -> Begun:
    """Store an empty RUNNING sibling of an answer; what was said before their question is the window."""
    row = _found(connection, answer_id)
    sibling = {name: getattr(row, name) for name in ("conversation_id", "parent_id", "role")}
    sibling |= {"content": "", "end_reason": EndReason.RUNNING, "created_at": at}
    made: int = connection.execute(messages.insert().returning(messages.c.id), sibling).scalar_one()
    return Begun(row.parent_id, made, _before(connection, row.parent_id))


def resume(connection: Connection, answer_id: int) -> Begun:
    """Let an answer that was cut off be RUNNING again; its text stays until there is more of it."""
    row = _found(connection, answer_id)
    connection.execute(update(messages).where(messages.c.id == answer_id).values(end_reason=EndReason.RUNNING))
    return Begun(row.parent_id, answer_id, _before(connection, row.parent_id))


def choose(connection: Connection, answer_id: int) -> int:
    """Let the conversation go on from a version, or from what was said after it; returns how much stays elsewhere."""
    row = _found(connection, answer_id)
    head = connection.scalar(heads.newest_end(answer_id))
    its = conversations.c.id == row.conversation_id
    if head is None or head == connection.scalar(select(conversations.c.head_id).where(its)):
        return 0
    left = later(connection, answer_id)
    connection.execute(update(conversations).where(its).values(head_id=head))
    return left


def current(connection: Connection, answer_id: int) -> int:
    """The version of an answer that the shown branch goes through; the answer itself where there is none."""
    row = _row(connection, answer_id)
    if row is None:
        return answer_id
    on_it = messages.c.id.in_(heads.shown_from(connection, row))
    found = connection.scalar(select(messages.c.id).where(on_it, messages.c.parent_id == row.parent_id))
    return found or answer_id


def later(connection: Connection, answer_id: int) -> int:
    """How many messages of the shown branch came after an answer, or after another version of it."""
    row = _row(connection, answer_id)
    question_and_answer = 2
    return 0 if row is None else max(len(heads.shown_from(connection, row)) - question_and_answer, 0)


def elsewhere(connection: Connection, answer_id: int) -> int:
    """How many messages of the shown branch the branch of an answer does not have, where its question is not shown."""
    row = _row(connection, answer_id)
    if row is None or heads.shown_from(connection, row) or not heads.has_text(connection, row):
        return 0
    head = connection.scalar(select(conversations.c.head_id).where(conversations.c.id == row.conversation_id))
    return 0 if head is None else len(branches.above(connection, head) - branches.above(connection, answer_id))


def remove(connection: Connection, answer_id: int) -> list[int]:
    """Forget an answer, all its versions and its question; returns the ids of the answer's messages in Discord.

    What was said afterwards stays, and follows what was said before. Of a JOINED answer the question waits again.
    """
    row = _found(connection, answer_id)
    is_version = branches.answers_to(row.parent_id)
    if connection.scalar(select(exists().where(is_version, IS_RUNNING))):
        raise BadInput(BEING_WRITTEN)
    ids = select(messages.c.id).where(is_version)
    shown = list(
        connection.scalars(select(discord_messages.c.discord_id).where(discord_messages.c.message_id.in_(ids)))
    )
    if row.end_reason != EndReason.JOINED:
        let_go.note(connection, pages.showing(connection, row.parent_id))
    removal.remove(connection, [row.parent_id])
    if row.end_reason == EndReason.JOINED:
        open_answers.wait_again(connection, answer_id)
    return shown


def forget_others(connection: Connection, answer: AnyRow) -> None:
    """Forget all other versions of an answer; what was said after one of them follows it instead."""
    is_other = branches.answers_to(answer.parent_id) & (messages.c.id != answer.id)
    others = list(connection.scalars(select(messages.c.id).where(is_other)))
    connection.execute(update(messages).where(messages.c.parent_id.in_(others)).values(parent_id=answer.id))
    connection.execute(delete(messages).where(messages.c.id.in_(others)))


def _row(connection: Connection, answer_id: int) -> AnyRow | None:
    return connection.execute(select(messages).where(messages.c.id == answer_id)).first()


def _found(connection: Connection, answer_id: int) -> AnyRow:
    """The row of a finished answer. Raises BadInput where it was forgotten, or is being written."""
    query = (
        select(messages)
        .join(conversations)
        .where(
            messages.c.id == answer_id,
            messages.c.role == Role.ASSISTANT.value,
            conversations.c.channel_id.is_not(None),
            messages.c.parent_id.is_not(None),
        )
    )
    row = connection.execute(query).first()
    if row is None:
        raise BadInput(FORGOTTEN)
    if row.end_reason == EndReason.RUNNING:
        raise BadInput(BEING_WRITTEN)
    return row


def _before(connection: Connection, question_id: int) -> list[StoredMessage]:
    before = connection.scalar(select(messages.c.parent_id).where(messages.c.id == question_id))
    return [] if before is None else branches.window_to(connection, before)


def _versions(question_id: int, answer_id: int) -> Select[tuple[int]]:
    """Ids of all siblings with a text, and of the answer itself, the oldest first."""
    counts = or_(messages.c.content != "", messages.c.id == answer_id)
    return select(messages.c.id).where(branches.answers_to(question_id), counts).order_by(messages.c.id)


def _receipt(connection: Connection, answer_id: int) -> Receipt | None:
    row = connection.execute(select(*_RECEIPT).where(receipts.c.answer_id == answer_id)).first()
    return None if row is None else Receipt(**row._asdict())
