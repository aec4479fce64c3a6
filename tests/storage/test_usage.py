from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection, select

from bot.storage.database import Database
from bot.storage.schema import usage
from bot.storage.usage import SqlUsage

DAY = date(2026, 3, 4)


def _rows(connection: Connection) -> list[tuple[int, date, int]]:
    return [(row.person_id, row.day, row.tokens) for row in connection.execute(select(usage).order_by(usage.c.day))]


async def test_tokens_add_up_for_each_person_and_each_day(database: Database) -> None:
    store = SqlUsage(database)
    for person, day, tokens in ((1, DAY, 5), (1, DAY, 6), (2, DAY, 7), (1, DAY + timedelta(days=1), 8)):
        await store.add(person, day, tokens)

    assert await store.tokens(1, DAY) == 11
    assert await store.tokens(2, DAY) == 7
    assert await store.tokens(1, DAY + timedelta(days=1)) == 8
    assert await store.tokens(3, DAY) == 0


async def test_nothing_is_kept_for_longer_than_two_days(database: Database) -> None:
    store = SqlUsage(database)
    for days in range(5):
        await store.add(1, DAY + timedelta(days=days), 5)

    kept = await database.read(_rows)

    assert [day for _, day, _ in kept] == [DAY + timedelta(days=3), DAY + timedelta(days=4)]
