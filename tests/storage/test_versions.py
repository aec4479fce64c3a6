"""Versions of an answer, branches from an older one, and what stays when one is removed."""

from __future__ import annotations

import pytest

from bot.chat.messages import Answer, Author, EndReason, Place, Receipt
from bot.errors import BadInput
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database

PLACE, ELSEWHERE = Place(1, 2), Place(3, 2)
ANNA, BERND = Author(4, "Anna"), Author(5, "Bernd")
RECEIPT = Receipt("tiny:1b", "assistant", 0, {"num_predict": 5}, answer_tokens=3)


@pytest.fixture
def store(database: Database) -> SqlConversations:
    return SqlConversations(database)


async def say(store: SqlConversations, question: str, text: str, *, after: int | None = None) -> int:
    """A question and its answer, which is shown in a message of its own: 1000 and the answer's id."""
    begun = await store.begin(PLACE, ANNA, question, after=after)
    await store.finish(begun.answer_id, text, EndReason.COMPLETE, RECEIPT)
    await store.shown_as(begun.answer_id, 1000 + begun.answer_id)
    return begun.answer_id


async def say_again(store: SqlConversations, answer_id: int, text: str) -> int:
    begun = await store.begin_again(answer_id)
    await store.finish(begun.answer_id, text, EndReason.COMPLETE, RECEIPT)
    return begun.answer_id


async def branch(store: SqlConversations) -> list[str]:
    return [message.content for message in await store.branch(PLACE)]


async def found(store: SqlConversations, answer_id: int) -> Answer:
    answer = await store.answer(PLACE.channel_id, answer_id)
    assert answer
    return answer


async def test_a_new_version_is_a_sibling_that_reads_what_the_first_one_read(store: SqlConversations) -> None:
    await say(store, "Q1", "A1")
    first = await say(store, "Q2", "A2")

    begun = await store.begin_again(first)
    before = await branch(store)
    await store.finish(begun.answer_id, "A2b", EndReason.COMPLETE, RECEIPT)

    assert [message.content for message in begun.window] == ["Q1", "A1"]
    assert before == ["Q1", "A1", "Q2", "A2"], "until there is a text, the old version counts"
    assert await branch(store) == ["Q1", "A1", "Q2", "A2b"]


async def test_versions_are_those_with_a_text_and_the_one_that_is_asked_for(store: SqlConversations) -> None:
    first = await say(store, "Q", "A")
    failed = (await store.begin_again(first)).answer_id
    await store.finish(failed, "", EndReason.FAILED, RECEIPT)
    third = await say_again(store, first, "C")

    numbers = {name: await found(store, name) for name in (first, failed, third)}

    assert {name: (it.version, len(it.versions)) for name, it in numbers.items()} == {
        first: (1, 2),
        failed: (2, 3),
        third: (2, 2),
    }


async def test_choosing_a_version_brings_back_what_was_said_after_it(store: SqlConversations) -> None:
    first = await say(store, "Q1", "A1")
    await say(store, "Q2", "A2")
    await say(store, "Q3", "A3")
    later = await store.later(first)
    other = await say_again(store, first, "A1b")

    left_none = await store.choose(other)
    back = await store.choose(first)
    old = await branch(store)
    left = await store.choose(other)

    assert (later, left_none, back, left) == (4, 0, 0, 4)
    assert old == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]
    assert await branch(store) == ["Q1", "A1b"]


async def test_a_question_below_an_older_answer_branches_there(store: SqlConversations) -> None:
    first = await say(store, "Q1", "A1")
    second = await say(store, "Q2", "A2")

    begun = await store.begin(PLACE, ANNA, "Q1b", after=1000 + first)
    await store.finish(begun.answer_id, "A1b", EndReason.COMPLETE, RECEIPT)
    newest = await store.begin(PLACE, ANNA, "Q3", after=1000 + begun.answer_id)
    unknown = await store.begin(PLACE, ANNA, "Q4", after=77)
    foreign = await store.begin(ELSEWHERE, ANNA, "Q5", after=1000 + second)

    assert [message.content for message in begun.window] == ["Q1", "A1"]
    expected = ["Q1", "A1", "Q1b", "A1b"]
    assert [it.content for it in newest.window] == [it.content for it in unknown.window] == expected
    assert foreign.window == []


async def test_the_window_of_an_older_branch_begins_where_the_shown_one_does(store: SqlConversations) -> None:
    await say(store, "Q1", "A1")
    first = await say(store, "Q2", "A2")
    last = await say(store, "Q3", "A3")
    question = (await found(store, first)).question_id
    await store.move_window(PLACE, question)

    begun = await store.begin_again(last)

    assert [message.content for message in begun.window] == ["Q2", "A2"]


async def test_an_answer_that_goes_on_keeps_its_text_until_there_is_more(store: SqlConversations) -> None:
    await say(store, "Q1", "A1")
    cut = await say(store, "Q2", "A2")

    begun = await store.resume(cut)
    meanwhile = await found(store, cut)
    with pytest.raises(BadInput, match="being written"):
        await store.resume(cut)
    await store.finish(cut, "A2 and more", EndReason.COMPLETE, RECEIPT)

    assert (begun.answer_id, [message.content for message in begun.window]) == (cut, ["Q1", "A1"])
    assert (meanwhile.content, meanwhile.end_reason) == ("A2", EndReason.RUNNING)
    assert await branch(store) == ["Q1", "A1", "Q2", "A2 and more"]


async def test_removing_an_answer_takes_its_versions_and_question_and_nothing_later(store: SqlConversations) -> None:
    await say(store, "Q1", "A1")
    middle = await say(store, "Q2", "A2")
    other = await say_again(store, middle, "A2b")
    await store.shown_as(other, 1000 + middle)
    await store.shown_as(other, 2000)
    await say(store, "Q3", "A3")

    gone = await store.remove(other)

    assert gone == [1000 + middle, 2000]
    assert await branch(store) == ["Q1", "A1", "Q3", "A3"]
    assert await store.answer(PLACE.channel_id, middle) is None
    with pytest.raises(BadInput, match="no longer remember"):
        await store.remove(other)


async def test_an_answer_is_found_in_its_own_channel_only_and_until_it_is_cleared(store: SqlConversations) -> None:
    answer_id = await say(store, "Q", "A")

    here, elsewhere = await found(store, answer_id), await store.answer(ELSEWHERE.channel_id, answer_id)
    await store.clear(PLACE, only_by=None)

    assert (here.place, here.asker, here.question, here.discord_ids) == (PLACE, ANNA, "Q", (1000 + answer_id,))
    assert here.receipt == RECEIPT
    assert elsewhere is None
    assert await store.answer(PLACE.channel_id, answer_id) is None


async def test_a_message_that_shows_another_version_belongs_to_that_one(store: SqlConversations) -> None:
    first = await say(store, "Q", "A")
    second = await say_again(store, first, "B")

    await store.shown_as(second, 1000 + first)
    shown = (await found(store, first)).discord_ids, (await found(store, second)).discord_ids
    await store.not_shown([1000 + first])

    assert shown == ((), (1000 + first,))
    assert (await found(store, second)).discord_ids == ()


async def test_a_message_is_shown_where_it_stands_itself_else_where_its_answer_does(store: SqlConversations) -> None:
    first = await say(store, "Q1", "A1")
    second = await say(store, "Q2", "A2")
    one, two = [(await found(store, answer)).question_id for answer in (first, second)]
    await store.shown_as(two, 900)
    await store.shown_as(first, 2000)

    assert [await store.shown_at(it) for it in (one, first, two, second)] == [
        1000 + first,
        1000 + first,
        900,
        1000 + second,
    ]

    await store.not_shown([900, 1000 + first, 2000, 1000 + second])
    assert [await store.shown_at(it) for it in (one, two, 77)] == [None, None, None]


async def test_undo_leaves_what_was_said_after_another_version(store: SqlConversations) -> None:
    first = await say(store, "Q1", "A1")
    begun = await store.begin(PLACE, BERND, "Q2")
    await store.finish(begun.answer_id, "A2", EndReason.COMPLETE, RECEIPT)
    await say_again(store, first, "A1b")

    undone = await store.undo(PLACE, only_by=ANNA.id)

    assert [message.content for message in undone] == ["Q1", "A1b"]
    assert await branch(store) == []
    assert (await found(store, begun.answer_id)).question == "Q2"
    await store.choose(begun.answer_id)
    assert await branch(store) == ["Q2", "A2"]


async def test_nothing_follows_an_answer_that_was_forgotten(store: SqlConversations) -> None:
    answer_id = await say(store, "Q1", "A1")
    await say(store, "Q2", "A2")
    await store.remove(answer_id)

    assert await store.later(answer_id) == 0
    assert await store.elsewhere(answer_id) == 0
