from __future__ import annotations

from benchmarks.timeline import Timeline, paced


class Clock:
    """A clock that only sleeping moves, and that may oversleep."""

    def __init__(self, *, oversleeps: float = 0.0) -> None:
        self.now = 100.0
        self.sleeps = 0
        self._oversleeps = oversleeps

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + self._oversleeps
        self.sleeps += 1


async def _moments(clock: Clock, start: float, count: int, held_up: dict[int, float] | None = None) -> list[float]:
    moments = []
    async for token in paced(Timeline(start, 10.0), count, clock=clock, sleep=clock.sleep):
        moments.append(round(clock.now, 6))
        clock.now += (held_up or {}).get(token, 0.0)
    return moments


def test_a_token_is_due_at_its_time_whatever_came_before() -> None:
    assert [Timeline(5.0, 4.0).due(token) for token in (0, 1, 400)] == [5.0, 5.25, 105.0]


async def test_every_token_comes_when_it_is_due() -> None:
    assert await _moments(Clock(), 100.5, 4) == [100.5, 100.6, 100.7, 100.8]


async def test_oversleeping_does_not_add_up() -> None:
    assert await _moments(Clock(oversleeps=0.03), 100.0, 4) == [100.0, 100.13, 100.23, 100.33]


async def test_late_tokens_come_at_once_until_the_timeline_is_caught_up() -> None:
    clock = Clock()
    assert await _moments(clock, 100.0, 6, {0: 0.25}) == [100.0, 100.25, 100.25, 100.3, 100.4, 100.5]
    assert clock.sleeps == 3


async def test_a_sleep_that_ends_too_early_is_repeated() -> None:
    clock = Clock(oversleeps=-0.5)

    async def short(seconds: float) -> None:
        await clock.sleep(max(seconds, 0.6))

    async for _ in paced(Timeline(100.35, 10.0), 1, clock=clock, sleep=short):
        assert clock.now >= 100.35
    assert clock.sleeps == 4
