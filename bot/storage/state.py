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
        return await self._database.read(value, key)

    async def set(self, key: str, value: str) -> None:
        """Store or replace a value."""
        await self._database.write(put, key, value)


def value(connection: Connection, key: str) -> str | None:
    """The value, if there is one; called in a transaction."""
    found: str | None = connection.scalar(select(state.c.value).where(state.c.key == key))
    return found


def put(connection: Connection, key: str, value: str) -> None:
    """Store or replace a value; called in a transaction."""
    connection.execute(delete(state).where(state.c.key == key))
    connection.execute(insert(state).values(key=key, value=value))
