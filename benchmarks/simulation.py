"""`python -m benchmarks.simulation`: how old the shown text is under Discord's limits, by exact simulation of events.

Schedules of the bot and simpler ones write the same answers through the same fixed windows. Nothing here waits or
measures: a call takes its way to Discord and back, and everything else is arithmetic. See docs/delivery.md.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean, median

from benchmarks.optimum import CALLS, WINDOW, end_known, end_unknown
from bot.delivery.budget import Budget
from bot.delivery.lane import Lane
from bot.delivery.schedule import RENEWAL, Slot, routine, urgent

Schedule = Callable[[Sequence[Lane], float, float], Slot]
"""When the next call comes, from the lanes, the time, and the time of the last call."""

WAY = 0.04
"""Seconds from the bot to Discord, and the same back."""

RATE = 40
"""Tokens a second."""

_LATE = 0.15
"""Last words that take longer to Discord are counted as late."""

_NEVER = -math.inf

_COLUMNS = (
    "schedule",
    "400 tokens: mean",
    "max",
    "calls",
    "random lengths: mean",
    "ten minutes: mean",
    "last words: median",
    "over 0.15 s",
    "refused",
)


@dataclass
class Window:
    """Discord's own count for one bucket: a window opens with the first call and gives all calls back at its end."""

    calls: int = CALLS
    seconds: float = WINDOW
    ends: float = _NEVER
    used: int = 0

    def remaining(self, now: float) -> int:
        """Calls that it would let through now."""
        return self.calls if now >= self.ends else self.calls - self.used

    def take(self, now: float) -> None:
        """Count a call."""
        if now >= self.ends:
            self.ends, self.used = now + self.seconds, 0
        self.used += 1


@dataclass
class Route:
    """A lane of the bot, and the windows that Discord counts its calls in; the first is the one that headers report."""

    lane: Lane
    windows: tuple[Window, ...]
    is_bound_globally: bool = False
    """Whether the last of these is the one for all calls of the bot."""


@dataclass(eq=False)
class Answer:
    """One answer in course of being written; text comes evenly from its beginning to its end."""

    routes: tuple[Route, ...]
    end: float
    begin: float = 0.0
    schedule: Schedule = routine
    shown: list[tuple[float, float]] = field(default_factory=list)
    """When a call arrived, and when it had been sent."""
    refusals: list[float] = field(default_factory=list)
    last: float = field(default=_NEVER, init=False)
    is_calling: bool = field(default=False, init=False)

    @property
    def lanes(self) -> list[Lane]:
        """What the schedule chooses from."""
        return [route.lane for route in self.routes]

    @property
    def is_done(self) -> bool:
        """Whether the last words were shown."""
        return bool(self.shown) and self.shown[-1][1] >= self.end

    @property
    def end_delay(self) -> float:
        """Seconds from the last word to the whole text at Discord."""
        return self.shown[-1][0] - self.end

    def take_shares(self, number: int) -> None:
        """Count the answer in at all its buckets, or with -1 out again."""
        for lane in self.lanes:
            for budget in lane.budgets:
                budget.sharers += number

    def next_call(self, now: float) -> Slot:
        """When and how to write next; first and last words come as soon as possible."""
        is_urgent = not self.shown or now >= self.end
        return urgent(self.lanes, now) if is_urgent else self.schedule(self.lanes, now, self.last)

    def ages(self) -> tuple[float, float]:
        """Mean and greatest age of what is shown, over the time of writing."""
        area, oldest, since, sent = 0.0, 0.0, self.begin, self.begin
        for arrived, newer in [*self.shown, (math.inf, math.inf)]:
            until = max(min(arrived, self.end), since)
            area += ((until - sent) ** 2 - (since - sent) ** 2) / 2
            oldest = max(oldest, until - sent)
            since, sent = until, max(sent, newer)
        return area / (self.end - self.begin), oldest


class Simulation:
    """Runs answers beside each other. `way` gives the seconds that a call or a response is on its way."""

    def __init__(self, way: Callable[[], float] = lambda: WAY) -> None:
        self._way = way
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = itertools.count()

    def run(self, answers: Iterable[Answer]) -> None:
        """Write all answers to their ends."""
        for answer in answers:
            self._at(answer.begin, partial(self._begin, answer))
        while self._events:
            now, _, event = heapq.heappop(self._events)
            event(now)

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._number), event))

    def _begin(self, answer: Answer, now: float) -> None:
        answer.take_shares(1)
        self._look(answer, now)

    def _look(self, answer: Answer, now: float) -> None:
        """Let an answer call, or look again when it may."""
        if answer.is_calling:
            return
        slot = answer.next_call(now)
        if slot.at > now:
            is_writing = answer.shown and now < answer.end
            self._at(min(slot.at, answer.end) if is_writing else slot.at, partial(self._look, answer))
            return
        route = next(route for route in answer.routes if route.lane is slot.lane)
        answer.is_calling, answer.last = True, now
        route.lane.spend(now)
        self._at(now + self._way(), partial(self._arrive, answer, route, now, now))

    def _arrive(self, answer: Answer, route: Route, written: float, sent: float, now: float) -> None:
        """Discord lets a call through, or refuses it."""
        full = next((window for window in route.windows if not window.remaining(now)), None)
        if full:
            answer.refusals.append(now)
            everywhere = route.is_bound_globally and full is route.windows[-1]
            self._at(now + self._way(), partial(self._refused, answer, route, written, (full.ends - now, everywhere)))
            return
        for window in route.windows:
            window.take(now)
        answer.shown.append((now, written))
        told = route.windows[0]
        learn = partial(
            route.lane.learn, limit=told.calls, remaining=told.remaining(now), reset_after=told.ends - now, sent=sent
        )
        self._at(now + self._way(), partial(self._answered, answer, route, learn))

    def _refused(self, answer: Answer, route: Route, written: float, refusal: tuple[float, bool], now: float) -> None:
        """As discord.py does: the same call is sent again after the time that Discord names."""
        retry_after, everywhere = refusal
        route.lane.refuse(now, retry_after, everywhere=everywhere)
        sent = now + retry_after
        self._at(sent + self._way(), partial(self._arrive, answer, route, written, sent))

    def _answered(self, answer: Answer, route: Route, learn: Callable[[float], None], now: float) -> None:
        route.lane.settle()
        learn(now)
        answer.is_calling = False
        if answer.is_done:
            answer.take_shares(-1)
        else:
            self._look(answer, now)


def every(seconds: float) -> Schedule:
    """The simple schedule: a call each so many seconds, as far as the limits allow, through the freshest lane."""

    def schedule(lanes: Sequence[Lane], now: float, last: float) -> Slot:
        earliest = urgent(lanes, now)
        return Slot(max(earliest.at, last + seconds), earliest.lane)

    return schedule


def answer(seconds: float, *, lanes: int, schedule: Schedule = routine) -> Answer:
    """An answer that has its buckets for itself: with one lane as for a mention, with two as for /ask."""
    routes = tuple(Route(Lane(f"lane {number}", Budget()), (Window(),)) for number in range(lanes))
    return Answer(routes, seconds, schedule=schedule)


def written(seconds: float, *, lanes: int, schedule: Schedule = routine) -> Answer:
    """The same, written to its end."""
    one = answer(seconds, lanes=lanes, schedule=schedule)
    Simulation().run([one])
    return one


@dataclass(frozen=True)
class Row:
    """The figures of one schedule; seconds."""

    name: str
    ages: tuple[float, float]
    """Mean and greatest, of an answer of 400 tokens."""
    calls: int
    steady: float
    """Mean, of an answer that takes ten minutes."""
    mean: float
    """Mean, over answers of random lengths, and for these the last words."""
    end_delay: float
    late: float
    refusals: int


def row(name: str, schedule: Schedule, *, lanes: int, lengths: Sequence[float]) -> Row:
    """Simulate one schedule."""
    typical = written(400 / RATE, lanes=lanes, schedule=schedule)
    many = [written(length, lanes=lanes, schedule=schedule) for length in lengths]
    return Row(
        name,
        typical.ages(),
        len(typical.shown),
        written(600.0, lanes=lanes, schedule=schedule).ages()[0],
        fmean(one.ages()[0] for one in many),
        median(one.end_delay for one in many),
        sum(one.end_delay > _LATE for one in many) / len(many),
        sum(len(one.refusals) for one in many),
    )


def random_lengths(count: int) -> list[float]:
    """Seconds of answers of 50 to 1,600 tokens; always the same."""
    chance = random.Random(1)  # noqa: S311  # nothing secret
    return [chance.randint(50, 1600) / RATE for _ in range(count)]


def table(lanes: int, schedules: dict[str, Schedule], lengths: Sequence[float]) -> str:
    """One table in Markdown: the bounds, then the schedules."""
    unknown = end_unknown(WAY, lanes=lanes, notice=RENEWAL)
    known = [end_known(length, WAY, lanes=lanes) for length in (400 / RATE, *lengths[:: max(len(lengths) // 50, 1)])]
    lines = [
        f"| {' | '.join(_COLUMNS)} |",
        "| --- " * len(_COLUMNS) + "|",
        f"| *least possible, end known* | {known[0]:.2f} | | | {fmean(known[1:]):.2f} | | | | |",
        f"| *least possible, end unknown* | | | | | {unknown:.3f} | | | |",
    ]
    for name, schedule in schedules.items():
        it = row(name, schedule, lanes=lanes, lengths=lengths)
        lines.append(
            f"| {it.name} | {it.ages[0]:.2f} | {it.ages[1]:.2f} | {it.calls} | {it.mean:.2f} | {it.steady:.3f} "
            f"| {it.end_delay:.2f} | {it.late:.1%} | {it.refusals} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print both tables."""
    lengths = random_lengths(1000)
    fixed = {"every 1.25 s": every(1.25), "every 1.0 s": every(1.0)}
    mention = table(1, {"Llampost": routine, **fixed}, lengths)
    ask = table(2, {"Llampost": routine, **fixed, "every 0.5 s, lanes in turn": every(0.5)}, lengths)
    sys.stdout.write(f"A mention or a direct message, one lane:\n\n{mention}\n\n/ask, two lanes:\n\n{ask}\n")


if __name__ == "__main__":
    main()
