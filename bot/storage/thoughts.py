"""What models thought before they answered: each function is called in a transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bot.chat.thoughts import KEPT, Thoughts
from bot.storage.schema import conversations, messages, thoughts


def keep(connection: Connection, answer_id: int, text: str, at: datetime) -> None:
    """Keep an answer's thoughts instead of those that it had, and let go of what is too old."""
    forget_old(connection, at)
    connection.execute(delete(thoughts).where(thoughts.c.answer_id == answer_id))
    connection.execute(insert(thoughts), {"answer_id": answer_id, "content": text, "kept_at": at})


def forget_old(connection: Connection, at: datetime) -> None:
    """Delete the thoughts that by now were kept for long enough."""
    connection.execute(delete(thoughts).where(thoughts.c.kept_at < at - KEPT))


def of(connection: Connection, answer_id: int, at: datetime) -> Thoughts | None:
    """The thoughts behind an answer; None where there were none, or they are gone, or the answer is."""
    question = messages.alias()
    query = (
        select(thoughts.c.content, conversations.c.channel_id, question.c.author_id)
        .select_from(thoughts.join(messages).join(conversations))
        .join(question, question.c.id == messages.c.parent_id)
        .where(
            thoughts.c.answer_id == answer_id,
            thoughts.c.kept_at >= at - KEPT,
            conversations.c.channel_id.is_not(None),
            question.c.author_id.is_not(None),
        )
    )
    row = connection.execute(query).first()
    return None if row is None else Thoughts(row.content, row.channel_id, row.author_id)
