"""The record of changes, which settings and personas both write. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, insert, select

from bot.chat.messages import Author
from bot.chat.scopes import Change, Scope
from bot.storage.schema import changes, storable


def stored(author: Author) -> Author:
    """The author as the database will give them back."""
    return Author(author.id, storable(author.name))


def record(connection: Connection, guild_id: int | None, made: Sequence[Change]) -> None:
    """Add the changes to the record, in the caller's transaction."""
    rows = [
        {
            "scope_kind": change.scope.kind.value,
            "scope_id": change.scope.id,
            "guild_id": guild_id,
            "key": change.key,
            "old": change.old,
            "new": change.new,
            "changed_by_id": change.changed_by.id,
            "changed_by_name": change.changed_by.name,
            "changed_at": change.changed_at,
        }
        for change in made
    ]
    if rows:
        connection.execute(insert(changes), rows)


def newest(connection: Connection, scope: Scope, limit: int, keys: Collection[str] = ()) -> list[Change]:
    """The last changes of a scope, newest first: of all keys, or of these."""
    query = (
        select(changes)
        .where(changes.c.scope_kind == scope.kind.value, changes.c.scope_id == scope.id)
        .order_by(changes.c.id.desc())
        .limit(limit)
    )
    if keys:
        query = query.where(changes.c.key.in_(keys))
    return [
        Change(scope, row.key, row.old, row.new, Author(row.changed_by_id, row.changed_by_name), row.changed_at)
        for row in connection.execute(query)
    ]
