"""Deleting what was said too long ago: each function is called in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from bot.chat.messages import Role
from bot.chat.privacy import before
from bot.chat.scopes import ScopeKind
from bot.storage.removal import remove
from bot.storage.schema import AnyRow, conversations, messages, settings

BATCH = 100
"""Questions deleted in one transaction, with their answers: some milliseconds, so that no answer waits for them."""


def outdated(connection: Connection, key: str, now: datetime, default_days: int) -> list[tuple[int, datetime]]:
    """The conversations that begin with something too old, each with the moment before which that is so."""
    is_choice = (settings.c.scope_kind == ScopeKind.SERVER.value) & (settings.c.key == key)
    chosen = {row.scope_id: int(row.value) for row in connection.execute(select(settings).where(is_choice))}
    if not default_days and not any(chosen.values()):
        return []
    found = []
    for row in connection.execute(_BEGINNINGS):
        limit = before(now, chosen.get(row.guild_id, default_days))
        if limit is not None and row.begun_at is not None and row.begun_at < limit:
            found.append((row.id, limit))
    return found


def forget_some(connection: Connection, conversation_id: int, limit: datetime) -> int:
    """Delete one batch of a conversation's oldest questions with their answers; returns how many messages that were."""
    is_question = (messages.c.conversation_id == conversation_id) & (messages.c.role == Role.USER.value)
    oldest = select(messages.c.id, messages.c.created_at).where(is_question).order_by(messages.c.id).limit(BATCH)
    rows: Sequence[AnyRow] = connection.execute(oldest).all()
    return remove(connection, [row.id for row in rows if row.created_at < limit])


_BEGINNINGS = select(
    *conversations.c["id", "guild_id"],
    # The first row of an index for each conversation, however long it is.
    select(messages.c.created_at)
    .where(messages.c.conversation_id == conversations.c.id)
    .order_by(messages.c.id)
    .limit(1)
    .scalar_subquery()
    .label("begun_at"),
).where(conversations.c.channel_id.is_not(None))
