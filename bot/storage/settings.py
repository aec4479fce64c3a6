"""Settings of channels and servers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select

from bot.chat.messages import Author
from bot.chat.scopes import Change, Scope, ScopeKind, Setting
from bot.storage.changes import newest, record, stored
from bot.storage.database import Database, utc_now
from bot.storage.schema import settings, storable

REMEMBERED = 10_000
"""Scopes whose settings are kept in memory: each question asks for those of a person, a channel and a server."""


class SqlSettings:
    """A `SettingsStore`, the only one that changes its database's settings: it keeps in memory what it has read."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now
        self._known: OrderedDict[Scope, Mapping[str, Setting]] = OrderedDict()
        self._changes = 0

    async def values(self, scopes: Sequence[Scope]) -> Mapping[Scope, Mapping[str, Setting]]:
        """All settings of the scopes; a scope without any is left out."""
        found = {scope: self._known[scope] for scope in scopes if scope in self._known}
        if unknown := [scope for scope in scopes if scope not in found]:
            found |= await self._read(unknown)
        return {scope: found[scope] for scope in scopes if found[scope]}

    async def change(
        self, scope: Scope, values: Mapping[str, str | None], *, guild_id: int | None, by: Author
    ) -> list[Change]:
        """Set values (None removes one) in one transaction and record what really changed, which is returned."""
        new = {storable(key): None if value is None else storable(value) for key, value in values.items()}
        try:
            return await self._database.write(_change, scope, new, guild_id=guild_id, author=stored(by), at=self._now())
        finally:
            self.forget()

    async def changes(self, scope: Scope, *, limit: int, keys: Collection[str] = ()) -> list[Change]:
        """The newest changes in a scope, newest first: of all keys, or of these."""
        return await self._database.read(newest, scope, limit, keys)

    def forget(self) -> None:
        """Read everything anew, because something was changed: that is rare, and to forget too much is never wrong."""
        self._changes += 1
        self._known.clear()

    async def _read(self, scopes: Sequence[Scope]) -> Mapping[Scope, Mapping[str, Setting]]:
        changes_before = self._changes
        read = await self._database.read(_values, scopes)
        if self._changes == changes_before:  # else it may be from before the change
            self._known.update(read)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return read


def _values(connection: Connection, scopes: Sequence[Scope]) -> dict[Scope, Mapping[str, Setting]]:
    found: dict[Scope, dict[str, Setting]] = {scope: {} for scope in scopes}
    for row in connection.execute(select(settings).where(or_(*map(_in_scope, scopes)))):
        author = Author(row.changed_by_id, row.changed_by_name)
        found[Scope(ScopeKind(row.scope_kind), row.scope_id)][row.key] = Setting(row.value, author, row.changed_at)
    return dict(found)


def _change(
    connection: Connection,
    scope: Scope,
    new: Mapping[str, str | None],
    *,
    guild_id: int | None,
    author: Author,
    at: datetime,
) -> list[Change]:
    these = and_(_in_scope(scope), settings.c.key.in_(new))
    old = {row.key: row.value for row in connection.execute(select(settings.c.key, settings.c.value).where(these))}
    made = [Change(scope, key, old.get(key), value, author, at) for key, value in new.items() if old.get(key) != value]
    if made:
        changed = settings.c.key.in_([change.key for change in made])
        connection.execute(delete(settings).where(_in_scope(scope), changed))
    if rows := [_row(change, guild_id) for change in made if change.new is not None]:
        connection.execute(insert(settings), rows)
    record(connection, guild_id, made)
    return made


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    return and_(settings.c.scope_kind == scope.kind.value, settings.c.scope_id == scope.id)


def _row(change: Change, guild_id: int | None) -> dict[str, object]:
    return {
        "scope_kind": change.scope.kind.value,
        "scope_id": change.scope.id,
        "key": change.key,
        "guild_id": guild_id,
        "value": change.new,
        "changed_by_id": change.changed_by.id,
        "changed_by_name": change.changed_by.name,
        "changed_at": change.changed_at,
    }
