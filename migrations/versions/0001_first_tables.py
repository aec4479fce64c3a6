"""The first tables: settings, personas, conversations.

Revisions go forward only and are never edited once released. They repeat the schema in plain types and names instead
of importing it, because they must stay what they were when the schema moves on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table; an order in which each finds what it refers to."""
    _settings()
    _personas()
    _conversations()
    _about_messages()
    op.create_table(
        "state",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_state"),
    )


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("scope_kind", sa.Text, nullable=False),
        sa.Column("scope_id", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("changed_by_id", sa.BigInteger, nullable=False),
        sa.Column("changed_by_name", sa.Text, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("scope_kind", "scope_id", "key", name="pk_settings"),
    )
    op.create_index("ix_settings_guild_id_key", "settings", ["guild_id", "key"])
    op.create_table(
        "changes",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("scope_kind", sa.Text, nullable=False),
        sa.Column("scope_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("old", sa.Text),
        sa.Column("new", sa.Text),
        sa.Column("changed_by_id", sa.BigInteger, nullable=False),
        sa.Column("changed_by_name", sa.Text, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_scope_kind_scope_id_id", "changes", ["scope_kind", "scope_id", "id"])


def _personas() -> None:
    op.create_table(
        "personas",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, comment="the name casefolded"),
        sa.Column("version", sa.Integer, nullable=False, comment="the newest one"),
        sa.PrimaryKeyConstraint("id", name="pk_personas"),
        sa.UniqueConstraint("guild_id", "name_key", name="uq_personas_guild_id_name_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "persona_versions",
        sa.Column("persona_id", _ROW_ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("persona_id", "version", name="pk_persona_versions"),
        sa.ForeignKeyConstraint(
            ["persona_id"], ["personas.id"], name="fk_persona_versions_persona_id_personas", ondelete="CASCADE"
        ),
    )


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("channel_id", sa.BigInteger, comment="NULL: cleared, its messages wait to be purged"),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("parent_id", sa.BigInteger, comment="the channel that a thread belongs to"),
        sa.Column("owner_id", sa.BigInteger, comment="NULL: everybody's in the channel"),
        sa.Column("head_id", _ROW_ID),
        sa.Column("window_start_id", _ROW_ID),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conversations_channel_id", "conversations", ["channel_id"], unique=True)
    op.create_table(
        "messages",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("conversation_id", _ROW_ID, nullable=False),
        sa.Column("parent_id", _ROW_ID),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("author_id", sa.BigInteger),
        sa.Column("author_name", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("end_reason", sa.Text, nullable=False),
        sa.Column("tokens", sa.Integer),
        sa.Column("tokenizer", sa.Text),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_messages_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["messages.id"], name="fk_messages_parent_id_messages"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_conversation_id_id", "messages", ["conversation_id", "id"])
    op.create_index("ix_messages_parent_id", "messages", ["parent_id"])
    op.create_index("ix_messages_author_id", "messages", ["author_id"])
    running = sa.text("end_reason = 'running'")
    op.create_index("ix_messages_running", "messages", ["id"], sqlite_where=running, postgresql_where=running)


def _about_messages() -> None:
    op.create_table(
        "receipts",
        sa.Column("answer_id", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("persona", sa.Text, nullable=False),
        sa.Column("persona_version", sa.Integer, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("answer_tokens", sa.Integer),
        sa.Column("prompt_estimate", sa.Integer),
        sa.Column("load_seconds", sa.Float),
        sa.Column("first_text_seconds", sa.Float),
        sa.Column("total_seconds", sa.Float),
        sa.PrimaryKeyConstraint("answer_id", name="pk_receipts"),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["messages.id"], name="fk_receipts_answer_id_messages", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_receipts_model_answer_id", "receipts", ["model", "answer_id"])
    op.create_table(
        "discord_messages",
        sa.Column("discord_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("message_id", _ROW_ID, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, comment="0 is the first page"),
        sa.PrimaryKeyConstraint("discord_id", name="pk_discord_messages"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_discord_messages_message_id_messages", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_discord_messages_message_id_position", "discord_messages", ["message_id", "position"])
    op.create_table(
        "open_messages",
        sa.Column("discord_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("parent_id", sa.BigInteger),
        sa.PrimaryKeyConstraint("discord_id", name="pk_open_messages"),
    )
