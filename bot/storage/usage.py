"""How many tokens each person used on each day."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from bot.storage.database import Database
from bot.storage.schema import usage

KEPT = timedelta(days=1)
"""Beside the day that is counted, and on both sides of it, since a clock may have been wrong."""


class SqlUsage:
    """A `UsageStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tokens(self, person_id: int, day: date) -> int:
        """How many the person used on that day."""
        return await self._database.read(_tokens, person_id, day)

    async def add(self, person_id: int, day: date, tokens: int) -> None:
        """Count further tokens, and forget the days that are over."""
        await self._database.write(_add, person_id, day, tokens)


def _tokens(connection: Connection, person_id: int, day: date) -> int:
    used = connection.scalar(select(usage.c.tokens).where(usage.c.person_id == person_id, usage.c.day == day))
    return used or 0


def _add(connection: Connection, person_id: int, day: date, tokens: int) -> None:
    its = (usage.c.person_id == person_id) & (usage.c.day == day)
    if not connection.execute(update(usage).where(its).values(tokens=usage.c.tokens + tokens)).rowcount:
        connection.execute(insert(usage).values(person_id=person_id, day=day, tokens=tokens))
        connection.execute(delete(usage).where(or_(usage.c.day < day - KEPT, usage.c.day > day + KEPT)))
