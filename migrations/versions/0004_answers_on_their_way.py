"""What a restart must know of each answer that is on its way, from before its first message on."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A row for each answer takes the place of one for each message that is written to."""
    op.create_table(
        "open_answers",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("parent_id", sa.BigInteger),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text, comment="in the ids of its Stop buttons"),
        sa.Column("discord_id", sa.BigInteger, comment="the newest message of it that is known"),
        sa.Column("answer_id", _ROW_ID, comment="NULL: its question waits, or nothing of it is remembered"),
        sa.Column("asked_in", sa.BigInteger, comment="the message that asked"),
        sa.Column("interaction_id", sa.BigInteger, comment="or the command"),
        sa.Column("author_id", sa.BigInteger, comment="NULL: nothing is kept of who asked what"),
        sa.Column("author_name", sa.Text),
        sa.Column("header", sa.Text, nullable=False, comment="the line above the answer"),
        sa.Column("question", sa.Text, comment="of a command; a message is read again"),
        sa.Column("persona", sa.Text),
        sa.Column("may_be_asked", sa.Boolean, nullable=False, comment="by the next start, where it waits still"),
        sa.PrimaryKeyConstraint("id", name="pk_open_answers"),
        sqlite_autoincrement=True,
    )
    _move_notes()
    op.drop_table("open_messages")


def _move_notes() -> None:
    """What an older version left open is still found and closed."""
    old = sa.table("open_messages", *map(sa.column, ("discord_id", "channel_id", "guild_id", "parent_id")))
    shown = sa.table("discord_messages", sa.column("discord_id"), sa.column("message_id"))
    new = sa.table(
        "open_answers",
        *map(sa.column, ("discord_id", "channel_id", "guild_id", "parent_id", "answer_id", "header")),
        sa.column("opened_at", sa.DateTime(timezone=True)),
        sa.column("may_be_asked", sa.Boolean),
    )
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(old, shown.c.message_id.label("answer_id"))
        .outerjoin_from(old, shown, shown.c.discord_id == old.c.discord_id)
        .order_by(old.c.discord_id)
    ).mappings()
    left = [{**row, "header": "", "opened_at": datetime.now(UTC), "may_be_asked": False} for row in rows]
    if left:
        connection.execute(sa.insert(new), left)
