"""Small facts about the bot itself."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from bot.storage.database import Database
from bot.storage.schema import state


class SqlState:
    """A `StateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> str | None:
        """The value, if there is one."""
        async with self._database.reading() as connection:
            value: str | None = await connection.scalar(select(state.c.value).where(state.c.key == key))
            return value

    async def set(self, key: str, value: str) -> None:
        """Store or replace a value."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(state).where(state.c.key == key))
            await connection.execute(insert(state).values(key=key, value=value))
