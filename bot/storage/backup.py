"""A copy of the database while the bot goes on writing: whole, checked, and only then under its name.

SQLite's backup API copies page by page; unlike VACUUM INTO it can tell how far it is, and be stopped. It runs in one
read transaction: with WAL no writer waits for that, and what is written meanwhile does not get into the copy. Without
the transaction it would begin anew after each change, since the bot is another process, and not end while people ask.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import URL

from bot.errors import BadInput, StorageError
from bot.storage import sqlite
from bot.storage.database import open_database
from bot.storage.migrations import schema_state
from bot.storage.schema import conversations, messages

__all__ = ["Backup", "Report", "back_up"]

Report = Callable[[str], None]
"""Called with what is being done now, in a few words; also from other threads."""

PAGES_AT_ONCE = 2_048
"""8 MiB: some hundredths of a second between two reports."""

_READING = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}

_DAMAGED = "The database in DATABASE_URL is damaged, so no backup was made; put the newest sound backup in its place."
_BLANK = "The database in DATABASE_URL is still blank, so there is nothing to back up; the first start fills it."


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy."""

    size: int
    """Bytes."""
    conversations: int
    messages: int


async def back_up(url: str, file: Path, report: Report) -> Backup:
    """Copy the database as it is now to a file that does not exist yet; only its owner may read the copy.

    Raises BadInput where the file can't have this name, and StorageError where the database can't be read, is blank or
    damaged, or the copy can't be written. Nothing of the copy is left then, nor where the caller is cancelled.
    """
    _check_name(file)
    with _translated(file), tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as folder:
        part = Path(folder, "part.db")
        await _copy(url, part, report)
        report("Checking the copy")
        conversation_count, message_count = await _examine(part)
        return Backup(_give_name(part, file), conversation_count, message_count)


def _check_name(file: Path) -> None:
    if file.is_dir():
        raise BadInput(f"{file} is a folder; name a file in it that does not exist yet.")
    if os.path.lexists(file):
        raise BadInput(f"{file} exists already and was left as it is; name a file that does not exist yet.")
    if not file.parent.is_dir():
        raise BadInput(f"The folder {file.parent} does not exist; make it first, or name another one.")


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """Turn what can go wrong with the copy, or with reading the pages for it, into StorageError."""
    unwritable = f"The backup can't be written into {file.parent}; make room there, and let this user write there."
    try:
        yield
    except sqlite3.Error as error:
        about_the_database = sqlite.known(error)
        if about_the_database is None:
            raise
        # Of the database pages are only read, so all other trouble is the copy's.
        is_reading = error.sqlite_errorcode in _READING
        raise (about_the_database if is_reading else StorageError(unwritable)) from error
    except OSError as error:
        raise StorageError(unwritable) from error


class _Stopped(Exception):
    """Nobody waits for the copy any more."""


async def _copy(url: str, part: Path, report: Report) -> None:
    stopping = threading.Event()

    def progress(_status: int, remaining: int, total: int) -> None:
        if stopping.is_set():
            raise _Stopped
        # SQLite knows of no pages yet where the very first ones can't be written.
        report(f"Copying the database: {(total - remaining) / max(total, 1):.0%}")

    report("Opening the database")
    async with await open_database(url, create=False) as database:
        try:
            await database.read(_copy_pages, part, progress)
        finally:
            # Who is cancelled does not wait for the thread; closing the database does.
            stopping.set()


def _copy_pages(connection: Connection, part: Path, progress: Callable[[int, int, int], None]) -> None:
    # A transaction, and with it the moment that is copied, begins with the first look.
    connection.exec_driver_sql("SELECT 1 FROM sqlite_master")
    source = cast(sqlite3.Connection, connection.connection.driver_connection)
    part.touch(mode=0o600)
    with closing(sqlite3.connect(part)) as target:
        source.backup(target, pages=PAGES_AT_ONCE, progress=progress)


async def _examine(part: Path) -> tuple[int, int]:
    """How many conversations and messages the copy has; it is opened as the bot will where it is put back."""
    url = URL.create(sqlite.DRIVER, database=str(part))
    async with await open_database(url.render_as_string(), create=False) as copy:
        # First of all: a damaged table can look like an empty one, and with it the database like a blank one.
        await copy.read(_refuse_damage)
        if (await schema_state(copy)).current is None:
            raise StorageError(_BLANK)
        return await copy.read(_count)


def _refuse_damage(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() != ["ok"]:
        raise StorageError(_DAMAGED)


def _count(connection: Connection) -> tuple[int, int]:
    counts = (select(func.count()).select_from(table) for table in (conversations, messages))
    first, second = (connection.execute(count).scalar_one() for count in counts)
    return first, second


def _give_name(part: Path, file: Path) -> int:
    """Put the copy under its name, for certain also where the power goes the next moment; returns its size in bytes."""
    _flush(part)
    _check_name(file)
    part.rename(file)
    _flush(file.parent)
    return file.stat().st_size


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
