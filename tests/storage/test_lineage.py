"""What was said before a message, and a thread's own copy of it."""

from __future__ import annotations

import pytest

from bot.chat.messages import Author, EndReason, Image, Place, Receipt
from bot.storage import removal
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database
from bot.storage.lineage import SqlLineage

ANNA, BERND = Author(1, "Anna"), Author(2, "Bernd")
CHANNEL, THREAD = Place(200, 100), Place(300, 100, 200)
RECEIPT = Receipt("tiny:1b", "assistant", 0, {"seed": 1})


@pytest.fixture
def store(database: Database) -> SqlConversations:
    return SqlConversations(database)


@pytest.fixture
def lineage(database: Database) -> SqlLineage:
    return SqlLineage(database)


async def exchange(store: SqlConversations, text: str, author: Author = ANNA, *images: Image) -> tuple[int, int]:
    question_id, answer_id, _ = await store.begin(CHANNEL, author, f"{text}?", images)
    await store.finish(answer_id, f"{text}!", EndReason.COMPLETE, RECEIPT)
    return question_id, answer_id


async def contents(store: SqlConversations, place: Place) -> list[str]:
    return [message.content for message in await store.branch(place)]


async def test_the_way_to_a_message_begins_where_it_is_told(store: SqlConversations, lineage: SqlLineage) -> None:
    (first, _), (second, _), (third, _) = [await exchange(store, text) for text in "abc"]

    whole, part, alone = [await lineage.upto(third, start) for start in (first, second, None)]

    assert [message.content for message in whole] == ["a?", "a!", "b?", "b!", "c?"]
    assert [message.content for message in part] == ["b?", "b!", "c?"]
    assert [message.content for message in alone] == ["c?"]
    assert [await lineage.depth(message) for message in (first, second, third)] == [0, 2, 4]


async def test_a_start_that_is_gone_is_not_found(store: SqlConversations, lineage: SqlLineage) -> None:
    await exchange(store, "a")
    question, _ = await exchange(store, "b")

    found = await lineage.upto(question, 999)

    assert [message.content for message in found] == ["a?", "a!", "b?"]


async def test_a_thread_has_its_own_copy_of_all_up_to_the_answer(store: SqlConversations, lineage: SqlLineage) -> None:
    picture = Image("cat.png", b"\x89PNG")
    await exchange(store, "a", ANNA, picture)
    second, answer = await exchange(store, "b", BERND)
    await exchange(store, "c")
    await store.move_window(CHANNEL, second)

    count = await lineage.copy(answer, THREAD)

    assert count == 4
    assert await contents(store, THREAD) == ["a?", "a!", "b?", "b!"]
    assert [message.content for message in await store.window(THREAD)] == ["b?", "b!"]
    assert [message.author for message in await store.branch(THREAD)] == [ANNA, None, BERND, None]
    first = (await store.branch(THREAD))[0].id
    assert (await store.images([first]))[first] == [picture]
    await store.clear(CHANNEL, only_by=None)
    assert await contents(store, THREAD) == ["a?", "a!", "b?", "b!"]


async def test_a_thread_where_somebody_was_quicker_keeps_its_memory(
    store: SqlConversations, lineage: SqlLineage
) -> None:
    _, answer = await exchange(store, "a")
    _, quicker, _ = await store.begin(THREAD, BERND, "Mine?")
    await store.finish(quicker, "Yours!", EndReason.COMPLETE, RECEIPT)

    assert await lineage.copy(answer, THREAD) == 0
    assert await contents(store, THREAD) == ["Mine?", "Yours!"]


async def test_an_answer_that_is_gone_gives_a_thread_nothing(store: SqlConversations, lineage: SqlLineage) -> None:
    assert await lineage.copy(999, THREAD) == 0
    assert await store.count(THREAD) == 0


async def test_what_is_deleted_goes_out_of_its_copies_too(
    database: Database, store: SqlConversations, lineage: SqlLineage
) -> None:
    first, _ = await exchange(store, "a")
    _, answer = await exchange(store, "b")
    await lineage.copy(answer, THREAD)

    await database.write(removal.remove, [first])

    assert await contents(store, CHANNEL) == ["b?", "b!"]
    assert await contents(store, THREAD) == ["b?", "b!"]


@pytest.mark.parametrize("think", [None, False, True, "high"])
async def test_a_receipt_comes_back_as_it_was(store: SqlConversations, think: bool | str | None) -> None:
    receipt = Receipt(
        "tiny:1b",
        "Pirate",
        2,
        {"seed": 7, "stop": ["\n"]},
        digest="sha256:abc",
        waited_seconds=1.5,
        writing_seconds=0.25,
        sources={"seed": "this channel"},
        keep_alive="5m",
        think=think,
        prompt_digest="0123",
        window_start=4,
        remembered=6,
    )
    _, answer_id, _ = await store.begin(CHANNEL, ANNA, "a?")
    await store.finish(answer_id, "a!", EndReason.COMPLETE, receipt)

    answer = await store.answer(CHANNEL.channel_id, answer_id)

    assert answer
    assert answer.receipt == receipt
