"""A conversation for each person, and people's choices about what is kept of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Each part is a feature's."""
    _one_conversation_a_person()
    _people()
    _thoughts()
    _whole_receipts()
    _copies()
    _usage()


def _copies() -> None:
    """A thread that goes on from a channel's answer has its own copy of what was said before."""
    column = sa.Column(
        "copied_from", _ROW_ID, comment="the message that it was, where a thread goes on from a channel's answer"
    )
    op.add_column("messages", column)
    op.create_index("ix_messages_copied_from", "messages", ["copied_from"])


def _whole_receipts() -> None:
    """What is needed to explain an answer, and to ask for it again."""
    for column in (
        sa.Column("waited_seconds", sa.Float),
        sa.Column("writing_seconds", sa.Float),
        sa.Column("sources", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("keep_alive", sa.Text),
        sa.Column("think", sa.JSON),
        sa.Column("prompt_digest", sa.Text),
        sa.Column("window_start", _ROW_ID, comment="the first remembered message that was sent; it may be gone"),
        sa.Column("remembered", sa.Integer, comment="how many remembered messages were sent"),
        sa.Column("thought_seconds", sa.Float, comment="NULL: the model did not think"),
    ):
        op.add_column("receipts", column)


def _one_conversation_a_person() -> None:
    op.drop_index("ix_conversations_channel_id", "conversations")
    op.create_index("ix_conversations_channel_id_owner_id", "conversations", ["channel_id", "owner_id"], unique=True)
    op.create_index(
        "ix_conversations_everybodys",
        "conversations",
        ["channel_id"],
        unique=True,
        sqlite_where=sa.text("owner_id IS NULL"),
        postgresql_where=sa.text("owner_id IS NULL"),
    )
    op.create_index("ix_conversations_owner_id", "conversations", ["owner_id"])


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("person_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("told_at", _TIME, comment="when they were told what is kept; NULL: they will be"),
        sa.Column("opted_out_at", _TIME, comment="NULL: what they ask is remembered"),
        sa.Column("leaving_at", _TIME, comment="when they wanted everything deleted; NULL once that is done"),
        sa.PrimaryKeyConstraint("person_id", name="pk_people"),
    )


def _thoughts() -> None:
    op.create_table(
        "thoughts",
        sa.Column("answer_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("kept_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["messages.id"], name="fk_thoughts_answer_id_messages", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("answer_id", name="pk_thoughts"),
    )
    op.create_index("ix_thoughts_kept_at", "thoughts", ["kept_at"])


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("person_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date, comment="in UTC", nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "day", name="pk_usage"),
    )
    op.create_index("ix_usage_day", "usage", ["day"])
