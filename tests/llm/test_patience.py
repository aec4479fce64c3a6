from __future__ import annotations

import asyncio

import pytest

from bot.llm.patience import Patience


class Clock:
    """The running loop's time, in our hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def passes(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(3):  # the timer goes off, cancels us, and we hear of it
            await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_every_wait_has_the_whole_time(clock: Clock) -> None:
    patience = Patience(10)

    for _ in range(5):
        with patience:
            await clock.passes(9)


async def test_a_wait_over_the_limit_is_ended_also_after_many_short_ones(clock: Clock) -> None:
    patience = Patience(10)
    for seconds in (1, 9, 0, 9):
        with patience:
            await clock.passes(seconds)

    with pytest.raises(TimeoutError), patience:
        await clock.passes(10)


async def test_time_between_two_waits_does_not_count(clock: Clock) -> None:
    patience = Patience(10)
    with patience:
        await clock.passes(1)

    await clock.passes(60)

    with patience:
        await clock.passes(9)


async def test_after_a_wait_that_was_ended_the_next_has_its_time(clock: Clock) -> None:
    patience = Patience(10)
    with pytest.raises(TimeoutError), patience:
        await clock.passes(10)

    with patience:
        await clock.passes(9)


async def test_who_cancels_the_task_from_outside_has_it_cancelled(clock: Clock) -> None:
    waiting = asyncio.Event()

    async def wait() -> None:
        with Patience(10):
            waiting.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await waiting.wait()
    task.cancel()
    clock.now = 10

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_what_is_waited_for_stays_itself(clock: Clock) -> None:
    with pytest.raises(KeyError), Patience(10):
        raise KeyError


async def test_a_patience_that_nobody_needs_any_more_ends_nothing(clock: Clock) -> None:
    with Patience(10):
        await clock.passes(1)

    await clock.passes(100)
