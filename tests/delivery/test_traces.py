"""What the database must know of an answer on its way, where the database fails."""

from __future__ import annotations

from bot.chat.answers import Control, Question
from bot.chat.messages import Author, Place
from bot.delivery.running import Running
from bot.delivery.traces import Traces
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, utc_now
from bot.storage.open_answers import SqlOpenAnswers
from tests.wall import Wall


async def test_a_question_that_can_not_be_stored_anew_stays_as_it_was_stored(database: Database) -> None:
    store = SqlOpenAnswers(database)
    question = Question(Place(5, 7), Author(1, "Anna"), "Why?")
    running = Running(question, Wall(), Control(), None)
    traces = Traces(running, memory=SqlConversations(database), open_answers=store, now=utc_now)
    await traces.open(anonymous=False)
    [row] = await traces.rows()
    await database.write(
        lambda connection: connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON open_answers BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    )

    await traces.open_anew(anonymous=False)

    assert await traces.rows() == [row]
    assert [left.id for left in await store.all()] == [row]
