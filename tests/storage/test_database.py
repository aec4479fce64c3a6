# ruff: noqa: ASYNC240  (nobody else waits while a test looks at a file)

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.errors import DatabaseDamaged, DatabaseMissing, SettingError, StorageError
from bot.storage import sqlite
from bot.storage.database import READERS, Database, open_database
from bot.storage.sole import only_bot
from bot.storage.state import SqlState

WRITE = sa.text("INSERT INTO state (key, value) VALUES (:key, :value)")
READ = sa.text("SELECT key FROM state ORDER BY key")


KILLED = """
import asyncio, os, signal, sys, sqlalchemy as sa
from bot.storage.database import open_database
def insert(connection: sa.Connection, key: str) -> None:
    connection.execute(sa.text("INSERT INTO state VALUES (:key, '')"), {"key": key})
async def main() -> None:
    database = await open_database(sys.argv[1])
    await database.write(insert, "kept")
    await database.write(lambda connection: (insert(connection, "lost"), os.kill(os.getpid(), signal.SIGKILL)))
asyncio.run(main())
"""


def take_away_writing(path: Path) -> None:
    path.chmod(0o500)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write everywhere")


def insert(connection: Connection, key: str, value: str = "") -> None:
    connection.execute(WRITE, {"key": key, "value": value})


def read(connection: Connection) -> list[str]:
    return list(connection.scalars(READ))


async def keys(database: Database) -> list[str]:
    return await database.read(read)


@dataclass
class Work:
    """Writes a row and reads all, and stays in the middle of its transaction until it may go on."""

    key: str | None = None
    inside: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, connection: Connection) -> list[list[str]]:
        if self.key is not None:
            insert(connection, self.key)
        before = read(connection)
        self.inside.set()
        assert self.go_on.wait(10)
        return [before, read(connection)]


async def test_every_connection_is_set_up_for_safe_and_parallel_work(database: Database) -> None:
    names = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")

    def pragmas(connection: Connection) -> list[object]:
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    # Who writes waits as long, but looks up in between.
    assert await database.write(pragmas) == ["wal", 1, 1, sqlite.LOOK_MS]
    for _ in range(READERS):
        assert await database.read(pragmas) == ["wal", 1, 1, 10_000]


async def test_a_transaction_is_stored_as_a_whole_or_not_at_all(database: Database) -> None:
    await database.write(insert, "kept")

    def fail(connection: Connection) -> None:
        insert(connection, "lost")
        connection.exec_driver_sql("CREATE TABLE lost (id INTEGER)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    assert await keys(database) == ["kept"]
    assert not await database.read(lambda connection: sa.inspect(connection).has_table("lost"))


async def test_a_reader_neither_waits_for_a_writer_nor_sees_half_of_its_work(database: Database) -> None:
    work = Work("new")
    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(work.inside.wait)
    assert await keys(database) == []
    work.go_on.set()
    await writing
    assert await keys(database) == ["new"]


async def test_a_reader_sees_one_moment_however_long_it_reads_and_holds_up_no_other(database: Database) -> None:
    work = Work()
    reading = asyncio.create_task(database.read(work))
    await asyncio.to_thread(work.inside.wait)
    await SqlState(database).set("new", "")
    assert await keys(database) == ["new"]
    work.go_on.set()
    assert await reading == [[], []]


async def test_writers_take_turns_so_that_no_update_is_lost(database: Database) -> None:
    def count_up(connection: Connection) -> None:
        value = connection.scalar(sa.text("SELECT value FROM state"))
        connection.execute(sa.text("UPDATE state SET value = :value"), {"value": str(int(value) + 1)})

    await SqlState(database).set("counter", "0")
    await asyncio.gather(*(database.write(count_up) for _ in range(20)))
    assert await SqlState(database).get("counter") == "20"


async def test_who_is_cancelled_while_writing_knows_that_it_has_come_to_its_end(database: Database) -> None:
    work = Work("whole")
    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(work.inside.wait)
    writing.cancel()
    await asyncio.wait({writing}, timeout=0.01)
    assert not writing.done()
    work.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await keys(database) == ["whole"]
    await SqlState(database).set("next", "")
    assert await keys(database) == ["next", "whole"]


async def test_who_is_cancelled_while_reading_does_not_wait_and_hinders_nobody(database: Database) -> None:
    works = [Work() for _ in range(READERS)]
    readings = [asyncio.create_task(database.read(work)) for work in works]
    for work, reading in zip(works, readings, strict=True):
        await asyncio.to_thread(work.inside.wait)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        work.go_on.set()
    assert [await keys(database) for _ in works] == [[]] * READERS


async def test_it_is_all_there_after_closing_and_opening_again(database: Database, url: str, file: Path) -> None:
    await SqlState(database).set("kept", "")
    await database.close()
    async with await open_database(url) as again:
        assert await keys(again) == ["kept"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


async def test_a_killed_process_loses_only_what_it_had_not_finished(database: Database, url: str) -> None:
    await database.close()
    root = Path(__file__).parents[2]
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, url], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    async with await open_database(url) as again:
        assert await keys(again) == ["kept"]
        assert await again.read(lambda connection: connection.scalar(sa.text("PRAGMA integrity_check"))) == "ok"


async def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "llampost.db"
    async with await open_database(f"sqlite+aiosqlite:///{file}"):
        assert file.is_file()


async def test_a_relative_file_is_relative_to_where_the_bot_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with await open_database("sqlite+aiosqlite:///data/llampost.db"):
        assert (tmp_path / "data" / "llampost.db").is_file()


async def test_a_look_at_a_database_that_does_not_exist_makes_none(url: str, file: Path) -> None:
    with pytest.raises(DatabaseMissing, match="DATABASE_URL does not exist yet"):
        await open_database(url, create=False)
    assert list(file.parent.iterdir()) == []


async def test_a_look_tells_a_folder_that_can_not_be_made(file: Path) -> None:
    file.write_text("in the way")
    with pytest.raises(StorageError, match="folder of the database file in DATABASE_URL can't be created") as caught:
        await open_database(f"sqlite+aiosqlite:///{file}/deeper/llampost.db", create=False)
    assert not isinstance(caught.value, DatabaseMissing)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "data/llampost.db",
        "sqlite:///llampost.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///file:llampost?mode=memory&uri=true",
        "sqlite+aiosqlite://bot:hunter2@db/llampost",
        "sqlite+aiosqlite:///llampost.db?timeout=soon",
        "mongodb://bot:hunter2@db/llampost",
        "postgresql://bot:hunter2@db/llampost",
        "postgresql+asyncpg://bot:hunter2@db:port/llampost",
        "postgresql+asyncpg://bot:hunt@er2:5@db/llampost",
        "postgresql+asyncpg://bot:hunter2@127.0.0.1:1/llampost",
    ],
)
async def test_a_wrong_address_is_one_sentence_without_its_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match="DATABASE_URL") as caught:
        await open_database(url)
    assert "hunt" not in "".join(traceback.format_exception(caught.value))


async def test_a_file_that_is_no_database_is_named_as_such(file: Path, url: str) -> None:
    file.write_bytes(b"Dear diary, this is not a database. " * 100)
    with pytest.raises(StorageError, match="DATABASE_URL names is not a database") as caught:
        await open_database(url)
    assert isinstance(caught.value.__cause__, sa.exc.DatabaseError)
    assert file.read_bytes().startswith(b"Dear diary")


async def test_a_folder_in_the_place_of_the_file_can_not_be_opened(file: Path, url: str) -> None:
    file.mkdir()
    with pytest.raises(StorageError, match="DATABASE_URL can't be opened"):
        await open_database(url)


async def test_a_folder_that_can_not_be_made_is_an_error(file: Path) -> None:
    file.write_text("a file, not a folder")
    with pytest.raises(StorageError, match="folder of the database file in DATABASE_URL can't be created"):
        await open_database(f"sqlite+aiosqlite:///{file}/llampost.db")


async def test_a_folder_that_is_not_writable_is_an_error(file: Path, url: str) -> None:
    take_away_writing(file.parent)
    with pytest.raises(StorageError, match="DATABASE_URL can't be opened"):
        await open_database(url)
    file.parent.chmod(0o700)


async def test_a_file_that_is_not_writable_is_an_error(database: Database, file: Path, url: str) -> None:
    await database.close()
    take_away_writing(file)
    with pytest.raises(StorageError, match="DATABASE_URL can't be opened"):
        await open_database(url)


async def test_a_database_locked_by_another_program_is_an_error(database: Database, url: str) -> None:
    work = Work("held")
    async with await open_database(f"{url}?timeout=0") as other:
        writing = asyncio.create_task(database.write(work))
        await asyncio.to_thread(work.inside.wait)
        with pytest.raises(StorageError, match="DATABASE_URL is locked"):
            await other.ping()
        work.go_on.set()
        await writing
        await other.ping()


async def test_a_full_disk_is_an_error_and_leaves_the_database_as_it_was(database: Database) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        insert(connection, "big", "x" * 1_000_000)

    with pytest.raises(StorageError, match="DATABASE_URL is full"):
        await database.write(fill)
    assert await keys(database) == []


@pytest.mark.parametrize("code", sqlite._SENTENCES)
def test_every_trouble_with_the_file_has_a_sentence(code: int) -> None:
    error = sqlite3.OperationalError("the library's own text")
    error.sqlite_errorcode = code | 7 << 8  # an extended code of the same kind
    assert "DATABASE_URL" in str(sqlite.known(error))


async def test_a_mistake_in_our_sql_is_not_hidden_and_does_not_show_what_people_said(database: Database) -> None:
    said = {"text": "my " + "secret"}
    with pytest.raises(sa.exc.OperationalError) as caught:
        await database.write(lambda connection: connection.execute(sa.text("INSERT INTO nowhere VALUES (:text)"), said))
    assert said["text"] not in "".join(traceback.format_exception(caught.value))


async def test_ping_leaves_no_trace(database: Database, file: Path) -> None:
    await SqlState(database).set("kept", "")
    log = file.with_name(f"{file.name}-wal")
    before = file.read_bytes(), log.read_bytes()
    await database.ping()
    assert (file.read_bytes(), log.read_bytes()) == before
    assert await keys(database) == ["kept"]


async def test_who_writes_waits_for_a_lock_from_when_they_asked_not_from_when_the_one_before_gave_up(
    database: Database, url: str, file: Path
) -> None:
    async with await open_database(f"{url}?timeout=0.5") as waiting:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            ends = await asyncio.gather(*(waiting.ping() for _ in range(10)), return_exceptions=True)
            lasted = time.monotonic() - begun

    assert {str(end) for end in ends} == {sqlite._SENTENCES[sqlite3.SQLITE_BUSY]}
    assert 0.5 <= lasted < 3  # each looks once at least


async def test_a_database_in_a_hurry_waits_for_no_lock_but_is_still_written_to(database: Database, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database.hurry(0)
        begun = time.monotonic()
        with pytest.raises(StorageError, match="is locked"):
            await database.ping()
        assert time.monotonic() - begun < 5
    await database.write(insert, "kept")
    assert await keys(database) == ["kept"]


async def test_a_sound_database_passes_the_check_and_a_damaged_one_does_not(
    database: Database, url: str, file: Path
) -> None:
    await database.check()
    await database.close()
    with file.open("r+b") as raw:
        raw.seek(4096 * 3)
        raw.write(b"\xa5" * 4096)

    async with await open_database(url) as damaged:
        with pytest.raises(DatabaseDamaged, match="DATABASE_URL is damaged"):
            await damaged.check()


async def test_a_check_that_nobody_waits_for_any_more_ends_at_once(database: Database) -> None:
    def fill(connection: Connection) -> None:
        rows = [{"key": str(number), "value": "x" * 1_000} for number in range(50_000)]
        connection.execute(WRITE, rows)

    await database.write(fill)
    checking = asyncio.create_task(database.check())
    await asyncio.wait({checking}, timeout=0.01)
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    await database.write(insert, "kept")


def test_one_bot_at_a_time_has_a_database_and_the_next_one_may_have_it_after_that(file: Path) -> None:
    with only_bot(file):
        with pytest.raises(StorageError, match="Another bot runs on the database in DATABASE_URL"), only_bot(file):
            pass
        with only_bot(file.with_name("other.db")):
            pass
    with only_bot(file):
        pass


def test_where_no_lock_can_be_had_the_bot_runs_without_it(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with only_bot(file.parent / "gone" / file.name):
        assert "can't be found out" in caplog.text
