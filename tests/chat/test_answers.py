from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.answers import Control, File, Question, TextFile
from bot.chat.messages import EndReason, Image

from .parts import ANNA, PLACE


def asked(text: str, *files: File) -> str:
    return Question(PLACE, ANNA, text, files=files).with_files()


def test_a_question_without_files_is_its_text() -> None:
    assert asked("Why?") == "Why?"


def test_files_follow_the_text_each_with_its_name_in_a_fence() -> None:
    files = TextFile("a.py", "x = 1"), TextFile("b.txt", "two\n")

    assert asked("Why?", *files) == "Why?\n\na.py:\n```\nx = 1\n```\n\nb.txt:\n```\ntwo\n\n```"


def test_a_file_alone_is_a_question_too() -> None:
    assert asked("", TextFile("a.py", "x")) == "a.py:\n```\nx\n```"


def test_an_image_is_named_where_it_came() -> None:
    assert asked("Why?", Image("b.png", b""), TextFile("a.py", "x")) == "Why?\n\n[image: b.png]\n\na.py:\n```\nx\n```"


@given(st.text(st.sampled_from("`a\n "), max_size=50))
def test_nothing_in_a_file_closes_its_fence(content: str) -> None:
    found = re.fullmatch(r"f:\n(`{3,})\n(.*)\n\1", asked("", TextFile("f", content)), re.DOTALL)

    assert found
    assert found[2] == content
    assert found[1] not in content


async def test_work_that_ends_by_itself_has_no_reason() -> None:
    control, done = Control(), asyncio.Event()

    async def work() -> None:
        done.set()

    await control.run(work())

    assert done.is_set()
    assert control.reason is None


async def test_a_failure_of_the_work_comes_out() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Control().run(work())


async def test_work_that_was_stopped_before_it_began_never_begins() -> None:
    control, begun = Control(), asyncio.Event()

    async def work() -> None:
        begun.set()

    control.stop()
    await control.run(work())

    assert control.reason is EndReason.STOPPED
    assert not begun.is_set()


async def test_the_first_reason_counts() -> None:
    control, begun = Control(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(control.run(work()))
    await begun.wait()
    control.stop()
    control.stop(EndReason.INTERRUPTED)
    await running

    assert control.reason is EndReason.STOPPED


@pytest.mark.parametrize(
    ("stopped", "reason"), [(False, EndReason.INTERRUPTED), (True, EndReason.STOPPED)], ids=["alone", "after a stop"]
)
async def test_whoever_waits_for_the_work_can_be_cancelled(stopped: bool, reason: EndReason) -> None:
    control, begun, ended = Control(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.create_task(control.run(work()))
    await begun.wait()
    if stopped:
        control.stop()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert control.reason is reason
    assert ended.is_set()


async def test_stopping_what_has_ended_changes_nothing_but_the_reason() -> None:
    control = Control()

    async def work() -> None:
        return

    await control.run(work())
    control.stop()

    assert control.reason is EndReason.STOPPED
