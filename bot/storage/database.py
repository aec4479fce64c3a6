"""The connection to the database: opening, transactions one at a time, closing, and its errors in our words."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import SettingError, StorageError
from bot.storage import sqlite

__all__ = ["Database", "open_database", "utc_now"]

_BAD_URL = (
    "DATABASE_URL is not an address of a database that this bot can use; "
    "write something like sqlite+aiosqlite:///data/llampost.db."
)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


async def open_database(url: str, *, create: bool = True) -> Database:
    """Open the database at once, so that what is wrong with it shows now; `close` it in the end.

    Without `create`, a database file that does not exist is an error instead of being made.
    """
    database = Database(_engine(url, create=create))
    try:
        async with database.reading():
            pass
    except BaseException:
        await database.close()
        raise
    return database


class Database:
    """A database that many can read at once, and that one at a time changes.

    A `transaction` must not be begun inside another one: it would wait for the outer one for ever.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._writer = engine.execution_options(**sqlite.WRITING)
        self._rebuilder = engine.execution_options(**sqlite.REBUILDING)
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A view of the database at one moment, which waits for no writer."""
        with _translated():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """The one transaction that may write now: stored as a whole, or not at all where the block raises."""
        async with self._writing:
            with _translated():
                async with self._writer.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def rebuilding(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes the schema: what refers to what is checked once, at its end."""
        async with self._writing:
            with _translated():
                async with self._rebuilder.connect() as connection:
                    try:
                        async with connection.begin():
                            yield connection
                            if self._is_sqlite:
                                await connection.run_sync(sqlite.check_references)
                    finally:
                        await connection.invalidate()  # its foreign keys are off: nobody else may get it

    async def ping(self) -> None:
        """Raise StorageError where the database can't be read and written now. Leaves no trace.

        A full disk shows only when something is really written.
        """
        probe = sa.Table("llampost_ping", sa.MetaData(), sa.Column("id", sa.Integer))
        async with self._writing:
            with _translated():
                async with self._writer.connect() as connection:
                    await connection.execute(sa.schema.CreateTable(probe))
                    await connection.rollback()

    async def close(self) -> None:
        """Close every connection; for the last one of all programs SQLite tidies its log away."""
        await self._engine.dispose()


def _engine(text: str, *, create: bool) -> AsyncEngine:
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise SettingError(_BAD_URL) from None  # its text may hold a part of the password
    if url.get_backend_name() == "sqlite":
        url = sqlite.with_file(url, create=create)
    try:
        # What people say is in the parameters: it stays out of errors and logs.
        engine = create_async_engine(url, hide_parameters=True)
    except (sa.exc.SQLAlchemyError, ImportError, TypeError, ValueError):
        raise SettingError(_BAD_URL) from None  # as above
    if engine.dialect.name == "sqlite":
        sqlite.take_over_transactions(engine.sync_engine)
    return engine


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what can go wrong outside of our code into StorageError; mistakes in our SQL stay what they are."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        text = _sentence(error)
        if text is None:
            raise
        raise StorageError(text) from error
    except (sa.exc.TimeoutError, OSError) as error:
        raise StorageError("The database in DATABASE_URL does not answer; check that it is up.") from error


def _sentence(error: sa.exc.DBAPIError) -> str | None:
    if isinstance(error.orig, sqlite3.Error):
        return sqlite.sentence(error.orig)
    if error.connection_invalidated or isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return "The database in DATABASE_URL does not answer; check that it is up."
    return None
