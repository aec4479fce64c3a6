"""Which Discord messages show what, and which are being written to: each function is called in a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select

from bot.chat.messages import EndReason, OpenMessage, Place
from bot.storage.schema import discord_messages, messages, open_messages

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
_FORGET = delete(open_messages).where(open_messages.c.discord_id == _discord_id)
_NOTE = insert(open_messages)


def show(connection: Connection, message_id: int, discord_id: int) -> None:
    """Note that a stored message, if it is still there, is also this message in Discord, which shows no other."""
    these = {"message_id": message_id, "discord_id": discord_id}
    connection.execute(_HIDE, these)
    connection.execute(_SHOW, these)


def hide(connection: Connection, discord_ids: Sequence[int]) -> None:
    """Note that these messages show nothing of the memory any more."""
    connection.execute(delete(discord_messages).where(discord_messages.c.discord_id.in_(discord_ids)))


def note(connection: Connection, discord_id: int, place: Place, instead_of: int | None) -> None:
    """From now on an answer is written to this message, and no longer to the other one."""
    forget(connection, discord_id)
    if instead_of is not None:
        forget(connection, instead_of)
    ids = {"channel_id": place.channel_id, "guild_id": place.guild_id, "parent_id": place.parent_id}
    connection.execute(_NOTE, {"discord_id": discord_id, **ids})


def forget(connection: Connection, discord_id: int) -> None:
    """The message reads as it should."""
    connection.execute(_FORGET, {"discord_id": discord_id})


def left_open(connection: Connection) -> list[OpenMessage]:
    """Every message that was noted and not forgotten, oldest first, with its answer where that was complete."""
    shown = discord_messages.c.discord_id == open_messages.c.discord_id
    complete = messages.c.end_reason == EndReason.COMPLETE.value
    query = (
        select(open_messages, messages.c.content, discord_messages.c.message_id)
        .outerjoin_from(open_messages, discord_messages, shown)
        .outerjoin(messages, (messages.c.id == discord_messages.c.message_id) & complete)
        .order_by(open_messages.c.discord_id)
    )
    return [
        OpenMessage(
            row.discord_id, Place(row.channel_id, row.guild_id, row.parent_id), row.content or "", row.message_id
        )
        for row in connection.execute(query)
    ]
