"""A connection to the database with a thread of its own: a whole transaction is one way there and back."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import Callable
from typing import Self, TypeVar, cast

import aiosqlite
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, RootTransaction

from bot.errors import StorageError
from bot.storage import sqlite

T = TypeVar("T")

_FETCHED_AT_ONCE = 64
"""Rows; aiosqlite wants to know it for its cursors, of which we use none."""


class Patience:
    """For how long to wait until another program gives the database free."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = math.inf

    def hurry(self, seconds: float) -> None:
        """From now on wait no longer than until then."""
        self._ends = time.monotonic() + seconds

    def is_over(self, asked: float) -> bool:
        """Whether somebody who asked at a moment has waited for long enough."""
        return time.monotonic() >= min(asked + self._seconds, self._ends)


class Worker:
    """Does one piece of work after the other, in the order in which they came.

    SQLAlchemy's own adapter to aiosqlite goes to the thread and back several times for each statement. That costs
    many times the CPU of the statement itself, and a transaction then stays open for as long as a busy event loop
    takes to come round to each of its steps.
    """

    def __init__(self, engine: Engine, patience: Patience | None) -> None:
        self._engine = engine
        self._patience = patience
        self._thread = _Thread(self._open, _FETCHED_AT_ONCE)

    @classmethod
    async def opened(cls, engine: Engine, *, patience: Patience | None = None) -> Self:
        """A worker on a new connection; `close` it in the end. Without `patience` SQLite itself waits for locks."""
        worker = cls(engine, patience)
        try:
            await worker._thread
        except Exception:
            await worker._thread.ended()
            raise
        return worker

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do the work in a transaction, which is undone where the work raises.

        Once asked for it will be done, also where the caller is cancelled. Raises StorageError after `close`.
        """
        if self._connection.closed:
            raise StorageError("The database is closed, because the bot is being stopped; please ask again later.")

        asked = time.monotonic()

        def in_transaction() -> T:
            with self._begun(asked):
                return work(self._connection)

        return await self._thread.run(in_transaction)

    def interrupt(self) -> None:
        """Let what is being read now fail at once."""
        self._thread.interrupt_now()

    def _begun(self, asked: float) -> RootTransaction:
        """A transaction. Everybody waits for a lock from when they asked, not from when the one before them gave up."""
        while True:
            try:
                return self._connection.begin()
            except sa.exc.OperationalError as error:
                if not sqlite.is_locked(error.orig) or self._patience is None or self._patience.is_over(asked):
                    raise

    async def close(self) -> None:
        """Close the connection when all work is done, and end the thread."""
        if self._connection.closed:
            return
        await self._thread.run(self._connection.close)
        await self._thread.close()

    def _open(self) -> sqlite3.Connection:
        self._connection = self._engine.connect()
        driver = cast(sqlite3.Connection, self._connection.connection.driver_connection)
        if self._patience:
            sqlite.give_up_soon(driver)
        return driver


class _Thread(aiosqlite.Connection):
    """aiosqlite's connection, of which we use the thread."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], iter_chunk_size: int) -> None:
        super().__init__(connector, iter_chunk_size)
        # A program that ends by an error does not wait for its database.
        self._thread.daemon = True

    async def run(self, work: Callable[[], T]) -> T:
        done: T = await self._execute(work)  # type: ignore[no-untyped-call]
        return done

    async def ended(self) -> None:
        """Wait for the thread where opening failed: its last word must not come when the loop is closed already."""
        await asyncio.to_thread(self._thread.join)

    def interrupt_now(self) -> None:
        self._conn.interrupt()
