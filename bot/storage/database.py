"""The connection to the database: opening, transactions one at a time, closing, and its errors in our words."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bot.chat.unbroken import unbroken
from bot.errors import SettingError
from bot.storage import sqlite
from bot.storage.trouble import Trouble
from bot.storage.worker import Patience, Worker

__all__ = ["Database", "open_database", "utc_now"]

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

READERS = 2
"""So that a long look, such as an export, does not hold up everybody else's."""

TRACE_PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds between attempts to empty the log."""

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
    engine = _engine(url, create=create)
    with _translated():
        patience = Patience(sqlite.lock_seconds(engine.url))
        writer = await Worker.opened(engine.execution_options(**sqlite.WRITING), patience=patience)
        readers = [await Worker.opened(engine) for _ in range(READERS)]
    return Database(engine, writer, readers, patience)


class Database:
    """A database that several can read at once, and that one at a time changes.

    All work on it is a function of a connection, and is a transaction. It runs in another thread: it must neither touch
    what belongs to the event loop, nor return a result that is still to be fetched.
    """

    def __init__(self, engine: Engine, writer: Worker, readers: Sequence[Worker], patience: Patience) -> None:
        self._engine = engine
        self._patience = patience
        self._writer = writer
        self._readers = readers
        self._next_reader = itertools.cycle(readers)
        self._trouble = Trouble()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See the database as it is at one moment, without waiting for a writer."""
        with _translated(self._trouble):
            return await next(self._next_reader).run(lambda connection: work(connection, *args, **kwargs))

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Change the database after those who came before: as a whole, or not at all where the work raises.

        When this ends, so has the work, also where it ends because the caller is cancelled.
        """
        with _translated(self._trouble):
            done = await unbroken(self._writer.run(lambda connection: work(connection, *args, **kwargs)))
        self._trouble.over()
        return done

    def hurry(self, seconds: float) -> None:
        """From now on nobody waits longer than until then for a lock of another program: the bot is being stopped."""
        self._patience.hurry(seconds)

    async def rebuild(self, work: Callable[[Connection], T]) -> T:
        """Change the schema: what refers to what is checked once, at the end."""

        def checked(connection: Connection) -> T:
            done = work(connection)
            sqlite.check_references(connection)
            return done

        with _translated():
            # A connection of its own, since its foreign keys are off: nobody else may get it.
            rebuilding = self._engine.execution_options(**sqlite.REBUILDING)
            worker = await Worker.opened(rebuilding, patience=self._patience)
            try:
                return await worker.run(checked)
            finally:
                await worker.close()

    @property
    def file(self) -> Path:
        """Where it is."""
        return Path(str(self._engine.url.database))

    async def check(self) -> None:
        """Raise DatabaseDamaged where it is: before anything is written to it, and at a glance it may look sound."""
        with _translated():
            worker = await Worker.opened(self._engine.execution_options(**sqlite.OUTSIDE))
            try:
                await worker.run(sqlite.refuse_damage)
            finally:
                # Only who is cancelled has not come to the end of it.
                worker.interrupt()
                await worker.close()

    async def leave_no_trace(self) -> None:
        """See to it that what was deleted can't be found in the database's files any more, not in its log either.

        Somebody who reads all the while prevents that: then the log says so, and the next call makes up for it.
        """
        with _translated(self._trouble):
            worker = await Worker.opened(self._engine.execution_options(**sqlite.OUTSIDE))
            try:
                for pause in TRACE_PAUSES:
                    if await worker.run(sqlite.empty_log):
                        return
                    await asyncio.sleep(pause)
            finally:
                await worker.close()
        log.warning("What was deleted stays in the database's log for now, because somebody reads from it")

    async def ping(self) -> None:
        """Raise StorageError where the database can't be read and written now. Leaves no trace."""
        await self.write(_probe)

    async def close(self) -> None:
        """Close every connection; for the last one of all programs SQLite tidies its log away."""
        for worker in (*self._readers, self._writer):
            await worker.close()


def _probe(connection: Connection) -> None:
    """A full disk shows only when something is really written."""
    connection.execute(sa.schema.CreateTable(sa.Table("llampost_ping", sa.MetaData(), sa.Column("id", sa.Integer))))
    connection.rollback()


def _engine(text: str, *, create: bool) -> Engine:
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise SettingError(_BAD_URL) from None  # its text may hold a part of the password
    if url.drivername != sqlite.DRIVER:
        raise SettingError(_BAD_URL)
    url = sqlite.with_file(url, create=create)
    try:
        # What people say is in the parameters: it stays out of errors and logs.
        engine = create_engine(url.set(drivername="sqlite"), hide_parameters=True, poolclass=NullPool)
    except (sa.exc.SQLAlchemyError, TypeError, ValueError):
        raise SettingError(_BAD_URL) from None  # as above
    sqlite.take_over_transactions(engine)
    return engine


@contextmanager
def _translated(trouble: Trouble | None = None) -> Iterator[None]:
    """Turn what can go wrong outside of our code into StorageError; mistakes in our SQL stay what they are."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        known = sqlite.known(error.orig) if isinstance(error.orig, sqlite3.Error) else None
        if known is None:
            raise
        if trouble:
            trouble.met(known)
        raise known from error
