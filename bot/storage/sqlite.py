"""Everything that is true of SQLite alone: its file, its pragmas, its transactions, its error codes.

The only SQL of ours that another database would not understand is in this module and in `backup`.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import DatabaseDamaged, DatabaseMissing, SettingError, StorageError

DRIVER = "sqlite+aiosqlite"
"""How an address of such a database begins."""

BEGIN = "llampost_begin"
"""Execution option: the statement(s) that begin a transaction, instead of a plain BEGIN."""
WRITING = {BEGIN: ("BEGIN IMMEDIATE",)}
"""Takes the write lock at once: a reader that becomes a writer later may be refused without any waiting."""
REBUILDING = {BEGIN: ("PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE")}
"""As SQLite's manual wants it for changes of the schema: else dropping a table deletes what refers to it."""
OUTSIDE: dict[str, tuple[str, ...]] = {BEGIN: ()}
"""No transaction at all."""

LOCK_SECONDS = "10"
LOOK_MS = 100
"""Milliseconds between two looks of a writer whether it is to wait for a lock any longer."""
READERS_MS = 200
"""Milliseconds for which emptying the log waits for readers, and everybody who writes waits with it."""

_SENTENCES = {
    sqlite3.SQLITE_BUSY: "The database in DATABASE_URL is locked by another program; try again in a moment.",
    sqlite3.SQLITE_LOCKED: "The database in DATABASE_URL is locked by another program; try again in a moment.",
    sqlite3.SQLITE_FULL: "The disk that holds the database in DATABASE_URL is full; make room on it.",
    sqlite3.SQLITE_IOERR: "The disk that holds the database in DATABASE_URL reports an error; check it.",
    sqlite3.SQLITE_NOTADB: "The file that DATABASE_URL names is not a database; name another file, or move it away.",
    sqlite3.SQLITE_CORRUPT: "The database in DATABASE_URL is damaged; put the newest backup in its place.",
    sqlite3.SQLITE_CANTOPEN: (
        "The database file in DATABASE_URL can't be opened; check that the bot may write to it and to its folder."
    ),
    sqlite3.SQLITE_READONLY: "The database file in DATABASE_URL is read-only; let the bot write to it and its folder.",
    sqlite3.SQLITE_PERM: "The database file in DATABASE_URL is read-only; let the bot write to it and its folder.",
}
_NO_FOLDER = (
    "The folder of the database file in DATABASE_URL can't be created; name another one, or let the bot write there."
)
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY_CODE = 0xFF
"""The low byte of an extended error code."""


def with_file(url: URL, *, create: bool) -> URL:
    """The URL, its file's folder made, or StorageError where it names no file that we could use."""
    name = url.database
    if url.host or not name or name.startswith((":memory:", "file:")):
        raise SettingError("DATABASE_URL must name a database file, such as sqlite+aiosqlite:///data/llampost.db.")
    file = Path(name)
    if not create and not file.exists():
        there = next(folder for folder in file.absolute().parents if folder.exists())
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            raise StorageError(_NO_FOLDER)
        raise DatabaseMissing("The database in DATABASE_URL does not exist yet; the first start makes it.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(_NO_FOLDER) from error
    if not _is_writable(file):
        raise StorageError(_SENTENCES[sqlite3.SQLITE_CANTOPEN])
    return url if "timeout" in url.query else url.update_query_dict({"timeout": LOCK_SECONDS})


def lock_seconds(url: URL) -> float:
    """For how long to wait until another program gives the database free."""
    return float(str(url.query["timeout"]))


def _is_writable(file: Path) -> bool:
    """Whether SQLite could open the file and put its log beside it.

    Asked beforehand because SQLite also opens what it may only read, and then fails at the first change.
    Asked without opening, because closing the file would end the locks that other connections of ours have on it.
    """
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return False
    return not file.exists() or (file.is_file() and os.access(file, os.R_OK | os.W_OK))


def take_over_transactions(engine: Engine) -> None:
    """Set every new connection up, and begin transactions ourselves.

    Python's driver would begin one only at the first INSERT or the like, so that reads would not be repeatable and
    changes of the schema would not be undone.
    """

    def connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        try:
            connection.isolation_level = None
            cursor = connection.cursor()
            for pragma in (
                "journal_mode = WAL",
                "synchronous = NORMAL",
                "foreign_keys = ON",
                "secure_delete = ON",  # the default on Debian, but not everywhere
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
        except BaseException:
            connection.close()  # not yet the pool's, which would do it
            raise

    def begin(connection: Connection) -> None:
        for statement in connection.get_execution_options().get(BEGIN, ("BEGIN",)):
            connection.exec_driver_sql(statement)

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", begin)


def give_up_soon(connection: sqlite3.Connection) -> None:
    """Let whoever writes with this connection decide how long to wait for a lock."""
    connection.execute(f"PRAGMA busy_timeout = {LOOK_MS}").close()


def check_references(connection: Connection) -> None:
    """Raise where a row refers to one that is not there: REBUILDING leaves that unchecked."""
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise StorageError("The new form of the database would lose data, so it was left as it was; report this.")


def refuse_damage(connection: Connection) -> None:
    """Raise DatabaseDamaged where the file is not in order.

    Not whether each index has what its table has, which takes several times as long, and can be mended.
    """
    if connection.exec_driver_sql("PRAGMA quick_check(1)").scalars().all() != ["ok"]:
        raise DatabaseDamaged(_SENTENCES[sqlite3.SQLITE_CORRUPT])


def empty_log(connection: Connection) -> bool:
    """Write the log into the database and leave nothing in it; False while somebody still reads from it.

    Only OUTSIDE of a transaction. What was deleted is overwritten in the database itself (`secure_delete`).
    """
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {READERS_MS}")
    is_busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not is_busy


def known(error: sqlite3.Error) -> StorageError | None:
    """What the error means for people; None where it is a mistake in our SQL."""
    code = _primary_code(error)
    if code not in _SENTENCES:
        return None
    return (DatabaseDamaged if code in _DAMAGE else StorageError)(_SENTENCES[code])


def is_locked(error: BaseException | None) -> bool:
    """Whether another program has what we want."""
    return isinstance(error, sqlite3.Error) and _primary_code(error) == sqlite3.SQLITE_BUSY


def _primary_code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & _PRIMARY_CODE
