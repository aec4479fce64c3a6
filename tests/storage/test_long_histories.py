"""What a question costs does not grow with what was said before it, and nothing breaks on depth."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.chat.messages import Author, EndReason, Place, Receipt
from bot.storage import branches, schema
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database

Read = Callable[[AsyncConnection], Awaitable[object]]
Steps = Callable[[Read], Awaitable[int]]
Fill = Callable[[Place, int], Awaitable[None]]

LONG, SHORT = Place(10, 7), Place(11, 7)
DEPTH = 10_000
SMALL = ("SCAN way", "SCAN subtree", "SCAN CONSTANT ROW")
"""Scans of what a query has found itself."""
WINDOW = 20


@pytest.fixture
def store(database: Database) -> SqlConversations:
    return SqlConversations(database)


@pytest.fixture
def fill(store: SqlConversations, database: Database) -> Fill:
    """A branch of so many messages, the window on its last ones."""

    async def fill(place: Place, depth: int) -> None:
        conversation = await store.open(place)
        async with database.transaction() as connection:
            last = await connection.scalar(sa.select(sa.func.max(schema.messages.c.id))) or 0
            rows = [
                {
                    "id": last + number,
                    "conversation_id": conversation.id,
                    "parent_id": last + number - 1 if number > 1 else None,
                    "role": "user" if number % 2 else "assistant",
                    "content": f"message {number}",
                    "end_reason": "complete",
                    "created_at": datetime.now(UTC),
                }
                for number in range(1, depth + 1)
            ]
            await connection.execute(sa.insert(schema.messages), rows)
            conversations = schema.conversations
            await connection.execute(
                sa.update(conversations)
                .where(conversations.c.id == conversation.id)
                .values(head_id=last + depth, window_start_id=last + depth - WINDOW + 1)
            )

    return fill


@pytest.fixture
def steps(database: Database) -> Steps:
    """How many steps of SQLite's machine a way of reading takes; time would depend on the computer."""

    async def steps(read: Read) -> int:
        taken = 0

        def count() -> None:
            nonlocal taken
            taken += 1

        async with database.reading() as connection:
            await read(connection)  # once without counting: a new connection reads the schema first
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.set_progress_handler(count, 1)
            await read(connection)
            await driver.set_progress_handler(None, 1)
        return taken

    return steps


async def test_reading_costs_the_same_with_100_and_with_10_000_messages(
    store: SqlConversations, fill: Fill, steps: Steps
) -> None:
    await fill(SHORT, 100)
    await fill(LONG, DEPTH)
    short, long = await store.open(SHORT), await store.open(LONG)
    assert len(await store.window(short)) == len(await store.window(long)) == WINDOW
    windows = [await steps(partial(branches.window, conversation_id=c.id)) for c in (short, long)]
    newest = [await steps(partial(branches.branch, channel_id=p.channel_id, newest=WINDOW)) for p in (SHORT, LONG)]
    assert windows[1] <= windows[0] * 1.1
    assert newest[1] <= newest[0] * 1.1
    everything = await steps(lambda c: branches.branch(c, LONG.channel_id, None))
    assert windows[1] < everything / 100


async def test_no_query_of_an_answer_goes_through_a_whole_table(store: SqlConversations, database: Database) -> None:
    """Asks SQLite for its plan of each statement that a question, its answer and a restart execute."""
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: tuple[Any, ...], *_: object) -> None:
        statements.append((statement, parameters))

    sync_engine = database._engine.sync_engine
    sa.event.listen(sync_engine, "before_cursor_execute", note)
    conversation = await store.open(LONG)
    await store.window(conversation)
    question, answer = await store.begin(conversation, Author(1, "Anna"), "Why?")
    await store.move_window(conversation, question)
    await store.shown_as(answer, 500)
    await store.finish(answer, "So.", EndReason.COMPLETE, Receipt("llama", "assistant", 0, {}))
    await store.last_estimate("llama")
    await store.authors(LONG)
    await store.answer_in(LONG, 500)
    await store.interrupt_running()
    await store.summary(LONG, newest=10)
    await store.undo(LONG, only_by=1)
    await store.clear(LONG, only_by=1)
    sa.event.remove(sync_engine, "before_cursor_execute", note)
    async with database.reading() as connection:
        for statement, parameters in statements:
            if statement.startswith(("BEGIN", "PRAGMA")):
                continue
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
            scans = [row.detail for row in plan if row.detail.startswith("SCAN") and "USING" not in row.detail]
            assert [scan for scan in scans if scan not in SMALL] == [], statement


async def test_a_window_that_nobody_moves_is_read_up_to_a_limit(
    store: SqlConversations, fill: Fill, database: Database
) -> None:
    await fill(LONG, DEPTH)
    async with database.transaction() as connection:
        await connection.execute(sa.update(schema.conversations).values(window_start_id=None))
    window = await store.window(await store.open(LONG))
    assert len(window) == branches.MAX_WINDOW
    assert window[-1].content == f"message {DEPTH}"


async def test_a_whole_history_can_be_read(store: SqlConversations, fill: Fill) -> None:
    await fill(LONG, DEPTH)
    contents = [message.content for message in await store.branch(LONG)]
    assert contents == [f"message {number}" for number in range(1, DEPTH + 1)]
    summary = await store.summary(LONG, newest=3)
    assert (await store.count(LONG), summary.total, summary.in_window) == (DEPTH, DEPTH, WINDOW)
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

    sa.event.listen(database._engine.sync_engine, "after_cursor_execute", note)
    assert await store.clear(LONG, only_by=None) == DEPTH
    assert sum(deleted) == DEPTH
    assert max(deleted) <= DEPTH / 10
    assert [await store.count(LONG), await store.count(SHORT)] == [0, 2]


async def test_a_deep_branch_below_an_undone_question_goes_with_it(
    store: SqlConversations, fill: Fill, database: Database
) -> None:
    await fill(LONG, DEPTH)
    async with database.transaction() as connection:
        await connection.execute(sa.update(schema.conversations).values(head_id=2, window_start_id=DEPTH))
    undone = await store.undo(LONG, only_by=None)
    assert [message.content for message in undone] == ["message 1", "message 2"]
    assert await store.count(LONG) == 0
    assert (await store.open(LONG)).window_start is None
