"""What becomes of a question whose answer fails or is stopped."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.chat.messages import EndReason
from bot.errors import (
    ModelBusy,
    ModelError,
    ModelFailed,
    ModelNotFound,
    ModelOutOfMemory,
    ModelUnreachable,
    QueueFull,
    StorageError,
    StreamBroken,
)
from bot.llm.ollama import TimeLimits, connect
from tests.fake_ollama import MODEL, Fault

from .parts import HOST, OTHER_PLACE, PLACE, SYSTEM, Hold, Parts, View, put_together


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(404, f'model "{MODEL}" not found, try pulling it first'), ModelNotFound),
        (Fault(503, "server busy, please try again.  maximum pending requests exceeded"), ModelBusy),
        (Fault(500, "model requires more system memory (9 GiB) than is available (1 GiB)"), ModelOutOfMemory),
        (Fault(500, "something else"), ModelFailed),
    ],
)
async def test_a_refusal_ends_in_its_own_error_and_leaves_no_exchange(
    parts: Parts, fault: Fault, error: type[ModelError]
) -> None:
    parts.fake.fault = fault

    finished = await parts.ask("Hi?")

    assert finished.reason is EndReason.FAILED
    assert type(finished.error) is error
    assert (finished.model, finished.persona) == (MODEL, "assistant")
    assert await parts.contents() == []


async def test_an_ollama_that_is_not_there_ends_in_a_sentence(parts: Parts) -> None:
    parts.fake.offline = True

    finished = await parts.ask("Hi?")

    assert finished.reason is EndReason.FAILED
    assert isinstance(finished.error, ModelUnreachable)


@pytest.mark.parametrize("how", ["error line", "no last line"])
async def test_a_stream_that_breaks_keeps_what_came(parts: Parts, how: str) -> None:
    if how == "error line":
        parts.fake.error_line = "an error was encountered while running the model"
    else:
        parts.fake.ending = None

    asked = parts.start("Hi?")
    finished = await asked.task

    assert finished.reason is EndReason.FAILED
    assert isinstance(finished.error, ModelError)
    assert asked.view.shown == "Hello there."
    question, answer = await parts.memory.branch(PLACE)
    assert (question.content, answer.content, answer.end_reason) == ("Hi?", "Hello there.", EndReason.FAILED)
    assert answer.tokens is None


async def test_a_stall_keeps_what_came(tmp_path: Path) -> None:
    async with put_together(tmp_path) as parts:
        hold = parts.fake.between = Hold(at=1)
        async with connect(HOST, TimeLimits(between=0.01), transport=parts.fake.transport) as impatient:
            parts.assistant._model = impatient
            finished = await parts.ask("Hi?")

        assert hold.reached.is_set()
        assert finished.reason is EndReason.FAILED
        assert await parts.contents() == ["Hi?", "Hello "]


async def test_an_empty_stream_without_an_end_is_broken(parts: Parts) -> None:
    parts.fake.answer, parts.fake.ending = [], None

    finished = await parts.ask("Hi?")

    assert isinstance(finished.error, StreamBroken)
    assert await parts.contents() == []


async def test_a_model_that_says_nothing_has_ended_all_the_same(parts: Parts) -> None:
    parts.fake.answer = []

    finished = await parts.ask("Hi?")

    assert (finished.reason, finished.error) == (EndReason.COMPLETE, None)
    assert await parts.contents() == []


async def test_a_question_without_an_answer_is_not_in_the_next_prompt_but_still_stored(parts: Parts) -> None:
    await parts.ask("One")
    parts.fake.fault = Fault(500, "no")
    await parts.ask("Lost")
    parts.fake.fault = None

    await parts.ask("Two")

    assert parts.fake.prompts[-1] == [SYSTEM, ("user", "One"), ("assistant", "Hello there."), ("user", "Two")]
    assert await parts.memory.count(PLACE) == 6


async def test_half_an_answer_is_in_the_next_prompt(parts: Parts) -> None:
    parts.fake.ending = None
    await parts.ask("One")
    parts.fake.ending = {"done_reason": "stop"}

    await parts.ask("Two")

    assert parts.fake.prompts[-1] == [SYSTEM, ("user", "One"), ("assistant", "Hello there."), ("user", "Two")]


async def test_an_unexpected_error_ends_the_answer_like_any_other(parts: Parts) -> None:
    class Broken(View):
        def text(self, text: str) -> None:
            super().text(text)
            raise ZeroDivisionError

    asked = parts.start("Hi?", view=Broken())
    finished = await asked.task

    assert finished.reason is EndReason.FAILED
    assert isinstance(finished.error, ZeroDivisionError)
    assert await parts.contents() == ["Hi?", "Hello "]
    assert parts.fake.closed == 1


async def test_a_full_line_ends_the_question_at_once(tmp_path: Path) -> None:
    async with put_together(tmp_path, parallel=1, waiting=0) as parts:
        hold = parts.fake.between = Hold()
        first = parts.start("One")
        await hold.reached.wait()

        finished = await parts.ask("Two", place=OTHER_PLACE)

        assert finished.reason is EndReason.FAILED
        assert isinstance(finished.error, QueueFull)
        hold.go.set()
        assert (await first.task).reason is EndReason.COMPLETE


async def test_a_stop_in_line_leaves_no_trace(parts: Parts) -> None:
    hold = parts.fake.between = Hold()
    first = parts.start("One")
    await hold.reached.wait()
    waiting = parts.start("Two")
    await waiting.view.waits.wait()

    waiting.control.stop()
    finished = await waiting.task

    assert (finished.reason, finished.error, finished.model) == (EndReason.STOPPED, None, "")
    hold.go.set()
    await first.task
    assert await parts.contents() == ["One", "Hello there."]
    assert len(parts.fake.asked) == 1


async def test_a_stop_before_the_first_word_closes_the_stream(parts: Parts) -> None:
    hold = parts.fake.between = Hold()
    asked = parts.start("Hi?")
    await hold.reached.wait()

    asked.control.stop()
    finished = await asked.task

    assert (finished.reason, finished.error, asked.view.shown) == (EndReason.STOPPED, None, "")
    assert parts.fake.closed == 1
    assert await parts.contents() == []
    parts.fake.between = None
    assert (await parts.ask("Again")).reason is EndReason.COMPLETE


async def test_a_stop_while_it_streams_closes_the_stream_and_keeps_what_came(parts: Parts) -> None:
    hold = parts.fake.between = Hold(at=1)
    asked = parts.start("Hi?")
    await hold.reached.wait()
    await asked.view.shows.wait()

    asked.control.stop()
    finished = await asked.task

    assert (finished.reason, finished.error) == (EndReason.STOPPED, None)
    assert parts.fake.closed == 1
    answer = (await parts.memory.branch(PLACE))[1]
    assert (answer.content, answer.end_reason) == ("Hello ", EndReason.STOPPED)


async def test_a_stop_after_the_end_changes_nothing(parts: Parts) -> None:
    asked = parts.start("Hi?")
    await asked.task

    asked.control.stop()

    assert (await parts.memory.branch(PLACE))[1].end_reason is EndReason.COMPLETE


async def test_an_interrupted_answer_is_marked_as_such(parts: Parts) -> None:
    hold = parts.fake.between = Hold(at=1)
    asked = parts.start("Hi?")
    await hold.reached.wait()

    asked.control.stop(EndReason.INTERRUPTED)
    finished = await asked.task

    assert finished.reason is EndReason.INTERRUPTED
    assert (await parts.memory.branch(PLACE))[1].end_reason is EndReason.INTERRUPTED


@pytest.mark.parametrize(
    ("stopped", "reason"), [(False, EndReason.INTERRUPTED), (True, EndReason.STOPPED)], ids=["alone", "after a stop"]
)
async def test_cancelling_the_process_keeps_what_came(parts: Parts, stopped: bool, reason: EndReason) -> None:
    hold = parts.fake.between = Hold(at=1)
    asked = parts.start("Hi?")
    await hold.reached.wait()
    await asked.view.shows.wait()

    if stopped:
        asked.control.stop()
    asked.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked.task

    answer = (await parts.memory.branch(PLACE))[1]
    assert (answer.content, answer.end_reason) == ("Hello ", reason)
    assert parts.fake.closed == 1


async def test_a_stop_while_the_question_is_being_stored_lets_it_be_stored(parts: Parts) -> None:
    """Else nobody would know that an answer was begun, and it would count as running for ever."""
    begun, release = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        begun.set()
        release.wait()

    before = asyncio.create_task(parts.database.write(hold))
    await asyncio.to_thread(begun.wait)
    asked = parts.start("Hi?")
    while not parts.database._writer._thread._tx.qsize():  # noqa: ASYNC110  # the queue tells nobody
        await asyncio.sleep(0)
    asked.control.stop()
    release.set()
    finished = await asked.task
    await before

    assert (finished.reason, finished.error) == (EndReason.STOPPED, None)
    assert len(asked.stored) == 1
    assert await parts.memory.count(PLACE) == 2
    assert await parts.memory.interrupt_running() == []
    assert parts.fake.asked == []


@pytest.mark.parametrize(("moment", "most"), [("asked", 150), ("starts", 50), ("shows", 50)])
async def test_a_stop_at_any_moment_ends_cleanly(parts: Parts, moment: str, most: int) -> None:
    """After each number of turns of the event loop: nothing stays running, in line, open or half stored."""
    for ticks in range(most):
        question = f"Question {ticks}"
        asked = parts.start(question)
        if moment != "asked":
            await (asked.view.starts if moment == "starts" else asked.view.shows).wait()
        for _ in range(ticks):
            await asyncio.sleep(0)
        asked.control.stop()
        async with asyncio.timeout(5):
            finished = await asked.task
        assert finished.reason in {EndReason.STOPPED, EndReason.COMPLETE}
        assert finished.error is None
        branch = await parts.memory.branch(PLACE)
        if asked.view.shown:
            assert [message.content for message in branch[-2:]] == [question, asked.view.shown]
            assert branch[-1].end_reason is finished.reason
        else:
            assert question not in {message.content for message in branch}

    assert await parts.memory.interrupt_running() == []
    assert (await parts.ask("Last")).reason is EndReason.COMPLETE


async def test_clearing_the_memory_while_an_answer_streams_does_not_disturb_it(parts: Parts) -> None:
    hold = parts.fake.between = Hold(at=1)
    asked = parts.start("Hi?")
    await hold.reached.wait()

    await parts.history.clear(PLACE)
    hold.go.set()
    finished = await asked.task

    assert (finished.reason, finished.error) == (EndReason.COMPLETE, None)
    assert asked.view.shown == "Hello there."
    assert await parts.contents() == []


async def break_storage(parts: Parts) -> None:
    rename = sa.text("ALTER TABLE receipts RENAME TO gone")
    await parts.database.write(lambda connection: connection.execute(rename))


async def test_a_storage_that_fails_at_the_end_does_not_take_the_answer_away(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    hold = parts.fake.between = Hold(at=2)
    asked = parts.start("Hi?")
    await hold.reached.wait()

    await break_storage(parts)
    hold.go.set()
    finished = await asked.task

    assert finished.reason is EndReason.COMPLETE
    assert finished.error is not None
    assert asked.view.shown == "Hello there."
    assert caplog.messages == []  # who shows the error logs it, with its id


async def test_a_storage_that_fails_at_the_end_does_not_hide_why_the_answer_failed(parts: Parts) -> None:
    hold = parts.fake.between = Hold(at=2)
    parts.fake.ending = None
    asked = parts.start("Hi?")
    await hold.reached.wait()

    await break_storage(parts)
    hold.go.set()
    finished = await asked.task

    assert finished.reason is EndReason.FAILED
    assert isinstance(finished.error, StreamBroken)


def fill(connection: sa.Connection) -> None:
    """Leave no room in the database's file, and let it not grow."""
    free = connection.execute(sa.text("PRAGMA freelist_count")).scalar_one()
    size = connection.execute(sa.text("PRAGMA page_size")).scalar_one()
    connection.execute(sa.text("INSERT INTO state VALUES ('filler', zeroblob(:size))"), {"size": free * size})
    connection.execute(sa.text("PRAGMA max_page_count = 1"))


async def test_a_question_that_can_not_be_stored_is_answered_all_the_same_and_says_so(parts: Parts) -> None:
    await parts.ask("Hi?")
    await parts.database.write(fill)

    finished = await parts.ask("Why? " * 1_000)

    assert finished.reason is EndReason.COMPLETE
    assert isinstance(finished.error, StorageError)
    assert str(finished.error).startswith("This question and its answer are not remembered. The disk ")
    assert [content for _, content in parts.fake.prompts[-1][1:3]] == ["Hi?", "Hello there."]
    assert await parts.contents() == ["Hi?", "Hello there."]


async def test_why_a_question_that_can_not_be_stored_has_no_answer_is_said_instead(parts: Parts) -> None:
    await parts.database.write(fill)
    parts.fake.ending = None

    finished = await parts.ask("Why? " * 1_000)

    assert finished.reason is EndReason.FAILED
    assert isinstance(finished.error, StreamBroken)


def watching() -> list[asyncio.Task[object]]:
    """The tasks that explain a silence."""
    return [task for task in asyncio.all_tasks() if "_watch" in repr(task.get_coro())]


async def test_nothing_is_explained_any_more_once_text_has_come(parts: Parts) -> None:
    hold = parts.fake.between = Hold(at=0)
    asked = parts.start("Hi?")
    await hold.reached.wait()
    assert len(watching()) == 1

    parts.fake.between = last = Hold(at=1)
    hold.go.set()
    await last.reached.wait()
    await asked.view.shows.wait()

    assert watching() == []
    last.go.set()
    await asked.task
