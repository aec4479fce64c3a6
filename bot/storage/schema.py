"""The tables: what every query is built from, and what the migrations must add up to.

Ids of our own rows are never used twice (AUTOINCREMENT), so a late writer that holds the id of a deleted message finds
nothing instead of somebody else's message. `head_id` and `window_start_id` have no foreign key, because the two tables
would then need each other to exist first; `SqlConversations` keeps them right.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from bot.chat.messages import EndReason

AnyRow = sa.Row[*tuple[Any, ...]]
"""A row whose columns' types mypy is not told."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """The text as a database can keep it.

    A lone surrogate has no UTF-8 form and PostgreSQL refuses NUL: both become U+FFFD. All else stays as it is.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", REPLACEMENT)


class Words(sa.types.TypeDecorator[str]):
    """Text from outside, made `storable` on its way in, in conditions as well as in rows."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  (SQLAlchemy's signature)
        """What is sent to the database."""
        return None if value is None else storable(value)


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A moment: kept in UTC, and aware of it in Python also where the database forgets time zones (SQLite)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """What is sent to the database; a naive time is a mistake in our code."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a time zone can't be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """What the database sent."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is exactly INTEGER (which is 64 bits wide there).
_RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("scope_kind", Words, primary_key=True),
    sa.Column("scope_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", Words, primary_key=True),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("value", Words, nullable=False),
    sa.Column("changed_by_id", sa.BigInteger, nullable=False),
    sa.Column("changed_by_name", Words, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Index(None, "guild_id", "key"),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("id", _RowId, primary_key=True),
    sa.Column("scope_kind", Words, nullable=False),
    sa.Column("scope_id", sa.BigInteger, nullable=False),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("key", Words, nullable=False),
    sa.Column("old", Words),
    sa.Column("new", Words),
    sa.Column("changed_by_id", sa.BigInteger, nullable=False),
    sa.Column("changed_by_name", Words, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Index(None, "scope_kind", "scope_id", "id"),
    sqlite_autoincrement=True,
)

personas = sa.Table(
    "personas",
    metadata,
    sa.Column("id", _RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("name_key", Words, nullable=False, comment="the name casefolded"),
    sa.Column("version", sa.Integer, nullable=False, comment="the newest one"),
    sa.UniqueConstraint("guild_id", "name_key"),
    sqlite_autoincrement=True,
)

persona_versions = sa.Table(
    "persona_versions",
    metadata,
    sa.Column("persona_id", _RowId, sa.ForeignKey(personas.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("prompt", Words, nullable=False),
    sa.Column("author_id", sa.BigInteger, nullable=False),
    sa.Column("author_name", Words, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", _RowId, primary_key=True),
    sa.Column("channel_id", sa.BigInteger, comment="NULL: cleared, its messages wait to be purged"),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("parent_id", sa.BigInteger, comment="the channel that a thread belongs to"),
    sa.Column("owner_id", sa.BigInteger, comment="NULL: everybody's in the channel"),
    sa.Column("head_id", _RowId),
    sa.Column("window_start_id", _RowId),
    sa.Column("created_at", UtcTime, nullable=False),
    # Two, since rows without an owner never count as the same for a unique index.
    sa.Index(None, "channel_id", "owner_id", unique=True),
    sa.Index(
        "ix_conversations_everybodys",
        "channel_id",
        unique=True,
        sqlite_where=sa.text("owner_id IS NULL"),
        postgresql_where=sa.text("owner_id IS NULL"),
    ),
    sa.Index(None, "owner_id"),
    sqlite_autoincrement=True,
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", _RowId, primary_key=True),
    sa.Column("conversation_id", _RowId, sa.ForeignKey(conversations.c.id), nullable=False),
    # No cascade: SQLite runs one as nested triggers, of which 1,000 levels are allowed; a branch may be deeper.
    sa.Column("parent_id", _RowId, sa.ForeignKey("messages.id")),
    sa.Column("role", Words, nullable=False),
    sa.Column("author_id", sa.BigInteger),
    sa.Column("author_name", Words),
    sa.Column("content", Words, nullable=False),
    sa.Column("end_reason", Words, nullable=False),
    sa.Column("tokens", sa.Integer),
    sa.Column("tokenizer", Words),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("copied_from", _RowId, comment="the message that it was, where a thread goes on from a channel's answer"),
    sa.Index(None, "conversation_id", "id"),
    sa.Index(None, "copied_from"),
    sa.Index(None, "parent_id"),
    sa.Index(None, "author_id"),
    sqlite_autoincrement=True,
)

IS_RUNNING = messages.c.end_reason == sa.literal(EndReason.RUNNING.value, literal_execute=True)
"""Written out in the SQL, not bound: else SQLite can't see that the index below fits."""

sa.Index(
    "ix_messages_running",
    messages.c.id,
    sqlite_where=messages.c.end_reason == EndReason.RUNNING.value,
    postgresql_where=messages.c.end_reason == EndReason.RUNNING.value,
)

receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column(
        "answer_id", _RowId, sa.ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("model", Words, nullable=False),
    sa.Column("digest", Words),
    sa.Column("persona", Words, nullable=False),
    sa.Column("persona_version", sa.Integer, nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("prompt_tokens", sa.Integer),
    sa.Column("answer_tokens", sa.Integer),
    sa.Column("prompt_estimate", sa.Integer),
    sa.Column("load_seconds", sa.Float),
    sa.Column("first_text_seconds", sa.Float),
    sa.Column("total_seconds", sa.Float),
    sa.Column("waited_seconds", sa.Float),
    sa.Column("writing_seconds", sa.Float),
    sa.Column("sources", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("keep_alive", Words),
    sa.Column("think", sa.JSON(none_as_null=True)),
    sa.Column("prompt_digest", Words),
    sa.Column("window_start", _RowId, comment="the first remembered message that was sent; it may be gone"),
    sa.Column("remembered", sa.Integer, comment="how many remembered messages were sent"),
    sa.Column("thought_seconds", sa.Float, comment="NULL: the model did not think"),
    sa.Index(None, "model", "answer_id"),
)

thoughts = sa.Table(
    "thoughts",
    metadata,
    sa.Column(
        "answer_id", _RowId, sa.ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("content", Words, nullable=False),
    sa.Column("kept_at", UtcTime, nullable=False),
    sa.Index(None, "kept_at"),
)

images = sa.Table(
    "images",
    metadata,
    sa.Column("message_id", _RowId, sa.ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

discord_messages = sa.Table(
    "discord_messages",
    metadata,
    sa.Column("discord_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("message_id", _RowId, sa.ForeignKey(messages.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False, comment="0 is the first page"),
    sa.Index(None, "message_id", "position"),
)

open_answers = sa.Table(
    "open_answers",
    metadata,
    sa.Column("id", _RowId, primary_key=True),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("parent_id", sa.BigInteger),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("key", Words, comment="in the ids of its Stop buttons"),
    sa.Column("discord_id", sa.BigInteger, comment="the newest message of it that is known"),
    # No foreign key: a row whose answer was forgotten must not look like a question that waits.
    sa.Column("answer_id", _RowId, comment="NULL: its question waits, or nothing of it is remembered"),
    sa.Column("asked_in", sa.BigInteger, comment="the message that asked"),
    sa.Column("interaction_id", sa.BigInteger, comment="or the command"),
    sa.Column("author_id", sa.BigInteger, comment="NULL: nothing is kept of who asked what"),
    sa.Column("author_name", Words),
    sa.Column("header", Words, nullable=False, comment="the line above the answer"),
    sa.Column("question", Words, comment="of a command; a message is read again"),
    sa.Column("persona", Words),
    sa.Column("may_be_asked", sa.Boolean, nullable=False, comment="by the next start, where it waits still"),
    sqlite_autoincrement=True,
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("told_at", UtcTime, comment="when they were told what is kept; NULL: they will be"),
    sa.Column("opted_out_at", UtcTime, comment="NULL: what they ask is remembered"),
    sa.Column("leaving_at", UtcTime, comment="when they wanted everything deleted; NULL once that is done"),
)

usage = sa.Table(
    "usage",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True, comment="in UTC"),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Index(None, "day"),
)

state = sa.Table(
    "state",
    metadata,
    sa.Column("key", Words, primary_key=True),
    sa.Column("value", Words, nullable=False),
)
