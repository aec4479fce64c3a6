"""Small facts about the bot itself."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from bot.storage.database import Database
from bot.storage.schema import state


class SqlState:
    """A `StateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> str | None:
        """The value, if there is one."""
        return await self._database.read(_get, key)

    async def set(self, key: str, value: str) -> None:
        """Store or replace a value."""
        await self._database.write(_set, key, value)


def _get(connection: Connection, key: str) -> str | None:
    value: str | None = connection.scalar(select(state.c.value).where(state.c.key == key))
    return value


def _set(connection: Connection, key: str, value: str) -> None:
    connection.execute(delete(state).where(state.c.key == key))
    connection.execute(insert(state).values(key=key, value=value))
