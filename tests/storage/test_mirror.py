"""The memory follows what is edited and deleted in Discord."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.messages import Author, EndReason, Image, Place, Receipt
from bot.chat.mirror import Asked, Forgotten, Standing
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, open_database
from bot.storage.lineage import SqlLineage
from bot.storage.migrations import migrate
from bot.storage.mirror import SqlMirror

from .conftest import Clock

SERVER = 2
PLACE, THREAD, ELSEWHERE = Place(10, SERVER), Place(11, SERVER, 10), Place(12, 3)
ANNA = Author(4, "Anna")
RECEIPT = Receipt("tiny:1b", "assistant", 0, {}, answer_tokens=3)
PICTURE, OTHER_PICTURE = Image("a.jpg", b"a"), Image("b.jpg", b"b")


@pytest.fixture
def store(database: Database, clock: Clock) -> SqlConversations:
    return SqlConversations(database, clock)


@pytest.fixture
def mirror(database: Database) -> SqlMirror:
    return SqlMirror(database)


async def say(
    store: SqlConversations, question: str, text: str, *, place: Place = PLACE, pages: int = 1
) -> tuple[int, int]:
    """A question, shown in the message 1000 + its id, and its answer, whose pages are 2000 + its id and so on."""
    question_id, answer_id, _ = await store.begin(place, ANNA, question)
    await store.finish(answer_id, text, EndReason.COMPLETE, RECEIPT, question_tokens=7)
    await store.shown_as(question_id, 1000 + question_id)
    for page in range(pages):
        await store.shown_as(answer_id, 2000 + answer_id + page * 1000)
    return question_id, answer_id


async def test_what_the_memory_does_not_know_can_be_deleted_while_the_database_is_locked(
    store: SqlConversations, mirror: SqlMirror, database: Database
) -> None:
    question_id, _ = await say(store, "Why?", "Because.")
    with closing(sqlite3.connect(database.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        forgotten = await mirror.forget_messages({999})

    assert forgotten == Forgotten([], [])
    assert await mirror.asked_in(1000 + question_id)


async def correct(store: SqlConversations, answer_id: int, text: str) -> int:
    """A new version in the same messages, for a question that reads otherwise."""
    older = await store.answer(PLACE.channel_id, answer_id)
    assert older
    begun = await store.begin_again(answer_id)
    await store.finish(begun.answer_id, text, EndReason.COMPLETE, RECEIPT, takes_over=True)
    for page in older.discord_ids:
        await store.shown_as(begun.answer_id, page)
    return begun.answer_id


async def branch(store: SqlConversations, place: Place = PLACE) -> list[str]:
    return [message.content for message in await store.branch(place)]


async def test_a_question_is_found_by_each_message_that_asks_it(
    store: SqlConversations, mirror: SqlMirror, clock: Clock
) -> None:
    question, answer = await say(store, "Q", "A")
    await store.shown_as(question, 999)

    asked = Asked(question, PLACE, ANNA, "Q", clock.now, (1000 + question, 999), answer)
    assert [await mirror.asked_in(number) for number in asked.discord_ids] == [asked, asked]
    assert await mirror.asked_in(2000 + answer) is None, "this is the answer"
    assert await mirror.asked_in(5) is None


async def test_a_message_is_known_in_the_conversation_that_it_belongs_to_and_in_no_other(
    store: SqlConversations, mirror: SqlMirror
) -> None:
    hers = Place(PLACE.channel_id, SERVER, owner_id=ANNA.id)
    question_id, answer_id = await say(store, "Why?", "Because.", place=hers, pages=2)
    shown = [1000 + question_id, 2000 + answer_id, 3000 + answer_id]

    for place, known in ((hers, True), (PLACE, False), (Place(PLACE.channel_id, SERVER, owner_id=5), False)):
        assert [await mirror.is_known(place, one) for one in shown] == [known] * 3
    await store.clear(hers, only_by=None)
    assert [await mirror.is_known(hers, one) for one in (*shown, 999)] == [False] * 4


async def test_the_answer_to_a_question_is_the_version_that_is_shown(
    store: SqlConversations, mirror: SqlMirror
) -> None:
    question, first = await say(store, "Q", "A")
    second = (await store.begin_again(first)).answer_id
    shown = await mirror.asked_in(1000 + question)
    await store.shown_as(second, 2000 + first)
    then = await mirror.asked_in(1000 + question)

    assert shown
    assert then
    assert (shown.answer_id, then.answer_id) == (first, second)


async def test_a_question_reads_otherwise_and_nobody_knows_its_size_any_more(
    store: SqlConversations, mirror: SqlMirror, database: Database
) -> None:
    question, answer, _ = await store.begin(PLACE, ANNA, "Q", [PICTURE])
    await store.finish(answer, "A", EndReason.COMPLETE, RECEIPT, question_tokens=7)
    await SqlLineage(database).copy(answer, THREAD)

    await mirror.reword(question, "Better Q", [OTHER_PICTURE])

    assert await branch(store) == await branch(store, THREAD) == ["Better Q", "A"]
    for place in (PLACE, THREAD):
        asked = (await store.branch(place))[0]
        assert (asked.tokens, asked.tokenizer) == (None, None)
        assert await store.images([asked.id]) == {asked.id: [OTHER_PICTURE]}


async def test_a_deleted_question_takes_all_versions_of_its_answer_along_and_names_what_shows_them(
    store: SqlConversations, mirror: SqlMirror, database: Database
) -> None:
    await say(store, "Q1", "A1")
    question, answer = await say(store, "Q2", "A2", pages=2)
    await store.finish((await store.begin_again(answer)).answer_id, "A2b", EndReason.COMPLETE, RECEIPT)
    await SqlLineage(database).copy(answer, THREAD)
    await say(store, "Q3", "A3")

    forgotten = await mirror.forget_messages([1000 + question, 77])

    assert forgotten == Forgotten([(PLACE, 2000 + answer), (PLACE, 3000 + answer)], [])
    assert await branch(store) == ["Q1", "A1", "Q3", "A3"]
    assert await branch(store, THREAD) == ["Q1", "A1"], "where a thread went on from it, it is forgotten too"
    assert await mirror.forget_messages([1000 + question]) == Forgotten([], [])


async def test_a_deleted_page_takes_its_answer_and_its_question_along(
    store: SqlConversations, mirror: SqlMirror
) -> None:
    _, answer = await say(store, "Q", "A", pages=3)

    forgotten = await mirror.forget_messages([3000 + answer])

    assert forgotten == Forgotten([(PLACE, 2000 + answer), (PLACE, 4000 + answer)], [])
    assert await branch(store) == []


async def test_of_a_question_in_two_messages_the_other_one_is_left(store: SqlConversations, mirror: SqlMirror) -> None:
    question, _ = await say(store, "Q", "A")
    await store.shown_as(question, 999)

    assert await mirror.forget_messages([999]) == Forgotten([], [(PLACE, 1000 + question)])
    assert await branch(store) == ["Q", "A"]
    assert (await mirror.forget_messages([1000 + question])).halved == []
    assert await branch(store) == []


async def test_a_running_answer_can_be_forgotten_and_its_end_changes_nothing(
    store: SqlConversations, mirror: SqlMirror
) -> None:
    begun = await store.begin(PLACE, ANNA, "Q")
    await store.shown_as(begun.question_id, 1000)

    await mirror.forget_messages([1000])
    await store.finish(begun.answer_id, "A", EndReason.STOPPED, RECEIPT)

    assert await branch(store) == []
    assert await store.count(PLACE) == 0


async def test_a_deleted_channel_is_forgotten_with_its_threads_and_a_server_with_all_of_it(
    store: SqlConversations, mirror: SqlMirror
) -> None:
    for place in (PLACE, THREAD, ELSEWHERE, Place(SERVER, 9), Place(13, SERVER), Place(14)):
        await say(store, "Q", "A", place=place)

    of_channel = await mirror.forget_channel(PLACE.channel_id)
    left = await mirror.places()
    of_server = await mirror.forget_server(SERVER)

    assert (of_channel, of_server) == (4, 2)
    assert left == [Place(14), Place(13, SERVER), Place(SERVER, 9), ELSEWHERE]
    assert await mirror.places() == [Place(14), Place(SERVER, 9), ELSEWHERE], "a channel may have a server's id"


async def test_what_stands_for_a_window_is_its_questions_and_answers_only(
    store: SqlConversations, mirror: SqlMirror
) -> None:
    await say(store, "Q1", "A1")
    question, answer = await say(store, "Q2", "A2", pages=2)
    await store.move_window(PLACE, question)

    assert await mirror.standing(PLACE) == [
        Standing(1000 + question, True),
        Standing(2000 + answer, False),
        Standing(3000 + answer, False),
    ]
    assert await mirror.standing(ELSEWHERE) == []


async def test_what_stands_for_a_window_has_other_branches_since_then(
    store: SqlConversations, mirror: SqlMirror
) -> None:
    await say(store, "Q1", "A1")
    start, first = await say(store, "Q2", "A2")
    hidden, second = await say(store, "Q3", "A3")
    branch = await store.begin(PLACE, ANNA, "Q4", after=2000 + first)
    await store.finish(branch.answer_id, "A4", EndReason.COMPLETE, RECEIPT)
    await store.move_window(PLACE, start)

    assert await mirror.standing(PLACE) == [
        Standing(1000 + start, True),
        Standing(1000 + hidden, True),
        Standing(2000 + first, False),
        Standing(2000 + second, False),
    ]


async def test_what_was_said_later_follows_the_corrected_answer(store: SqlConversations) -> None:
    _, first = await say(store, "Q1", "A1")
    await say(store, "Q2", "A2")

    second = await correct(store, first, "A1b")

    assert await branch(store) == ["Q1", "A1b", "Q2", "A2"]
    assert await store.later(second) == await store.later(first) == 2
    assert await store.choose(first) == 2
    assert await branch(store) == ["Q1", "A1"]
    await store.choose(second)
    assert await branch(store) == ["Q1", "A1b", "Q2", "A2"]


async def test_a_correction_without_a_text_changes_nothing(store: SqlConversations) -> None:
    _, first = await say(store, "Q1", "A1")
    await say(store, "Q2", "A2")

    begun = await store.begin_again(first)
    await store.finish(begun.answer_id, "", EndReason.FAILED, RECEIPT, takes_over=True)

    assert await branch(store) == ["Q1", "A1", "Q2", "A2"]


async def test_a_long_conversation_that_was_corrected_at_its_beginning_can_be_cleared(store: SqlConversations) -> None:
    _, first = await say(store, "Q", "A")
    for _ in range(600):
        await say(store, "Q", "A")
    await correct(store, first, "B")

    assert await store.clear(PLACE, only_by=None) == 1203
    assert await store.count(PLACE) == 0


@settings(max_examples=25, deadline=None)
@given(corrections=st.lists(st.integers(0, 3), max_size=6))
async def test_however_often_answers_are_corrected_the_conversation_keeps_its_order(
    tmp_path_factory: pytest.TempPathFactory, corrections: list[int]
) -> None:
    file = tmp_path_factory.mktemp("corrected") / "llampost.db"
    async with await open_database(f"sqlite+aiosqlite:///{file}") as database:
        await migrate(database)
        store = SqlConversations(database)
        shown = [(await say(store, f"Q{number}", f"A{number}"))[1] for number in range(4)]
        texts = [f"A{number}" for number in range(4)]
        for count, number in enumerate(corrections):
            texts[number] = f"A{number}.{count}"
            shown[number] = await correct(store, shown[number], texts[number])
            assert await branch(store) == [part for index in range(4) for part in (f"Q{index}", texts[index])]
            assert [await store.later(it) for it in shown] == [6, 4, 2, 0]
        for answer in shown:
            assert await store.choose(answer) == 0, "all of it is shown already"
        await say(store, "Q4", "A4")
        assert (await branch(store))[-3:] == [texts[3], "Q4", "A4"]
        assert await store.clear(PLACE, only_by=None) == 10 + len(corrections)
