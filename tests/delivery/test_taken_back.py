"""What was shown as an answer and turns out to be thoughts."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery import wording
from bot.delivery.buttons import Row
from bot.delivery.rendering import Rendering
from tests.virtual_time import run
from tests.wall import DONE, Shown, Wall, expected

WORDS = st.integers(1, 700).map(lambda count: "".join(f"word{number} " for number in range(count)))


@settings(max_examples=50, deadline=None)
@given(WORDS, WORDS, st.integers(0, 20))
def test_the_answer_stands_in_the_place_of_the_thoughts(thoughts: str, answer: str, pause: int) -> None:
    async def story() -> tuple[Shown, list[str]]:
        shown = Shown(Wall())
        await shown.stream(thoughts, rate=200)
        shown.live.take_back()
        await asyncio.sleep(pause)
        await shown.stream(answer, rate=200)
        return shown, await shown.end()

    shown, pages = run(story())
    answered = expected(answer, DONE)

    assert pages[: len(answered)] == answered
    assert set(pages[len(answered) :]) <= {wording.TAKEN_BACK}
    assert shown.live.length == len(pages)


def test_thoughts_that_are_taken_back_give_way_at_once_to_what_goes_on() -> None:
    async def story() -> tuple[list[str], list[str]]:
        shown = Shown(Wall())
        await shown.stream("Let me see. ")
        await asyncio.sleep(1)
        shown.live.take_back()
        await asyncio.sleep(6)
        between = list(shown.wall.pages)
        await shown.stream("Yes.")
        return between, await shown.end()

    between, pages = run(story())

    assert between == ["-# alice asked: Why?\n-# Thinking…"]
    assert pages == expected("Yes.", DONE)


def test_the_buttons_stand_below_the_answer_and_not_below_what_is_left_of_the_thoughts() -> None:
    rendering = Rendering("")
    rendering.feed("word " * 900)
    for page in range(3):
        rendering.wrote(page, rendering.look(page), rendering.version)
    rendering.take_back()
    rendering.feed("Yes.")
    rendering.finish(DONE)

    assert [rendering.look(page).row for page in range(rendering.length)] == [Row.END, Row.NONE, Row.NONE]
    assert not any(rendering.needs_file(page) for page in range(rendering.length))
