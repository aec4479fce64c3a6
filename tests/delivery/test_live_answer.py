"""However the text comes and however Discord behaves, in the end exactly the answer stands there."""

from __future__ import annotations

import asyncio
import itertools
import logging

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.answers import Finished, Step
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.budget import SAFETY
from bot.delivery.budgets import Budgets
from bot.delivery.live_answer import RETRIES
from bot.delivery.pages import LIMIT
from bot.delivery.schedule import RENEWAL
from bot.delivery.text import units
from bot.errors import BadInput, ModelStalled
from tests.virtual_time import clock, in_virtual_time, run
from tests.wall import DONE, HEADER, Behaviour, Shown, Wall, expected, refusal

FAMILY = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"
MARKUP = ["\n", "\n\n", "```python\n", "```", "`", "**", "||", "- item\n"]
LONG = ["word " * 380, "so on. " * 90, "x" * 700, " " * 300, "\n" * 1500, FAMILY * 200]
CHUNKS = st.sampled_from(["word ", *MARKUP, *LONG, "\ud83d", "\ude00"])
NEWS = st.one_of(
    CHUNKS,
    st.floats(0, 5),  # seconds until the next piece
    st.sampled_from([Step.LOADING, Step.THINKING]),
)
FAILURES = st.sampled_from([refusal(500), refusal(503), refusal(429), OSError("reset"), TimeoutError(), None])
BEHAVIOURS = st.lists(st.builds(Behaviour, seconds=st.floats(0, 2), error=FAILURES), max_size=60).filter(
    lambda behaviours: all(
        len(list(run)) <= len(RETRIES)
        for failed, run in itertools.groupby(behaviours, lambda it: bool(it.error))
        if failed
    )
)
ENDS = st.sampled_from(
    [
        DONE,
        Finished(EndReason.STOPPED, model="tiny:1b", persona="assistant"),
        Finished(EndReason.FAILED, model="tiny:1b", persona="custom", error=ModelStalled("It stood still. Ask again.")),
        Finished(EndReason.FAILED, error=ModelStalled("A long sentence about what is wrong. " * 9)),
        Finished(EndReason.INTERRUPTED, model="tiny:1b", persona="assistant"),
    ]
)


@given(news=st.lists(NEWS, max_size=40), behaviours=BEHAVIOURS, finished=ENDS, header=st.sampled_from([HEADER, ""]))
@settings(max_examples=300, deadline=None)
def test_in_the_end_the_messages_read_as_the_answer_does(
    news: list[str | float], behaviours: list[Behaviour], finished: Finished, header: str
) -> None:
    async def story() -> Wall:
        shown = Shown(Wall(behaviours), header)
        for item in news:
            if isinstance(item, float):
                await asyncio.sleep(item)
            elif isinstance(item, Step):
                shown.live.step(item, "tiny:1b")
            else:
                shown.live.text(item)
        await shown.end(finished)
        return shown.wall

    logging.disable(logging.CRITICAL)
    try:
        wall = run(story())
    finally:
        logging.disable(logging.NOTSET)

    text = "".join(item for item in news if isinstance(item, str) and not isinstance(item, Step))
    final = expected(text, finished, header)
    assert wall.pages == final
    assert wall.pages[-1].endswith(wording.footer(finished))
    assert all(units(content) <= LIMIT for _, content in wall.writes)
    for page, content in enumerate(final):
        assert [written for at, written in wall.writes if at == page].index(content) + 1 == len(
            [written for at, written in wall.writes if at == page]
        ), "nothing is written to a page that reads as it should for good"


@in_virtual_time
async def test_the_first_thing_to_see_is_that_somebody_is_at_it() -> None:
    shown = Shown(Wall())

    await asyncio.sleep(0.01)

    assert shown.wall.pages == [f"{HEADER}\n-# One moment…"]
    await shown.end()


@in_virtual_time
async def test_who_waits_reads_how_many_come_first_each_time_that_is_told() -> None:
    shown = Shown(Wall())
    for ahead in (3, 2, 1):
        shown.live.waiting(ahead, ahead * 40)
        await asyncio.sleep(10)
    shown.live.step(Step.STARTING, "tiny:1b")
    await asyncio.sleep(10)

    assert shown.wall.writes == [(0, f"{HEADER}\n{wording.waiting(ahead, ahead * 40)}") for ahead in (3, 2, 1)]
    await shown.end()


@in_virtual_time
async def test_first_words_and_last_words_go_at_once_and_all_others_in_a_rhythm() -> None:
    shown = Shown(Wall(budgets=Budgets()))
    await asyncio.sleep(0.25)
    began = clock()
    await shown.stream("word " * 340)
    ended = clock()

    await shown.end()

    first, *middle, last = shown.wall.times[1:]
    assert first == began
    assert last - ended <= RENEWAL + SAFETY
    gaps = [later - earlier for earlier, later in itertools.pairwise([first, *middle])]
    assert min(gaps) >= 0.5
    assert max(gaps) <= 1.35


@in_virtual_time
async def test_answers_that_only_wait_take_nothing_from_the_one_that_grows() -> None:
    budgets = Budgets()
    growing = Shown(Wall(budgets=budgets))
    waiting = [Shown(Wall(budgets=budgets)) for _ in range(4)]
    for shown in waiting:
        shown.live.waiting(1)

    await growing.stream("word " * 400)

    assert growing.wall.edits.budgets[0].sharers == 1
    assert len(growing.wall.writes) >= 8
    for shown in [growing, *waiting]:
        await shown.end()
    assert growing.wall.edits.budgets[0].sharers == 0


@in_virtual_time
async def test_the_caller_hears_of_each_write_even_while_text_never_pauses() -> None:
    """A crash in mid-answer can only be mended if the memory knew the message before."""
    shown = Shown(Wall(Behaviour(0.3) for _ in itertools.count()))

    await shown.stream("word " * 50)

    assert shown.links >= 3
    await shown.end()


@in_virtual_time
async def test_failures_that_are_far_between_never_end_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    every_third = (Behaviour(0.01, refusal(500) if count % 3 == 2 else None) for count in itertools.count())
    shown = Shown(Wall(every_third))
    text = "".join(f"{count} " for count in range(400))
    await shown.stream(text)

    pages = await shown.end()

    assert pages == expected(text, DONE)
    assert sum(record.levelno == logging.WARNING for record in caplog.records) > len(RETRIES)
    assert shown.control.reason is None


@in_virtual_time
async def test_a_discord_that_fails_again_and_again_ends_the_showing_and_the_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = Shown(Wall(Behaviour(error=OSError("no route")) for _ in itertools.count()))
    shown.live.text("never seen")

    assert not await shown.task

    assert shown.wall.pages == []
    assert shown.control.reason is EndReason.STOPPED
    assert clock() >= sum(RETRIES)
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        f"An answer is left incomplete in Discord after {len(RETRIES) + 1} failed writes"
    ]


@pytest.mark.parametrize("status", [403, 404])
@in_virtual_time
async def test_a_message_that_is_gone_ends_the_showing_and_the_model_at_once(status: int) -> None:
    gone = refusal(status)
    gone.__class__ = discord.Forbidden if status == 403 else discord.NotFound  # as discord.py would raise it
    shown = Shown(Wall([Behaviour(), Behaviour(error=gone)]))
    await asyncio.sleep(0.01)
    shown.live.text("never seen")

    await shown.task

    assert shown.wall.pages == [f"{HEADER}\n-# One moment…"]
    assert shown.control.reason is EndReason.STOPPED


@in_virtual_time
async def test_a_page_that_filled_up_with_nothing_after_it_still_gets_its_footer() -> None:
    """Only blank lines came after a full page, so it was the last one after all."""
    shown = Shown(Wall())
    shown.live.text("word " * 370 + "\n" * 300)
    await asyncio.sleep(10)

    [page] = await shown.end()

    assert page.endswith("word\n-# tiny:1b · assistant")


@in_virtual_time
async def test_an_error_with_a_very_long_list_in_it_still_fits_into_a_message() -> None:
    shown = Shown(Wall())
    names = ", ".join(f"`persona number {number}`" for number in range(200))

    pages = await shown.end(Finished(EndReason.FAILED, error=BadInput(f"There is no such persona. There are {names}.")))

    assert [page[:40] for page in pages] == [HEADER, "⚠️ There is no such persona. There are `p"[:40]]
    assert all(units(page) <= LIMIT for page in pages)


@in_virtual_time
async def test_a_quick_model_needs_no_placeholder() -> None:
    shown = Shown(Wall(), placeholder_after=0.5)
    await asyncio.sleep(0.3)
    shown.live.text("Because.")
    await asyncio.sleep(0)
    began = clock()
    await asyncio.sleep(1)

    assert shown.wall.writes == [(0, f"{HEADER}\nBecause.\n-# Writing…")]
    assert shown.wall.times == [began]
    await shown.end()


@in_virtual_time
async def test_a_model_that_takes_its_time_is_announced_and_so_is_a_line() -> None:
    slow, queued = Shown(Wall(), placeholder_after=0.5), Shown(Wall(), placeholder_after=0.5)
    queued.live.waiting(2)
    await asyncio.sleep(1)

    assert (slow.wall.times, queued.wall.times) == ([0.5], [0.0])
    await slow.end()
    await queued.end()


@in_virtual_time
async def test_text_that_waits_behind_a_full_page_is_not_held_up_by_the_rhythm() -> None:
    shown = Shown(Wall(budgets=Budgets()))
    shown.live.text("word ")
    await asyncio.sleep(0.3)
    shown.live.text("word " * 420)
    await asyncio.sleep(1.5)

    assert [page for page, _ in shown.wall.writes] == [0, 0, 1]
    assert shown.wall.times[2] - shown.wall.times[1] < 0.1
    await shown.end()
