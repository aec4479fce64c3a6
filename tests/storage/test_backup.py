# ruff: noqa: ASYNC240  (nobody else waits while a test looks at a file)

import asyncio
import resource
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.errors import BadInput, DatabaseMissing, StorageError
from bot.storage.backup import PAGES_AT_ONCE, Backup, back_up
from bot.storage.database import Database, open_database
from bot.storage.migrations import SchemaState, migrate, schema_state
from bot.storage.state import SqlState

from . import story

SCHEMAS = sorted(Path(__file__).with_name("schemas").glob("*.sql"))
PAGE = 4_096


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the copy goes: a folder of its own, with a name that an address would have to quote."""
    folder = tmp_path / "100% safe? #1"
    folder.mkdir()
    return folder / "the copy.db"


def address(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def lines(file: Path) -> list[str]:
    """Every table and row, without changing the file."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def quietly(_words: str) -> None:
    """Nobody reads what is being done."""


@dataclass
class Slow:
    """Reads what is being done, and holds it up from the first word that begins so until it may go on."""

    at: str
    heard: list[str] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, words: str) -> None:
        self.heard.append(words)
        if words.startswith(self.at):
            self.reached.set()
            assert self.go_on.wait(10)


async def fill(database: Database, *, pages: int) -> None:
    await SqlState(database).set("large", "x" * pages * PAGE)


async def test_a_copy_holds_all_that_is_remembered_and_stands_there_alone(
    database: Database, url: str, file: Path, copy: Path
) -> None:
    await story.happen(database)
    assert file.with_name(f"{file.name}-wal").stat().st_size > 0

    made = await back_up(url, copy, quietly)

    assert made == Backup(size=copy.stat().st_size, conversations=1, messages=8)
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert copy.stat().st_mode & 0o777 == 0o600
    restored_file = file.with_name("restored.db")
    shutil.copy(copy, restored_file)
    async with await open_database(address(restored_file)) as restored:
        assert await story.remembered(restored) == await story.remembered(database)


async def test_people_go_on_writing_while_one_moment_is_copied(database: Database, url: str, copy: Path) -> None:
    await fill(database, pages=3 * PAGES_AT_ONCE)
    slow = Slow("Copying")
    copying = asyncio.create_task(back_up(url, copy, slow))
    await asyncio.to_thread(slow.reached.wait)

    await SqlState(database).set("late", "not in the copy")
    slow.go_on.set()
    await copying

    assert "'late'" not in "".join(lines(copy))
    shares = [int(words.rpartition(" ")[2].rstrip("%")) for words in slow.heard if words.startswith("Copying")]
    assert len(shares) > 3
    assert shares == sorted(shares), "it did not begin anew"
    assert (shares[-1], slow.heard[0], slow.heard[-1]) == (100, "Opening the database", "Checking the copy")


async def test_who_is_just_writing_does_not_hold_a_copy_up(database: Database, file: Path, copy: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO state VALUES ('half', '')")

        await back_up(f"{address(file)}?timeout=0", copy, quietly)

    assert "'half'" not in "".join(lines(copy))


async def test_a_copy_that_nobody_waits_for_any_more_is_ended_and_leaves_nothing(
    database: Database, url: str, copy: Path
) -> None:
    await fill(database, pages=3 * PAGES_AT_ONCE)
    slow = Slow("Copying")
    copying = asyncio.create_task(back_up(url, copy, slow))
    await asyncio.to_thread(slow.reached.wait)

    copying.cancel()
    slow.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await copying

    assert sum(words.startswith("Copying") for words in slow.heard) == 1
    assert list(copy.parent.iterdir()) == []


def a_file(copy: Path) -> Path:
    copy.write_text("precious")
    return copy


def a_link_to_nothing(copy: Path) -> Path:
    copy.symlink_to("nowhere")
    return copy


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (a_file, "the copy.db exists already and was left as it is"),
        (a_link_to_nothing, "the copy.db exists already and was left as it is"),
        (lambda copy: copy.parent, "is a folder; name a file in it"),
        (lambda copy: copy.parent / "new" / "copy.db", "new does not exist; make it first"),
        (lambda _: Path(), "is a folder; name a file in it"),
    ],
)
async def test_a_name_that_can_not_be_given_is_a_sentence_and_changes_nothing(
    database: Database, url: str, copy: Path, name: Callable[[Path], Path], sentence: str
) -> None:
    named = name(copy)
    before = sorted(copy.parent.iterdir())

    with pytest.raises(BadInput, match=sentence):
        await back_up(url, named, quietly)

    assert sorted(copy.parent.iterdir()) == before
    assert not copy.is_file() or copy.read_text() == "precious"


async def test_a_file_that_appears_meanwhile_is_not_overwritten(database: Database, url: str, copy: Path) -> None:
    def report(words: str) -> None:
        if words.startswith("Checking"):
            copy.write_text("precious")

    with pytest.raises(BadInput, match="exists already"):
        await back_up(url, copy, report)

    assert (list(copy.parent.iterdir()), copy.read_text()) == ([copy], "precious")


async def test_without_a_database_there_is_nothing_to_copy(url: str, file: Path, copy: Path) -> None:
    with pytest.raises(DatabaseMissing, match="does not exist yet"):
        await back_up(url, copy, quietly)
    file.touch()
    with pytest.raises(StorageError, match="still blank, so there is nothing to back up"):
        await back_up(url, copy, quietly)
    assert list(copy.parent.iterdir()) == []


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda file: file.stem)
async def test_a_database_of_an_older_version_is_copied_as_it_is(
    schema: Path, url: str, file: Path, copy: Path
) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(schema.read_text())

    made = await back_up(url, copy, quietly)

    assert (made.conversations, made.messages) == (1, 8)
    assert lines(copy) == lines(file)
    async with await open_database(url) as untouched:
        assert (await schema_state(untouched)).current == schema.stem


async def test_a_database_of_a_newer_version_is_refused(database: Database, url: str, file: Path, copy: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StorageError, match="written by a newer version"):
        await back_up(url, copy, quietly)

    assert list(copy.parent.iterdir()) == []


def scribble(file: Path, table: str) -> None:
    """Spoil the first page of a table or an index, behind SQLite's back."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table])
    with file.open("r+b") as pages:
        pages.seek((page - 1) * PAGE + 100)
        pages.write(b"\xff" * (PAGE - 100))


@pytest.mark.parametrize("table", ["messages", "ix_messages_author_id", "alembic_version"])
async def test_a_damaged_database_is_told_and_not_copied(
    database: Database, url: str, file: Path, copy: Path, table: str
) -> None:
    await story.happen(database)
    await database.close()
    scribble(file, table)

    with pytest.raises(StorageError, match="DATABASE_URL is damaged"):
        await back_up(url, copy, quietly)

    assert list(copy.parent.iterdir()) == []


async def test_an_index_that_disagrees_with_its_table_is_damage_too(
    database: Database, url: str, file: Path, copy: Path
) -> None:
    await story.happen(database)
    await database.close()
    with closing(sqlite3.connect(file)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_messages_author_id'")
    spoilt = bytearray(file.read_bytes())
    index = slice((page - 1) * PAGE, page * PAGE)
    spoilt[index] = spoilt[index].replace(story.ANNA.id.to_bytes(8, "big"), (story.ANNA.id - 1).to_bytes(8, "big"))
    file.write_bytes(spoilt)

    with pytest.raises(StorageError, match="DATABASE_URL is damaged"):
        await back_up(url, copy, quietly)


async def test_a_file_that_is_no_database_is_told(url: str, file: Path, copy: Path) -> None:
    file.write_text("Dear diary. " * 1_000)
    with pytest.raises(StorageError, match="DATABASE_URL names is not a database"):
        await back_up(url, copy, quietly)


async def test_a_database_that_another_program_keeps_for_itself_is_told(
    database: Database, url: str, file: Path, copy: Path
) -> None:
    await database.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StorageError, match="DATABASE_URL is locked by another program"):
            await back_up(f"{url}?timeout=0", copy, quietly)

    assert list(copy.parent.iterdir()) == []


@pytest.fixture
def room_for_a_megabyte() -> Iterator[None]:
    """To SQLite the same as a disk that takes no more: a write that fails in the middle of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_told_and_half_a_copy_removed(
    database: Database, url: str, copy: Path, request: pytest.FixtureRequest
) -> None:
    await fill(database, pages=PAGES_AT_ONCE)
    request.getfixturevalue("room_for_a_megabyte")

    with pytest.raises(StorageError, match=r"backup can't be written into .*safe.*; make room there"):
        await back_up(url, copy, quietly)

    assert list(copy.parent.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder here is closed to every user")
async def test_a_folder_that_is_not_writable_is_told(database: Database, url: str) -> None:
    with pytest.raises(StorageError, match=r"can't be written into /proc; .* let this user write there\."):
        await back_up(url, Path("/proc/copy.db"), quietly)


async def test_a_database_in_a_folder_with_spaces_is_copied(tmp_path: Path, copy: Path) -> None:
    folder = tmp_path / "my own data"
    async with await open_database(address(folder / "the bot.db")) as database:
        await migrate(database)
        newest = (await schema_state(database)).newest

    assert (await back_up(address(folder / "the bot.db"), copy, quietly)).messages == 0

    shutil.copy(copy, folder / "copied.db")
    async with await open_database(address(folder / "copied.db")) as copied:
        assert await schema_state(copied) == SchemaState(newest, newest)
