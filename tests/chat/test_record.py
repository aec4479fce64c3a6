"""What a receipt says of an answer that was cut off and went on later."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.answers import Control, Question
from bot.chat.messages import Answer, Receipt

from .parts import ANNA, GENERAL, PLACE, Parts, View

EARLIER = Receipt(
    "tiny:1b",
    "assistant",
    0,
    {},
    answer_tokens=7,
    writing_seconds=2.0,
    total_seconds=300.0,
    first_text_seconds=200.0,
    waited_seconds=100.0,
    load_seconds=50.0,
)


async def cut_off(parts: Parts) -> Answer:
    """An answer that ended at the token limit."""
    parts.fake.ending = {"done_reason": "length"}
    asked = parts.start("Count")
    await asked.task
    answer = await parts.memory.answer(GENERAL, asked.stored[0][1])
    assert answer
    return answer


async def gone_on(parts: Parts, answer: Answer) -> Receipt:
    """The receipt after the rest came."""
    question = Question(PLACE, ANNA, "Count", more_of=answer)
    finished = await parts.assistant.answer(question, View(), Control(), remembered=lambda *_: None)
    assert finished.receipt
    return finished.receipt


async def test_its_beginning_is_that_of_the_first_part_and_what_both_took_is_added(parts: Parts) -> None:
    receipt = await gone_on(parts, replace(await cut_off(parts), receipt=EARLIER))

    assert (receipt.first_text_seconds, receipt.waited_seconds, receipt.load_seconds) == (200.0, 100.0, 50.0)
    assert (receipt.answer_tokens, receipt.writing_seconds) == (9, 2.1)
    assert receipt.total_seconds is not None
    assert 300.0 < receipt.total_seconds < 360.0


async def test_of_a_first_part_that_a_crash_cut_off_no_time_is_known(parts: Parts) -> None:
    receipt = await gone_on(parts, replace(await cut_off(parts), receipt=None))

    assert receipt.prompt_tokens
    assert receipt.answer_tokens is receipt.writing_seconds is receipt.total_seconds is None
    assert receipt.first_text_seconds is receipt.waited_seconds is receipt.load_seconds is None
