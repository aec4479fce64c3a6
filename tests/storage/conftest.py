from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.chat.messages import Place
from bot.storage.database import Database, open_database
from bot.storage.migrations import migrate
from bot.storage.schema import conversations


class Clock:
    """Time that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go_on(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


async def window_start(database: Database, place: Place) -> int | None:
    """The id of the message at which the place's window starts; None for the root."""
    query = sa.select(conversations.c.window_start_id).where(conversations.c.channel_id == place.channel_id)
    start: int | None = await database.read(lambda connection: connection.scalar(query))
    return start


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "llampost.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with await open_database(url) as database:
        await migrate(database)
        yield database
