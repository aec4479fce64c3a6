# ruff: noqa: ASYNC240  (nobody else waits while a test looks at a file)

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bot.chat.messages import Place
from bot.errors import StorageError
from bot.storage.database import Database, open_database
from bot.storage.migrations import MIGRATIONS, MigrationResult, SchemaState, migrate, schema_state
from bot.storage.open_answers import SqlOpenAnswers
from bot.storage.schema import metadata

from . import story

Plant = Callable[[str], Path]

SCHEMAS = sorted(Path(__file__).with_name("schemas").glob("*.sql"))
NEWEST = SCHEMAS[-1].stem

HEADER = """
import sqlalchemy as sa
from alembic import op
revision = "next"
down_revision = "{newest}"

def upgrade() -> None:
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Plant:
    """Plants a revision after the newest one; returns the folder of all of them."""

    def plant(upgrade: str) -> Path:
        folder = tmp_path / "migrations"
        shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        body = "".join(f"    {line}\n" for line in upgrade.splitlines())
        (folder / "versions" / "next.py").write_text(HEADER.format(newest=NEWEST) + body)
        return folder

    return plant


async def dump(database: Database) -> list[str]:
    """Every table and row, as another program sees them."""

    def read() -> list[str]:
        connection = sqlite3.connect(str(database._engine.url.database))
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    return await asyncio.to_thread(read)


async def test_a_blank_database_becomes_the_newest(url: str) -> None:
    async with await open_database(url) as database:
        assert await schema_state(database) == SchemaState(None, NEWEST)
        assert not (await schema_state(database)).is_newest
        assert await migrate(database) == MigrationResult(None, NEWEST)
        assert (await schema_state(database)).is_newest


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = await dump(database)
    assert await migrate(database) == MigrationResult(NEWEST, NEWEST)
    assert await dump(database) == before


async def test_it_does_not_matter_where_the_bot_is_started(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with await open_database(url) as database:
        assert (await migrate(database)).new == NEWEST


def test_every_released_schema_is_kept() -> None:
    revisions = {file.name.split("_")[0] for file in (MIGRATIONS / "versions").glob("*.py")}
    assert {file.stem for file in SCHEMAS} == revisions


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda file: file.stem)
async def test_every_released_schema_becomes_the_newest_with_all_its_data(
    schema: Path, file: Path, url: str, database: Database, tmp_path: Path
) -> None:
    await story.happen(database)
    expected = await story.remembered(database)
    await database.close()
    file.unlink()
    connection = sqlite3.connect(file)
    connection.executescript(schema.read_text())
    connection.close()
    async with await open_database(url) as old:
        assert await migrate(old) == MigrationResult(schema.stem, NEWEST)
        assert await story.remembered(old) == expected


async def test_what_an_older_version_left_open_is_still_found(file: Path, url: str, database: Database) -> None:
    await database.close()
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((SCHEMAS[0].parent / "0003.sql").read_text())
        [(shown, answer)] = connection.execute("SELECT discord_id, message_id FROM discord_messages LIMIT 1")
        connection.execute("INSERT INTO open_messages VALUES (?, 10, 7, 9), (5, 20, NULL, NULL)", (shown,))
        connection.commit()

    async with await open_database(url) as old:
        await migrate(old)
        left = await SqlOpenAnswers(old).all()

    assert [(one.discord_id, one.place, one.answer_id) for one in left] == [
        (5, Place(20), None),
        (shown, Place(10, 7, 9), answer),
    ]
    assert not any(one.is_waiting or one.may_be_asked for one in left)
    assert all(datetime.now(UTC) - one.opened_at < timedelta(minutes=5) for one in left)


async def test_the_migrated_schema_is_the_one_that_the_queries_are_built_from(database: Database) -> None:
    def difference(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))

    assert await database.read(difference) == []


async def test_names_and_small_print_agree_too(database: Database, tmp_path: Path) -> None:
    """What Alembic's comparison leaves out: names of keys, what a delete takes along, conditions of indexes."""

    def details(connection: sa.Connection) -> dict[str, object]:
        look = sa.inspect(connection)
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE name != 'alembic_version'")
        sql = {row.name: row.sql or "" for row in rows}
        return {
            table.name: [
                look.get_pk_constraint(table.name),
                sorted(map(repr, look.get_foreign_keys(table.name))),
                sorted(map(repr, look.get_unique_constraints(table.name))),
                sorted(sql[index["name"]] for index in look.get_indexes(table.name) if index["name"]),
                [(column["name"], column["nullable"]) for column in look.get_columns(table.name)],
                "AUTOINCREMENT" in sql[table.name],
            ]
            for table in metadata.sorted_tables
        }

    async with await open_database(f"sqlite+aiosqlite:///{tmp_path / 'models.db'}") as models:
        await models.write(metadata.create_all)
        assert await database.read(details) == await models.read(details)


@pytest.mark.parametrize(
    ("last", "error"), [("op.execute('nonsense')", StorageError), ("raise ValueError('broken')", ValueError)]
)
async def test_a_broken_migration_leaves_no_trace(
    database: Database, next_version: Plant, last: str, error: type[Exception]
) -> None:
    await story.happen(database)
    before = await dump(database)
    steps = [
        "op.create_table('extra', sa.Column('id', sa.Integer))",
        "op.add_column('messages', sa.Column('extra', sa.Text))",
        "op.execute('DELETE FROM receipts')",
        last,
    ]
    folder = next_version("\n".join(steps))
    with pytest.raises(error):
        await migrate(database, folder)
    assert await dump(database) == before
    assert await migrate(database) == MigrationResult(NEWEST, NEWEST)


async def test_a_broken_first_migration_leaves_the_file_blank(url: str, next_version: Plant) -> None:
    folder = next_version("op.execute('nonsense')")
    async with await open_database(url) as database:
        with pytest.raises(StorageError, match="DATABASE_URL could not be brought"):
            await migrate(database, folder)
        assert await dump(database) == ["BEGIN TRANSACTION;", "COMMIT;"]


async def test_a_migration_that_would_lose_what_others_refer_to_is_undone(
    database: Database, next_version: Plant
) -> None:
    await story.happen(database)
    before = await dump(database)
    with pytest.raises(StorageError, match="would lose data"):
        await migrate(database, next_version("op.execute('DELETE FROM messages WHERE id = 1')"))
    assert await dump(database) == before


async def test_a_table_can_be_rebuilt_without_losing_what_refers_to_it(database: Database, next_version: Plant) -> None:
    """SQLite deletes every receipt with the old table where foreign keys are on."""
    await story.happen(database)
    folder = next_version(
        "with op.batch_alter_table('messages', recreate='always') as batch:\n"
        "    batch.alter_column('content', new_column_name='content', nullable=True)"
    )
    assert await migrate(database, folder) == MigrationResult(NEWEST, "next")
    queries = [sa.text("SELECT count(*) FROM receipts"), sa.text("PRAGMA foreign_keys")]
    found = await database.write(lambda connection: [connection.scalar(query) for query in queries])
    assert found == [3, 1]


async def test_a_database_newer_than_the_code_is_refused(database: Database, next_version: Plant) -> None:
    await migrate(database, next_version("op.create_table('extra', sa.Column('id', sa.Integer))"))
    before = await dump(database)
    with pytest.raises(StorageError, match="DATABASE_URL was written by a newer version"):
        await migrate(database)
    with pytest.raises(StorageError, match="DATABASE_URL was written by a newer version"):
        await schema_state(database)
    assert await dump(database) == before


async def test_two_bots_that_start_at_once_migrate_once(url: str) -> None:
    async with await open_database(url) as one, await open_database(url) as other:
        results = await asyncio.gather(migrate(one), migrate(other))
    assert sorted(results, key=lambda result: result.old or "") == [
        MigrationResult(None, NEWEST),
        MigrationResult(NEWEST, NEWEST),
    ]


async def test_the_logging_of_the_application_stays_as_it_is(url: str) -> None:
    def logging_now() -> list[object]:
        loggers = [logging.getLogger(), logging.getLogger("alembic"), logging.getLogger("bot")]
        return [(logger.level, list(logger.handlers), logger.disabled, logger.propagate) for logger in loggers]

    before = logging_now()
    async with await open_database(url) as database:
        await migrate(database)
    assert logging_now() == before
