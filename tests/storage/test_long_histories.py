"""What a question costs does not grow with what was said before it, and nothing breaks on depth."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

from bot.chat.messages import Author, EndReason, OpenAnswer, Place, Receipt
from bot.storage import branches, schema
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, utc_now
from bot.storage.open_answers import SqlOpenAnswers

from .conftest import window_start

Read = Callable[[sa.Connection], object]
Steps = Callable[[Read], Awaitable[int]]
Fill = Callable[[Place, int], Awaitable[None]]

LONG, SHORT = Place(10, 7), Place(11, 7)
DEPTH = 10_000
SMALL = ("SCAN way", "SCAN subtree", "SCAN exchanges", "SCAN CONSTANT ROW", "SCAN open_answers")
"""Scans of what a query has found itself, and of what is being written to right now."""
WINDOW = 20


@pytest.fixture
def store(database: Database) -> SqlConversations:
    return SqlConversations(database)


@pytest.fixture
def fill(database: Database) -> Fill:
    """A branch of so many messages, the window on its last ones."""

    async def fill(place: Place, depth: int) -> None:
        await database.write(filled, place, depth)

    return fill


def filled(connection: sa.Connection, place: Place, depth: int) -> None:
    last = connection.scalar(sa.select(sa.func.max(schema.messages.c.id))) or 0
    here = {"channel_id": place.channel_id, "guild_id": place.guild_id, "created_at": datetime.now(UTC)}
    window = {"head_id": last + depth, "window_start_id": last + depth - WINDOW + 1}
    conversation = connection.execute(sa.insert(schema.conversations).values(**here, **window)).inserted_primary_key
    assert conversation is not None
    rows = [
        {
            "id": last + number,
            "conversation_id": conversation[0],
            "parent_id": last + number - 1 if number > 1 else None,
            "role": "user" if number % 2 else "assistant",
            "content": f"message {number}",
            "end_reason": "complete",
            "created_at": datetime.now(UTC),
        }
        for number in range(1, depth + 1)
    ]
    connection.execute(sa.insert(schema.messages), rows)


@pytest.fixture
def steps(database: Database) -> Steps:
    """How many steps of SQLite's machine a way of reading takes; time would depend on the computer."""

    def counted(connection: sa.Connection, read: Read) -> int:
        taken = 0

        def count() -> None:
            nonlocal taken
            taken += 1

        read(connection)  # once without counting: a new connection reads the schema first
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(count, 1)
        read(connection)
        driver.set_progress_handler(None, 1)
        return taken

    async def steps(read: Read) -> int:
        return await database.read(counted, read)

    return steps


async def test_reading_costs_the_same_with_100_and_with_10_000_messages(
    store: SqlConversations, fill: Fill, steps: Steps
) -> None:
    await fill(SHORT, 100)
    await fill(LONG, DEPTH)
    assert len(await store.window(SHORT)) == len(await store.window(LONG)) == WINDOW
    windows = [await steps(partial(branches.window, place=place)) for place in (SHORT, LONG)]
    newest = [await steps(partial(branches.branch, place=p, newest=WINDOW)) for p in (SHORT, LONG)]
    assert windows[1] <= windows[0] * 1.1
    assert newest[1] <= newest[0] * 1.1
    everything = await steps(lambda c: branches.branch(c, LONG, None))
    assert windows[1] < everything / 100


def plan(connection: sa.Connection, statement: str, parameters: tuple[Any, ...]) -> list[str]:
    return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


async def test_no_query_of_an_answer_goes_through_a_whole_table(store: SqlConversations, database: Database) -> None:
    """Asks SQLite for its plan of each statement that a question, its answer and a restart execute."""
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: tuple[Any, ...], *_: object) -> None:
        statements.append((statement, parameters))

    sa.event.listen(database._engine, "before_cursor_execute", note)
    question, answer, _ = await store.begin(LONG, Author(1, "Anna"), "Why?")
    await store.move_window(LONG, question)
    await store.shown_as(answer, 500)
    await store.finish(answer, "So.", EndReason.COMPLETE, Receipt("llama", "assistant", 0, {}))
    await store.begin(LONG, Author(1, "Anna"), "And then?")
    await store.window(LONG)
    await store.last_estimate("another")
    on_way = SqlOpenAnswers(database)
    row = await on_way.open(OpenAnswer(place=LONG, opened_at=utc_now()))
    await store.begin(LONG, Author(1, "Anna"), "And now?", on_way=(row,))
    await store.keep(answer, "So")
    await store.current(answer)
    await on_way.note(row, 501)
    await on_way.allow(row, asking=True)
    await on_way.all()
    await on_way.close([row])
    await store.authors(LONG)
    await store.answer_in(LONG, 500)
    await store.shown_at(question)
    await store.interrupt_running()
    await store.summary(LONG, newest=10)
    await store.undo(LONG, only_by=1)
    await store.clear(LONG, only_by=1)
    sa.event.remove(database._engine, "before_cursor_execute", note)
    assert len(statements) > 30
    for statement, parameters in statements:
        if statement.startswith(("BEGIN", "PRAGMA")):
            continue
        details = await database.write(plan, statement, parameters)
        scans = [detail for detail in details if detail.startswith("SCAN") and "USING" not in detail]
        assert [scan for scan in scans if scan not in SMALL] == [], statement


def move(connection: sa.Connection, /, **values: int | None) -> None:
    connection.execute(sa.update(schema.conversations).values(**values))


async def test_a_window_that_nobody_moves_is_read_up_to_a_limit(
    store: SqlConversations, fill: Fill, database: Database
) -> None:
    await fill(LONG, DEPTH)
    await database.write(move, window_start_id=None)
    window = await store.window(LONG)
    assert len(window) == branches.MAX_WINDOW
    assert window[-1].content == f"message {DEPTH}"


async def test_a_whole_history_can_be_read(store: SqlConversations, fill: Fill) -> None:
    await fill(LONG, DEPTH)
    contents = [message.content for message in await store.branch(LONG)]
    assert contents == [f"message {number}" for number in range(1, DEPTH + 1)]
    summary = await store.summary(LONG, newest=3)
    assert (await store.count(LONG), summary.total, len(summary.window)) == (DEPTH, DEPTH, WINDOW)
    assert [message.content for message in summary.newest] == contents[-3:]


async def test_a_whole_history_can_be_cleared_without_the_writers_waiting_for_all_of_it(
    store: SqlConversations, fill: Fill, database: Database
) -> None:
    await fill(LONG, DEPTH)
    await fill(SHORT, 2)
    deleted: list[int] = []

    def note(_c: object, cursor: DBAPICursor, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM messages"):
            deleted.append(cursor.rowcount)

    sa.event.listen(database._engine, "after_cursor_execute", note)
    assert await store.clear(LONG, only_by=None) == DEPTH
    assert sum(deleted) == DEPTH
    assert max(deleted) <= DEPTH / 10
    assert [await store.count(LONG), await store.count(SHORT)] == [0, 2]


async def test_a_deep_branch_below_an_undone_question_stays(
    store: SqlConversations, fill: Fill, database: Database
) -> None:
    await fill(LONG, DEPTH)
    await database.write(move, head_id=2, window_start_id=DEPTH)
    undone = await store.undo(LONG, only_by=None)
    assert [message.content for message in undone] == ["message 1", "message 2"]
    assert await store.count(LONG) == DEPTH - 2
    assert await window_start(database, LONG) == DEPTH
