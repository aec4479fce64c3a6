"""Settings of channels and servers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select

from bot.chat.messages import Author
from bot.chat.scopes import Change, Scope, ScopeKind, Setting
from bot.storage.changes import newest, record, stored
from bot.storage.database import Database, utc_now
from bot.storage.schema import settings, storable


class SqlSettings:
    """A `SettingsStore`."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    async def values(self, scopes: Sequence[Scope]) -> Mapping[Scope, Mapping[str, Setting]]:
        """All settings of the scopes; a scope without any is left out."""
        found: dict[Scope, dict[str, Setting]] = {}
        if not scopes:
            return found
        async with self._database.reading() as connection:
            for row in await connection.execute(select(settings).where(or_(*map(_in_scope, scopes)))):
                scope = Scope(ScopeKind(row.scope_kind), row.scope_id)
                author = Author(row.changed_by_id, row.changed_by_name)
                found.setdefault(scope, {})[row.key] = Setting(row.value, author, row.changed_at)
        return found

    async def change(
        self, scope: Scope, values: Mapping[str, str | None], *, guild_id: int | None, by: Author
    ) -> list[Change]:
        """Set values (None removes one) in one transaction and record what really changed, which is returned."""
        new = {storable(key): None if value is None else storable(value) for key, value in values.items()}
        author, at = stored(by), self._now()
        these = and_(_in_scope(scope), settings.c.key.in_(new))
        async with self._database.transaction() as connection:
            rows = await connection.execute(select(settings.c.key, settings.c.value).where(these))
            old = {row.key: row.value for row in rows}
            made = [
                Change(scope, key, old.get(key), value, author, at)
                for key, value in new.items()
                if old.get(key) != value
            ]
            if made:
                changed = settings.c.key.in_([change.key for change in made])
                await connection.execute(delete(settings).where(_in_scope(scope), changed))
            if rows_now := [_row(change, guild_id) for change in made if change.new is not None]:
                await connection.execute(insert(settings), rows_now)
            await record(connection, guild_id, made)
        return made

    async def changes(self, scope: Scope, *, limit: int, keys: Collection[str] = ()) -> list[Change]:
        """The newest changes in a scope, newest first: of all keys, or of these."""
        async with self._database.reading() as connection:
            return await newest(connection, scope, limit, keys)


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
