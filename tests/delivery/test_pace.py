from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.pace import INTERVAL, MANY, Bucket, Pace


class Time:
    """Time that passes only by sleeping and writing."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def pace(self) -> Pace:
        return Pace(clock=self.clock, sleep=self.sleep)


async def write(bucket: Bucket, time: Time, begun: list[float], seconds: float = 0.0) -> None:
    async with bucket.turn():
        begun.append(time.now)
        time.now += seconds


async def test_the_first_write_waits_for_nothing() -> None:
    time = Time()

    await write(time.pace().bucket("channel"), time, [])

    assert time.slept == []


async def test_the_pause_counts_from_the_end_of_a_write() -> None:
    time, begun = Time(), list[float]()
    bucket = time.pace().bucket("channel")

    await write(bucket, time, begun, seconds=3)
    await write(bucket, time, begun)

    assert begun == [100, 103 + INTERVAL]


async def test_who_comes_late_does_not_wait() -> None:
    time, begun = Time(), list[float]()
    bucket = time.pace().bucket("channel")

    await write(bucket, time, begun)
    time.now += INTERVAL
    await write(bucket, time, begun)

    assert time.slept == []


async def test_buckets_do_not_wait_for_each_other() -> None:
    time, pace = Time(), Time().pace()
    one, other = pace.bucket("one"), pace.bucket("other")

    await write(one, time, [])
    await write(other, time, [])

    assert time.slept == []


async def test_whoever_waits_first_writes_first() -> None:
    time, order = Time(), list[str]()
    bucket = time.pace().bucket("channel")

    async def say(name: str) -> None:
        async with bucket.turn():
            order.append(name)

    await asyncio.gather(*(say(name) for name in ("a", "b", "a", "c", "b")))

    assert order == ["a", "b", "a", "c", "b"]


async def test_a_write_that_fails_keeps_the_pace() -> None:
    time, begun = Time(), list[float]()
    bucket = time.pace().bucket("channel")

    with pytest.raises(ZeroDivisionError):
        async with bucket.turn():
            _ = 1 / 0
    await write(bucket, time, begun)

    assert begun == [100 + INTERVAL]


async def test_who_gives_up_waiting_holds_nobody_up() -> None:
    time, begun = Time(), list[float]()
    bucket = time.pace().bucket("channel")
    inside, leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with bucket.turn():
            inside.set()
            await leave.wait()

    holder = asyncio.create_task(hold())
    await inside.wait()
    waiting = asyncio.create_task(write(bucket, time, begun))
    last = asyncio.create_task(write(bucket, time, begun))
    waiting.cancel()
    leave.set()
    await asyncio.gather(holder, waiting, last, return_exceptions=True)

    assert waiting.cancelled()
    assert begun == [100 + INTERVAL]


async def test_one_key_has_one_bucket_also_when_nobody_holds_it() -> None:
    time, begun = Time(), list[float]()
    pace = time.pace()

    await write(pace.bucket(("channel", 1)), time, begun)
    await write(pace.bucket(("channel", 2)), time, begun)
    await write(pace.bucket(("channel", 1)), time, begun)

    assert begun == [100, 100, 100 + INTERVAL]


async def test_of_many_buckets_only_those_that_are_free_are_forgotten() -> None:
    time = Time()
    pace = time.pace()
    free = [pace.bucket(number) for number in range(MANY - 2)]
    pausing, busy = pace.bucket("pausing"), pace.bucket("busy")
    await write(pausing, time, [])

    async with busy.turn():
        pace.bucket("one too many")

        assert (pace.bucket("pausing"), pace.bucket("busy")) == (pausing, busy)
        assert len(pace._buckets) == 3
        assert pace.bucket(0) is not free[0]


@settings(deadline=None)
@given(st.lists(st.floats(0, 2), min_size=5, max_size=30))
def test_there_are_never_five_writes_in_five_seconds(lengths: list[float]) -> None:
    """Discord allows five; the fifth would make discord.py wait until the window is over."""
    time, begun = Time(), list[float]()

    async def write_all() -> None:
        bucket = time.pace().bucket("channel")
        await asyncio.gather(*(write(bucket, time, begun, seconds) for seconds in lengths))

    asyncio.run(write_all())

    assert len(begun) == len(lengths)
    assert all(later - earlier >= 5 - 1e-9 for earlier, later in zip(begun, begun[4:], strict=False))
