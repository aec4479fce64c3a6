import asyncio
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from bot.chat.memory import Summary
from bot.chat.messages import Author, EndReason, Image, Place, Receipt, Role, StoredMessage
from bot.errors import BadInput, NotAllowed
from bot.storage import schema, tree
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, open_database

from .conftest import Clock, window_start

Say = Callable[..., Awaitable[tuple[int, int]]]
Rows = Callable[[sa.Table], Awaitable[int]]

ANNA, BERND = Author(1, "Anna"), Author(2, "Bernd")
PLACE, OTHER = Place(10, 7), Place(11, 7)
RECEIPT = Receipt("llama", "assistant", 0, {"seed": 1})


@pytest.fixture
def store(database: Database, clock: Clock) -> SqlConversations:
    return SqlConversations(database, clock)


@pytest.fixture
def say(store: SqlConversations) -> Say:
    """A question with its finished answer; returns the ids of both."""

    async def say(question: str, answer: str | None = None, place: Place = PLACE, by: Author = ANNA) -> tuple[int, int]:
        question_id, answer_id, _ = await store.begin(place, by, question)
        await store.finish(answer_id, f"{question}!" if answer is None else answer, EndReason.COMPLETE, RECEIPT)
        return question_id, answer_id

    return say


@pytest.fixture
def rows(database: Database) -> Rows:
    async def rows(table: sa.Table) -> int:
        count = sa.select(sa.func.count()).select_from(table)
        return await database.read(lambda connection: connection.execute(count).scalar_one())

    return rows


def texts(messages: list[StoredMessage]) -> list[str]:
    return [message.content for message in messages]


async def test_a_place_has_one_conversation_however_many_ask_at_once(store: SqlConversations, rows: Rows) -> None:
    await asyncio.gather(*(store.begin(PLACE, ANNA, "Why?") for _ in range(5)))
    assert (await rows(schema.conversations), await store.count(PLACE)) == (1, 10)
    await store.begin(OTHER, ANNA, "Why?")
    assert (await rows(schema.conversations), await store.count(PLACE)) == (2, 10)


async def test_a_question_and_its_answer_come_back_whole(store: SqlConversations, clock: Clock) -> None:
    question, answer, _ = await store.begin(PLACE, ANNA, "Why?")
    receipt = Receipt("llama", "assistant", 0, {"seed": 1}, prompt_tokens=12, answer_tokens=3)
    await store.finish(answer, "Because.", EndReason.LENGTH, receipt, question_tokens=5)
    expected = [
        StoredMessage(question, Role.USER, "Why?", clock.now, ANNA, tokens=5, tokenizer="llama"),
        StoredMessage(
            answer, Role.ASSISTANT, "Because.", clock.now, end_reason=EndReason.LENGTH, tokens=3, tokenizer="llama"
        ),
    ]
    assert await store.window(PLACE) == await store.branch(PLACE) == expected


async def test_the_receipt_is_kept_in_full(store: SqlConversations, database: Database) -> None:
    receipt = Receipt("llama", "Pirate", 3, {"seed": 1, "stop": ["a", "b"]}, "sha256:1", 1, 2, 3, 0.5, 1.5, 2.5)
    _, answer, _ = await store.begin(PLACE, ANNA, "Why?")
    await store.finish(answer, "Because.", EndReason.COMPLETE, RECEIPT)
    await store.finish(answer, "Because.", EndReason.COMPLETE, receipt)
    receipts = sa.select(schema.receipts)
    row = await database.read(lambda connection: connection.execute(receipts).mappings().one())
    assert Receipt(**{key: row[key] for key in row if key != "answer_id"}) == receipt


async def test_a_question_without_an_answer_never_goes_to_the_model_again(store: SqlConversations, say: Say) -> None:
    await say("one")
    await say("two", "")
    await store.begin(PLACE, ANNA, "three")
    await say("four")
    assert texts(await store.branch(PLACE)) == ["one", "one!", "four", "four!"]
    assert await store.count(PLACE) == 8


async def test_an_answer_that_failed_with_text_is_shown(store: SqlConversations) -> None:
    _, answer, _ = await store.begin(PLACE, ANNA, "one")
    await store.finish(answer, "half", EndReason.FAILED, RECEIPT)
    assert [m.end_reason for m in await store.branch(PLACE)] == [EndReason.COMPLETE, EndReason.FAILED]


async def test_places_do_not_see_each_other(store: SqlConversations, say: Say) -> None:
    await say("here")
    await say("there", place=OTHER)
    await say("private", place=Place(12))
    assert texts(await store.branch(PLACE)) == ["here", "here!"]
    assert texts(await store.undo(OTHER, only_by=None)) == ["there", "there!"]
    assert await store.clear(Place(12), only_by=None) == 2
    assert await store.clear(Place(99), only_by=None) == 0
    assert [await store.count(place) for place in (PLACE, OTHER, Place(12), Place(99))] == [2, 0, 0, 0]
    assert await store.branch(Place(99)) == await store.undo(Place(99), only_by=None) == []


async def test_the_authors_are_all_who_asked_in_the_place_whether_shown_or_not(
    store: SqlConversations, say: Say
) -> None:
    assert await store.authors(PLACE) == set()
    await say("one")
    await say("two")
    await store.begin(PLACE, BERND, "unanswered")
    await store.begin(OTHER, Author(3, "Carla"), "elsewhere")
    assert await store.authors(PLACE) == {1, 2}
    await store.clear(PLACE, only_by=None)
    assert await store.authors(PLACE) == set()


async def test_the_newest_messages_of_a_branch(store: SqlConversations, say: Say) -> None:
    for question in ("one", "two", "three"):
        await say(question)
    assert texts(await store.branch(PLACE, newest=3)) == ["two!", "three", "three!"]
    assert texts(await store.branch(PLACE, newest=99)) == ["one", "one!", "two", "two!", "three", "three!"]
    assert await store.branch(PLACE, newest=0) == []


async def test_a_question_comes_with_what_was_said_before_it(store: SqlConversations, say: Say) -> None:
    _, _, first = await store.begin(PLACE, ANNA, "unanswered")
    await say("one")
    start, _ = await say("two")
    await say("there", place=OTHER)
    _, _, second = await store.begin(PLACE, BERND, "three")
    await store.move_window(PLACE, start)
    _, _, third = await store.begin(PLACE, BERND, "four")
    assert [texts([*window]) for window in (first, second, third)] == [
        [],
        ["one", "one!", "two", "two!"],
        ["two", "two!"],
    ]


async def test_the_window_starts_where_it_was_moved(store: SqlConversations, say: Say, database: Database) -> None:
    await say("one")
    start, _ = await say("two")
    await say("three")
    await store.move_window(PLACE, start)
    assert texts(await store.window(PLACE)) == ["two", "two!", "three", "three!"]
    assert await window_start(database, PLACE) == start
    assert len(await store.branch(PLACE)) == 6


async def test_a_window_moves_to_no_message_of_another_place(
    store: SqlConversations, say: Say, database: Database
) -> None:
    elsewhere, _ = await say("there", place=OTHER)
    await say("here")
    for nowhere in (elsewhere, 999):
        await store.move_window(PLACE, nowhere)
    assert await window_start(database, PLACE) is None


async def test_a_window_that_starts_on_another_branch_is_the_whole_branch(store: SqlConversations, say: Say) -> None:
    await say("one")
    dead_end, _ = await say("two", "")
    await say("three")
    await store.move_window(PLACE, dead_end)
    assert texts(await store.window(PLACE)) == ["one", "one!", "three", "three!"]


async def test_undo_goes_back_one_question_at_a_time(store: SqlConversations, say: Say) -> None:
    await say("one")
    await say("two")
    await say("dead end", "")
    assert texts(await store.undo(PLACE, only_by=None)) == ["two", "two!"]
    assert await store.count(PLACE) == 4
    await say("three")
    assert texts(await store.branch(PLACE)) == ["one", "one!", "three", "three!"]
    assert texts(await store.undo(PLACE, only_by=None)) == ["three", "three!"]
    assert texts(await store.undo(PLACE, only_by=None)) == ["one", "one!"]
    assert await store.undo(PLACE, only_by=None) == []


async def test_undo_of_the_windows_start_begins_the_window_at_the_root(
    store: SqlConversations, say: Say, database: Database
) -> None:
    await say("one")
    start, _ = await say("two")
    await store.move_window(PLACE, start)
    await store.undo(PLACE, only_by=None)
    assert await window_start(database, PLACE) is None
    assert texts(await store.window(PLACE)) == ["one", "one!"]


async def test_undo_leaves_a_window_that_starts_earlier(store: SqlConversations, say: Say, database: Database) -> None:
    start, _ = await say("one")
    await say("two")
    await store.move_window(PLACE, start)
    await store.undo(PLACE, only_by=None)
    assert await window_start(database, PLACE) == start


async def test_images_are_kept_with_their_question_in_their_order(store: SqlConversations, say: Say) -> None:
    pictures = [Image("b.png", b"\x00\xff"), Image("a.png", b"")]
    with_images, _, _ = await store.begin(PLACE, ANNA, "Which?", pictures)
    without, _ = await say("Why?")

    assert await store.images([with_images, without]) == {with_images: pictures}
    assert await store.images([]) == {}


async def test_undo_and_clear_take_along_all_that_belongs_to_the_messages(store: SqlConversations, rows: Rows) -> None:
    for question in ("one", "two"):
        question_id, answer_id, _ = await store.begin(PLACE, ANNA, question, [Image("a.png", b"a")])
        await store.finish(answer_id, "!", EndReason.COMPLETE, RECEIPT)
        for message in (question_id, answer_id):
            await store.shown_as(message, 100 + message)
    await store.undo(PLACE, only_by=None)
    belongings = (schema.receipts, schema.discord_messages, schema.images)
    assert [await rows(table) for table in belongings] == [1, 2, 1]
    assert await store.clear(PLACE, only_by=None) == 2
    assert [await rows(table) for table in (schema.messages, schema.conversations, *belongings)] == [0] * 5


async def test_undo_takes_back_only_what_the_person_asked_last(store: SqlConversations, say: Say) -> None:
    await say("one", by=ANNA)
    await say("two", by=BERND)
    with pytest.raises(NotAllowed, match=r"somebody else's; .* “Manage Messages”\."):
        await store.undo(PLACE, only_by=ANNA.id)
    assert texts(await store.branch(PLACE)) == ["one", "one!", "two", "two!"]
    assert texts(await store.undo(PLACE, only_by=BERND.id)) == ["two", "two!"]
    assert texts(await store.undo(PLACE, only_by=ANNA.id)) == ["one", "one!"]
    assert await store.undo(PLACE, only_by=ANNA.id) == []


async def test_a_question_that_failed_hinders_nobody_from_taking_back_the_one_before(
    store: SqlConversations, say: Say
) -> None:
    await say("one", by=ANNA)
    await say("dead end", "", by=BERND)
    assert texts(await store.undo(PLACE, only_by=ANNA.id)) == ["one", "one!"]


async def test_undo_takes_no_running_answer_along(store: SqlConversations, say: Say) -> None:
    await say("one")
    _, answer, _ = await store.begin(PLACE, BERND, "two")
    for only_by in (ANNA.id, None):
        with pytest.raises(BadInput, match=r"^An answer is being written here; please wait until it ends\.$"):
            await store.undo(PLACE, only_by=only_by)
    with pytest.raises(NotAllowed):
        await store.undo(PLACE, only_by=BERND.id)
    await store.finish(answer, "two!", EndReason.COMPLETE, RECEIPT)
    assert texts(await store.branch(PLACE)) == ["one", "one!", "two", "two!"]
    assert texts(await store.undo(PLACE, only_by=BERND.id)) == ["two", "two!"]


async def test_an_answer_that_runs_elsewhere_hinders_no_undo(store: SqlConversations, say: Say) -> None:
    _, beside, _ = await store.begin(PLACE, BERND, "beside")
    await store.begin(OTHER, BERND, "elsewhere")
    await say("one")
    assert texts(await store.undo(PLACE, only_by=ANNA.id)) == ["one", "one!"]
    await store.finish(beside, "beside!", EndReason.COMPLETE, RECEIPT)
    assert texts(await store.branch(PLACE)) == ["beside", "beside!"]


async def test_one_may_clear_only_what_nobody_else_asked_in(store: SqlConversations, say: Say) -> None:
    await say("one", by=ANNA)
    await say("elsewhere", by=BERND, place=OTHER)
    assert await store.clear(PLACE, only_by=ANNA.id) == 2
    await say("two", by=ANNA)
    await store.begin(PLACE, BERND, "running")
    for author in (ANNA, BERND):
        with pytest.raises(NotAllowed, match=r"^Other people asked here too; .* “Manage Messages”\.$"):
            await store.clear(PLACE, only_by=author.id)
    assert await store.count(PLACE) == 4
    assert await store.clear(PLACE, only_by=None) == 4
    assert await store.clear(PLACE, only_by=ANNA.id) == 0


async def test_a_summary_counts_the_shown_branch_and_nothing_beside_it(store: SqlConversations, say: Say) -> None:
    await say("one")
    start, _ = await say("two")
    await store.move_window(PLACE, start)
    await say("dead end", "")
    await say("three")
    await store.begin(PLACE, ANNA, "running")
    summary = await store.summary(PLACE, newest=3)
    assert summary.total == 6
    assert texts([*summary.window]) == ["two", "two!", "three", "three!"]
    assert texts([*summary.newest]) == ["two!", "three", "three!"]


async def test_a_summary_of_nothing_makes_no_conversation(store: SqlConversations, say: Say, rows: Rows) -> None:
    await say("dead end", "", place=OTHER)
    for place in (PLACE, OTHER):
        assert await store.summary(place, newest=3) == Summary(total=0, window=[], newest=[])
    assert await rows(schema.conversations) == 1


async def test_a_running_answer_that_was_cleared_does_not_come_back(
    store: SqlConversations, say: Say, rows: Rows
) -> None:
    await say("one")
    question, answer, _ = await store.begin(PLACE, ANNA, "two")
    await store.clear(PLACE, only_by=None)
    again, _ = await say("three")
    await store.shown_as(answer, 99)
    await store.finish(answer, "late", EndReason.COMPLETE, RECEIPT, question_tokens=3)
    assert again not in (question, answer)
    assert texts(await store.branch(PLACE)) == ["three", "three!"]
    assert await rows(schema.discord_messages) == 0
    assert await store.interrupt_running() == []


async def test_a_cleared_place_is_empty_and_begins_a_new_conversation(store: SqlConversations, say: Say) -> None:
    first, _ = await say("one")
    await store.clear(PLACE, only_by=None)
    assert await store.window(PLACE) == []
    await store.move_window(PLACE, first)
    _, answer, window = await store.begin(PLACE, ANNA, "two")
    assert window == []
    await store.finish(answer, "two!", EndReason.COMPLETE, RECEIPT)
    assert texts(await store.branch(PLACE)) == ["two", "two!"]


async def test_what_a_crash_left_of_a_cleared_conversation_is_purged(
    store: SqlConversations, say: Say, rows: Rows, database: Database
) -> None:
    for number in range(3):
        await say(str(number))
    _, running, _ = await store.begin(PLACE, ANNA, "still running")
    await say("there", place=OTHER)
    await database.write(tree.unlink, PLACE, None)  # all that clear does before its purge
    assert [await store.count(PLACE), await store.branch(PLACE), await store.interrupt_running()] == [0, [], []]
    await store.finish(running, "late", EndReason.COMPLETE, RECEIPT)
    await store.purge()
    assert [await rows(schema.messages), await rows(schema.conversations)] == [2, 1]
    assert texts(await store.branch(OTHER)) == ["there", "there!"]


async def test_answers_that_were_running_are_interrupted_once(store: SqlConversations, say: Say, url: str) -> None:
    thread = Place(20, 7, 10)
    await say("done")
    _, first, _ = await store.begin(thread, ANNA, "one")
    _, second, _ = await store.begin(Place(30), ANNA, "two")
    async with await open_database(url) as again:
        restarted = SqlConversations(again)
        assert await restarted.interrupt_running() == [first, second]
        assert await restarted.interrupt_running() == []
        assert await restarted.branch(thread) == []


async def shown(store: SqlConversations, answer_id: int) -> tuple[int, ...]:
    answer = await store.answer(PLACE.channel_id, answer_id)
    assert answer
    return answer.discord_ids


async def test_a_discord_message_shows_one_message_at_a_time(store: SqlConversations, database: Database) -> None:
    _, first, _ = await store.begin(PLACE, ANNA, "one")
    _, second, _ = await store.begin(PLACE, ANNA, "two")
    await store.shown_as(first, 500)
    await store.shown_as(second, 500)
    await store.shown_as(999, 500)
    assert [await shown(store, answer_id) for answer_id in (first, second)] == [(), (500,)]


async def test_the_messages_that_show_an_answer_are_in_the_order_in_which_they_came(store: SqlConversations) -> None:
    _, answer, _ = await store.begin(PLACE, ANNA, "one")
    for page in (502, 501, 502, 503):
        await store.shown_as(answer, page)
    assert await shown(store, answer) == (502, 501, 503)


async def test_the_last_estimate_is_of_the_model_and_has_both_numbers(
    store: SqlConversations, database: Database
) -> None:
    for model, estimate, tokens in (("a", 10, 11), ("a", 20, 22), ("b", 30, 33), ("a", 40, None), ("a", None, 55)):
        _, answer, _ = await store.begin(PLACE, ANNA, "?")
        receipt = Receipt(model, "assistant", 0, {}, prompt_estimate=estimate, prompt_tokens=tokens)
        await store.finish(answer, "", EndReason.STOPPED, receipt)
    for memory in (store, SqlConversations(database)):
        assert [await memory.last_estimate(model) for model in ("a", "b", "c")] == [(20, 22), (30, 33), None]


async def test_answers_in_many_places_at_once_do_not_disturb_each_other(store: SqlConversations, say: Say) -> None:
    places = [Place(number, 7) for number in range(100, 110)]
    await asyncio.gather(*(say(f"{place.channel_id} {n}", place=place) for n in range(3) for place in places))
    for place in places:
        assert {text.split()[0] for text in texts(await store.branch(place))} == {str(place.channel_id)}
        assert await store.count(place) == 6
