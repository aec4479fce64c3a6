# ruff: noqa: ASYNC240  (nobody else waits while a test looks at a file)

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import DatabaseMissing, SettingError, StorageError
from bot.storage import sqlite
from bot.storage.database import Database, open_database
from bot.storage.state import SqlState

WRITE = sa.text("INSERT INTO state (key, value) VALUES (:key, :value)")
READ = sa.text("SELECT key FROM state ORDER BY key")


KILLED = """
import asyncio, os, signal, sys, sqlalchemy as sa
from bot.storage.database import open_database
async def main() -> None:
    database = await open_database(sys.argv[1])
    async with database.transaction() as connection:
        await connection.execute(sa.text("INSERT INTO state VALUES ('kept', '')"))
    async with database.transaction() as connection:
        await connection.execute(sa.text("INSERT INTO state VALUES ('lost', '')"))
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


def take_away_writing(path: Path) -> None:
    path.chmod(0o500)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write everywhere")


async def write(connection: AsyncConnection, key: str, value: str = "") -> None:
    await connection.execute(WRITE, {"key": key, "value": value})


async def keys(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.scalars(READ)).all())


async def test_every_connection_is_set_up_for_safe_and_parallel_work(database: Database) -> None:
    async with database.reading() as first, database.transaction() as second:
        for connection in (first, second):
            pragmas = [
                (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
            ]
            assert pragmas == ["wal", 1, 1, 10_000]


async def test_a_transaction_is_stored_as_a_whole_or_not_at_all(database: Database) -> None:
    async with database.transaction() as connection:
        await write(connection, "kept")

    async def fail() -> None:
        async with database.transaction() as connection:
            await write(connection, "lost")
            await connection.exec_driver_sql("CREATE TABLE lost (id INTEGER)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await keys(database) == ["kept"]
    async with database.reading() as connection:
        assert not await connection.run_sync(lambda sync: sa.inspect(sync).has_table("lost"))


async def test_a_reader_neither_waits_for_a_writer_nor_sees_half_of_its_work(database: Database) -> None:
    async with database.transaction() as connection:
        await write(connection, "new")
        assert await keys(database) == []
    assert await keys(database) == ["new"]


async def test_a_reader_sees_one_moment_however_long_it_reads(database: Database) -> None:
    async with database.reading() as reader:
        assert (await reader.scalars(READ)).all() == []
        await SqlState(database).set("new", "")
        assert (await reader.scalars(READ)).all() == []


async def test_writers_take_turns_so_that_no_update_is_lost(database: Database) -> None:
    state = sa.text("UPDATE state SET value = :value")

    async def count_up() -> None:
        async with database.transaction() as connection:
            value = await connection.scalar(sa.text("SELECT value FROM state"))
            await connection.execute(state, {"value": str(int(value) + 1)})

    await SqlState(database).set("counter", "0")
    await asyncio.gather(*(count_up() for _ in range(20)))
    assert await SqlState(database).get("counter") == "20"


async def test_a_cancelled_transaction_leaves_nothing_and_lets_the_next_one_in(database: Database) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.transaction() as connection:
            await write(connection, "lost")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await SqlState(database).set("kept", "")
    assert await keys(database) == ["kept"]


async def test_a_statement_cancelled_on_its_way_leaves_the_database_usable(database: Database) -> None:
    inside = asyncio.Event()

    async def many() -> None:
        async with database.transaction() as connection:
            for number in range(10_000):
                inside.set()
                await write(connection, str(number))

    task = asyncio.create_task(many())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await SqlState(database).set("kept", "")
    assert await keys(database) == ["kept"]


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
        async with again.reading() as connection:
            assert await connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"


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
    async with database.transaction(), await open_database(f"{url}?timeout=0") as other:
        with pytest.raises(StorageError, match="DATABASE_URL is locked"):
            await other.ping()
    await database.ping()


async def test_a_full_disk_is_an_error_and_leaves_the_database_as_it_was(database: Database) -> None:
    async def fill() -> None:
        async with database.transaction() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1")
            await write(connection, "big", "x" * 1_000_000)

    with pytest.raises(StorageError, match="DATABASE_URL is full"):
        await fill()
    assert await keys(database) == []


async def test_a_closed_pool_of_readers_is_an_error_in_our_words(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database._engine.sync_engine.pool, "_timeout", 0)
    readers = [database.reading() for _ in range(15)]
    for reader in readers:
        await reader.__aenter__()
    with pytest.raises(StorageError, match="DATABASE_URL does not answer"):
        await keys(database)
    for reader in readers:
        await reader.__aexit__(None, None, None)


@pytest.mark.parametrize("code", sqlite._SENTENCES)
def test_every_trouble_with_the_file_has_a_sentence(code: int) -> None:
    error = sqlite3.OperationalError("the library's own text")
    error.sqlite_errorcode = code | 7 << 8  # an extended code of the same kind
    sentence = sqlite.sentence(error)
    assert sentence is not None
    assert "DATABASE_URL" in sentence


async def test_a_mistake_in_our_sql_is_not_hidden_and_does_not_show_what_people_said(database: Database) -> None:
    said = {"text": "my " + "secret"}
    with pytest.raises(sa.exc.OperationalError) as caught:
        async with database.transaction() as connection:
            await connection.execute(sa.text("INSERT INTO nowhere VALUES (:text)"), said)
    assert said["text"] not in "".join(traceback.format_exception(caught.value))


async def test_ping_leaves_no_trace(database: Database, file: Path) -> None:
    await SqlState(database).set("kept", "")
    log = file.with_name(f"{file.name}-wal")
    before = file.read_bytes(), log.read_bytes()
    await database.ping()
    assert (file.read_bytes(), log.read_bytes()) == before
    assert await keys(database) == ["kept"]
