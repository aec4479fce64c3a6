"""Which Discord messages show what: each function is called in a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select

from bot.storage.schema import discord_messages, messages

_discord_id = bindparam("discord_id", type_=discord_messages.c.discord_id.type)
_message_id = bindparam("message_id", type_=discord_messages.c.message_id.type)
_next = (
    select(func.coalesce(func.max(discord_messages.c.position) + 1, 0))
    .where(discord_messages.c.message_id == _message_id)
    .scalar_subquery()
)
_HIDE = delete(discord_messages).where(
    discord_messages.c.discord_id == _discord_id,
    discord_messages.c.message_id != _message_id,
    exists().where(messages.c.id == _message_id),
)
_SHOW = insert(discord_messages).from_select(
    ["discord_id", "message_id", "position"],
    select(_discord_id, messages.c.id, _next).where(
        messages.c.id == _message_id, ~exists().where(discord_messages.c.discord_id == _discord_id)
    ),
)


def show(connection: Connection, message_id: int, discord_id: int) -> None:
    """Note that a stored message, if it is still there, is also this message in Discord, which shows no other."""
    these = {"message_id": message_id, "discord_id": discord_id}
    connection.execute(_HIDE, these)
    connection.execute(_SHOW, these)


def showing(connection: Connection, message_id: int) -> tuple[int, ...]:
    """The messages that show a stored one, the first page first."""
    query = select(discord_messages.c.discord_id).where(discord_messages.c.message_id == message_id)
    return tuple(connection.scalars(query.order_by(discord_messages.c.position)))


def hide(connection: Connection, discord_ids: Sequence[int]) -> None:
    """Note that these messages show nothing of the memory any more."""
    connection.execute(delete(discord_messages).where(discord_messages.c.discord_id.in_(discord_ids)))
