from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select

from bot.chat.messages import EndReason
from bot.chat.privacy import RETENTION
from bot.chat.thoughts import KEPT, Thoughts
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, utc_now
from bot.storage.privacy import SqlPrivacy
from bot.storage.schema import thoughts
from bot.storage.settings import SqlSettings

from .story import ANNA, PLACE, RECEIPT


@dataclass
class Calendar:
    passed: timedelta = timedelta()

    def now(self) -> datetime:
        return utc_now() + self.passed


async def answered(store: SqlConversations, thought: str, *, answer: str = "Yes.") -> int:
    begun = await store.begin(PLACE, ANNA, "Is it so?")
    await store.finish(begun.answer_id, answer, EndReason.COMPLETE, RECEIPT, thoughts=thought)
    return begun.answer_id


async def kept(database: Database) -> int:
    query = select(func.count()).select_from(thoughts)
    return await database.read(lambda connection: connection.execute(query).scalar_one())


async def test_thoughts_are_found_by_their_answer_alone(database: Database) -> None:
    store = SqlConversations(database)
    first, second = await answered(store, "Hm."), await answered(store, "")

    assert await store.thoughts(first) == Thoughts("Hm.", PLACE.channel_id, ANNA.id)
    assert await store.thoughts(second) is None
    assert all("Hm." not in message.content for message in await store.branch(PLACE))


async def test_thoughts_without_an_answer_are_kept_too(database: Database) -> None:
    store = SqlConversations(database)

    assert await store.thoughts(await answered(store, "Hm.", answer="")) is not None


async def test_an_answer_that_goes_on_keeps_the_thoughts_that_it_began_with(database: Database) -> None:
    store = SqlConversations(database)
    answer = await answered(store, "Hm.")

    await store.finish(answer, "Yes, and more.", EndReason.COMPLETE, RECEIPT)

    found = await store.thoughts(answer)
    assert found is not None
    assert found.text == "Hm."


async def test_thoughts_go_with_their_answer(database: Database) -> None:
    store = SqlConversations(database)
    await answered(store, "Hm.")
    taken_back = await answered(store, "Hm!")

    await store.undo(PLACE, only_by=None)
    assert await store.thoughts(taken_back) is None
    assert await kept(database) == 1
    await store.clear(PLACE, only_by=None)
    assert await kept(database) == 0


async def test_thoughts_of_what_was_cleared_meanwhile_are_not_kept(database: Database) -> None:
    store = SqlConversations(database)
    begun = await store.begin(PLACE, ANNA, "Is it so?")
    await store.clear(PLACE, only_by=None)

    await store.finish(begun.answer_id, "Yes.", EndReason.COMPLETE, RECEIPT, thoughts="Hm.")

    assert await kept(database) == 0


async def test_after_their_time_thoughts_are_deleted_by_the_next_ones_or_the_hourly_look(database: Database) -> None:
    calendar = Calendar()
    store = SqlConversations(database, calendar.now)
    answer = await answered(store, "Hm.")

    calendar.passed = KEPT - timedelta(minutes=1)
    assert await store.thoughts(answer) is not None
    calendar.passed = KEPT + timedelta(minutes=1)
    assert await store.thoughts(answer) is None
    await answered(store, "Hm!")
    assert await kept(database) == 1

    calendar.passed *= 2
    privacy = SqlPrivacy(database, SqlSettings(database), calendar.now)
    await privacy.sweep(RETENTION, calendar.now(), 0)
    assert await kept(database) == 0
    assert [message.content for message in await store.branch(PLACE)] == ["Is it so?", "Yes."] * 2


async def test_the_tokens_of_an_answer_that_was_thought_out_are_not_those_of_its_text(database: Database) -> None:
    store = SqlConversations(database)
    for receipt in (RECEIPT, replace(RECEIPT, thought_seconds=2.5)):
        begun = await store.begin(PLACE, ANNA, "Is it so?")
        await store.finish(begun.answer_id, "Yes.", EndReason.COMPLETE, receipt)

    answers = (await store.branch(PLACE))[1::2]
    assert [(answer.tokens, answer.tokenizer) for answer in answers] == [
        (RECEIPT.answer_tokens, RECEIPT.model),
        (None, None),
    ]
