from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.chat.messages import Author, EndReason, OpenAnswer, Place, Receipt
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database
from bot.storage.open_answers import SqlOpenAnswers

PLACE, ANNA = Place(10, 7, 9), Author(1, "Anna")
THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
WAITING = OpenAnswer(
    place=PLACE,
    opened_at=THEN,
    key="0a",
    header="-# Anna asked: Why?",
    interaction_id=3,
    asker=ANNA,
    question="Why?",
    persona="Pirate",
    may_be_asked=True,
)
BARE = OpenAnswer(place=Place(20), opened_at=THEN)
RECEIPT = Receipt("llama", "assistant", 0, {})


@pytest.fixture
def store(database: Database) -> SqlOpenAnswers:
    return SqlOpenAnswers(database)


@pytest.fixture
def memory(database: Database) -> SqlConversations:
    return SqlConversations(database)


async def test_an_answer_is_open_with_all_that_is_known_of_it_until_it_is_closed(store: SqlOpenAnswers) -> None:
    first, second = await store.open(WAITING), await store.open(BARE)
    await store.note(second, 40)
    assert await store.all() == [replace(WAITING, id=first), replace(BARE, id=second, discord_id=40)]
    await store.close([first, first])
    await store.close([])
    assert [one.id for one in await store.all()] == [second]


async def test_whether_it_may_be_asked_can_change(store: SqlOpenAnswers) -> None:
    row = await store.open(WAITING)
    await store.allow(row, asking=False)
    assert [one.may_be_asked for one in await store.all()] == [False]
    await store.allow(row, asking=True)
    assert await store.all() == [replace(WAITING, id=row)]


async def test_questions_wait_until_they_are_in_the_memory_and_have_one_answer_then(
    store: SqlOpenAnswers, memory: SqlConversations
) -> None:
    rows = [await store.open(WAITING) for _ in range(3)]
    begun = await memory.begin(PLACE, ANNA, "Why?", on_way=rows[:2])
    assert [(one.answer_id, one.is_waiting) for one in await store.all()] == [
        (begun.answer_id, False),
        (begun.answer_id, False),
        (None, True),
    ]


async def test_the_question_of_an_answer_that_gave_its_turn_back_waits_again(
    store: SqlOpenAnswers, memory: SqlConversations
) -> None:
    row, other = await store.open(WAITING), await store.open(WAITING)
    begun = await memory.begin(PLACE, ANNA, "Why?", on_way=[row])
    await memory.begin(Place(20), ANNA, "Why?", on_way=[other])
    await memory.finish(begun.answer_id, "", EndReason.JOINED, RECEIPT)
    await memory.remove(begun.answer_id)
    assert [one.is_waiting for one in await store.all()] == [True, False]


async def test_a_question_that_was_deleted_does_not_wait_again(store: SqlOpenAnswers, memory: SqlConversations) -> None:
    await store.open(WAITING)
    [left] = await store.all()
    begun = await memory.begin(PLACE, ANNA, "Why?", on_way=[left.id])
    await memory.finish(begun.answer_id, "So.", EndReason.COMPLETE, RECEIPT)
    await memory.remove(begun.answer_id)
    assert [one.is_waiting for one in await store.all()] == [False]


async def test_text_is_kept_while_an_answer_is_written_and_no_longer(memory: SqlConversations) -> None:
    _, answer_id, _ = await memory.begin(PLACE, ANNA, "Why?")
    await memory.keep(answer_id, "Because it")
    assert await memory.branch(PLACE) == []
    await memory.finish(answer_id, "Because it is.", EndReason.COMPLETE, RECEIPT)
    await memory.keep(answer_id, "Because it")
    assert [message.content for message in await memory.branch(PLACE)] == ["Why?", "Because it is."]


async def test_after_a_crash_the_conversation_goes_on_from_the_text_that_there_is(memory: SqlConversations) -> None:
    _, half, _ = await memory.begin(PLACE, ANNA, "Why?")
    await memory.keep(half, "Because it")
    _, blank, _ = await memory.begin(Place(20), ANNA, "And why that?")
    await memory.interrupt_running()
    assert [(message.id, message.content) for message in await memory.branch(PLACE)][1:] == [(half, "Because it")]
    assert await memory.branch(Place(20)) == []
    assert (await memory.current(half), await memory.current(blank)) == (half, blank)


@pytest.mark.parametrize("text", ["", "No"])
async def test_a_version_takes_the_place_of_the_one_before_with_its_first_words(
    memory: SqlConversations, text: str
) -> None:
    _, first, _ = await memory.begin(PLACE, ANNA, "Why?")
    await memory.finish(first, "So.", EndReason.COMPLETE, RECEIPT)
    _, second, _ = await memory.begin_again(first)
    if text:
        await memory.keep(second, text)
    await memory.interrupt_running()
    current = second if text else first
    assert [await memory.current(version) for version in (first, second)] == [current, current]
