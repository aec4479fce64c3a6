"""Which answer a Discord message shows."""

import pytest

from bot.chat.messages import Author, EndReason, Place, Receipt, Role
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database

ANNA = Author(1, "Anna")
PLACE, OTHER = Place(10, 7), Place(11, 7)
RECEIPT = Receipt("llama", "assistant", 0, {})
QUESTION, FIRST_PAGE, SECOND_PAGE = 500, 501, 502


@pytest.fixture
async def store(database: Database) -> SqlConversations:
    """A question, and its answer on two pages."""
    store = SqlConversations(database)
    question, answer, _ = await store.begin(PLACE, ANNA, "Why?")
    await store.shown_as(question, QUESTION)
    for page in (FIRST_PAGE, SECOND_PAGE):
        await store.shown_as(answer, page)
    await store.finish(answer, "So.", EndReason.COMPLETE, RECEIPT)
    return store


@pytest.mark.parametrize("page", [FIRST_PAGE, SECOND_PAGE])
async def test_any_page_leads_to_the_whole_answer(store: SqlConversations, page: int) -> None:
    answer = await store.answer_in(PLACE, page)
    assert answer is not None
    assert (answer.role, answer.content, answer.end_reason) == (Role.ASSISTANT, "So.", EndReason.COMPLETE)


@pytest.mark.parametrize("message", [QUESTION, 999])
async def test_a_question_or_any_other_message_shows_no_answer(store: SqlConversations, message: int) -> None:
    assert await store.answer_in(PLACE, message) is None


async def test_an_answer_is_found_only_in_its_own_channel(store: SqlConversations) -> None:
    await store.begin(OTHER, ANNA, "Elsewhere?")
    assert await store.answer_in(OTHER, FIRST_PAGE) is None


async def test_each_message_leads_to_its_own_answer(store: SqlConversations) -> None:
    _, second, _ = await store.begin(PLACE, ANNA, "And then?")
    await store.shown_as(second, 600)
    await store.finish(second, "Then that.", EndReason.LENGTH, RECEIPT)
    found = [await store.answer_in(PLACE, page) for page in (FIRST_PAGE, 600)]
    assert [answer and answer.content for answer in found] == ["So.", "Then that."]


async def test_an_answer_is_found_while_it_is_running_and_after_a_crash(store: SqlConversations) -> None:
    _, answer_id, _ = await store.begin(PLACE, ANNA, "And then?")
    await store.shown_as(answer_id, 600)
    running = await store.answer_in(PLACE, 600)
    await store.interrupt_running()
    crashed = await store.answer_in(PLACE, 600)
    assert [answer and (answer.content, answer.end_reason) for answer in (running, crashed)] == [
        ("", EndReason.RUNNING),
        ("", EndReason.INTERRUPTED),
    ]


async def test_what_was_undone_or_cleared_is_found_no_more(store: SqlConversations) -> None:
    _, answer_id, _ = await store.begin(PLACE, ANNA, "And then?")
    await store.shown_as(answer_id, 600)
    await store.finish(answer_id, "Then that.", EndReason.COMPLETE, RECEIPT)
    await store.undo(PLACE, only_by=None)
    assert await store.answer_in(PLACE, 600) is None
    assert await store.answer_in(PLACE, FIRST_PAGE) is not None
    await store.clear(PLACE, only_by=None)
    assert await store.answer_in(PLACE, FIRST_PAGE) is None
