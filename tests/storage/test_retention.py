"""What was kept for long enough is deleted, where a server or the operator chose that."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.chat.messages import Author, EndReason, Place, Receipt
from bot.chat.privacy import RETENTION
from bot.chat.scopes import Scope, ScopeKind
from bot.storage import retention
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database
from bot.storage.privacy import SqlPrivacy
from bot.storage.schema import conversations
from bot.storage.settings import SqlSettings

from .conftest import Clock, window_start

ANNA, BERND = Author(1, "Anna"), Author(2, "Bernd")
HERE, THERE, DIRECT = Place(10, 7), Place(20, 8), Place(30)
RECEIPT = Receipt("tiny:1b", "assistant", 0, {})
DAY = timedelta(days=1)


@pytest.fixture
def memory(database: Database, clock: Clock) -> SqlConversations:
    return SqlConversations(database, clock)


@pytest.fixture
def settings(database: Database, clock: Clock) -> SqlSettings:
    return SqlSettings(database, clock)


@pytest.fixture
def privacy(database: Database, settings: SqlSettings, clock: Clock) -> SqlPrivacy:
    return SqlPrivacy(database, settings, clock)


async def ask(memory: SqlConversations, place: Place, question: str, author: Author = ANNA) -> int:
    question_id, answer_id, _ = await memory.begin(place, author, question)
    await memory.finish(answer_id, f"Answer to {question}", EndReason.COMPLETE, RECEIPT)
    return question_id


async def choose(settings: SqlSettings, guild_id: int, days: int) -> None:
    server = Scope(ScopeKind.SERVER, guild_id)
    await settings.change(server, {RETENTION: str(days)}, guild_id=guild_id, by=BERND)


async def contents(memory: SqlConversations, place: Place) -> list[str]:
    return [message.content for message in await memory.branch(place)]


async def test_only_what_is_too_old_goes_and_only_where_that_was_chosen(
    memory: SqlConversations, settings: SqlSettings, privacy: SqlPrivacy, clock: Clock
) -> None:
    await choose(settings, 7, 30)
    for place in (HERE, THERE, DIRECT):
        await ask(memory, place, "old")
    clock.now += 20 * DAY
    for place in (HERE, THERE, DIRECT):
        await ask(memory, place, "new", BERND)
    clock.now += 10 * DAY

    assert await privacy.sweep(RETENTION, clock.now, 0) == 0
    clock.now += timedelta(seconds=1)
    assert await privacy.sweep(RETENTION, clock.now, 0) == 2
    assert await privacy.sweep(RETENTION, clock.now, 0) == 0

    assert await contents(memory, HERE) == ["new", "Answer to new"]
    assert (
        await contents(memory, THERE)
        == await contents(memory, DIRECT)
        == ["old", "Answer to old", "new", "Answer to new"]
    )


async def test_the_operators_choice_counts_in_direct_messages_and_where_a_server_made_none(
    memory: SqlConversations, settings: SqlSettings, privacy: SqlPrivacy, clock: Clock
) -> None:
    await choose(settings, 7, 0)
    for place in (HERE, THERE, DIRECT):
        await ask(memory, place, "old")
    clock.now += 10 * DAY

    assert await privacy.sweep(RETENTION, clock.now, 5) == 4

    assert await contents(memory, HERE) == ["old", "Answer to old"], "this server keeps everything"
    assert await contents(memory, THERE) == await contents(memory, DIRECT) == []


async def test_a_conversation_of_which_all_is_old_leaves_no_trace(
    memory: SqlConversations, privacy: SqlPrivacy, clock: Clock, database: Database
) -> None:
    await ask(memory, DIRECT, "old")
    clock.now += 10 * DAY
    await privacy.sweep(RETENTION, clock.now, 1)

    count = sa.select(sa.func.count()).select_from(conversations)
    assert await database.read(lambda connection: connection.scalar(count)) == 0
    await ask(memory, DIRECT, "new")
    assert await contents(memory, DIRECT) == ["new", "Answer to new"]


async def test_a_window_that_began_with_what_is_deleted_begins_with_what_is_left(
    memory: SqlConversations, privacy: SqlPrivacy, clock: Clock, database: Database
) -> None:
    await ask(memory, HERE, "oldest")
    start = await ask(memory, HERE, "old")
    await memory.move_window(HERE, start)
    clock.now += 10 * DAY
    new = await ask(memory, HERE, "new")
    await privacy.sweep(RETENTION, clock.now, 1)

    assert await window_start(database, HERE) == new
    assert [message.content for message in await memory.window(HERE)] == ["new", "Answer to new"]


async def test_many_go_in_batches_none_of_which_is_large(
    memory: SqlConversations, privacy: SqlPrivacy, clock: Clock, database: Database
) -> None:
    count = retention.BATCH * 2 + 1
    for number in range(count):
        await ask(memory, HERE, f"old {number}")
    clock.now += 10 * DAY
    [(conversation_id, limit)] = await database.read(retention.outdated, RETENTION, clock.now, 1)

    assert await database.write(retention.forget_some, conversation_id, limit) == retention.BATCH * 2
    assert (await contents(memory, HERE))[0] == f"old {retention.BATCH}", "the oldest go first"
    assert await privacy.sweep(RETENTION, clock.now, 1) == (count - retention.BATCH) * 2
    assert await contents(memory, HERE) == []


async def test_an_answer_that_is_being_written_to_a_deleted_question_does_not_come_back(
    memory: SqlConversations, privacy: SqlPrivacy, clock: Clock
) -> None:
    _, answer_id, _ = await memory.begin(HERE, ANNA, "old")
    clock.now += 10 * DAY
    await privacy.sweep(RETENTION, clock.now, 1)
    await memory.finish(answer_id, "late", EndReason.COMPLETE, RECEIPT)

    assert await contents(memory, HERE) == []
