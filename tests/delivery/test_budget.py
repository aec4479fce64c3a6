"""What a budget believes never runs ahead of what Discord really allows: against an exact model, on its own clock."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulation import Answer, Route, Simulation, Window
from bot.delivery.budget import CALLS, CLEAN, SAFETY, SECONDS, Budget
from bot.delivery.lane import Lane
from bot.delivery.rate import Rate
from bot.delivery.schedule import RENEWAL

LONG = 300.0
"""Seconds: many windows, and some minutes in which a bucket is trusted again."""


def ways(times: list[float]) -> Callable[[], float]:
    """One way to Discord or back after another."""
    each = itertools.cycle(times)
    return lambda: next(each)


def written(*windows: Window, end: float = LONG, begin: float = 0.0, way: Callable[[], float] | None = None) -> Answer:
    """An answer with one lane whose calls Discord counts in these windows, of which headers report the first."""
    answer = Answer((Route(Lane("channel", Budget()), windows),), end, begin)
    (Simulation(way) if way else Simulation()).run([answer])
    return answer


def longest_gap(answer: Answer) -> float:
    return max(after - before for (before, _), (after, _) in pairwise(answer.shown))


def learned(*, used: int) -> Budget:
    """A budget that made calls at time 0, and had the response to the last of them."""
    budget = Budget()
    for _ in range(used):
        budget.spend(0.0)
        budget.settle()
    budget.learn(limit=CALLS, remaining=CALLS - used, reset_after=SECONDS, now=0.0, sent=0.0)
    return budget


# ---- One window ----


def test_a_window_gives_all_its_calls_back_at_its_end() -> None:
    budget = learned(used=CALLS)

    assert budget.left(SECONDS) == 0, "Discord's clock and ours tick apart"
    assert budget.left(SECONDS + SAFETY) == CALLS


def test_a_call_counts_from_the_moment_it_is_sent() -> None:
    budget = Budget()

    budget.spend(0.0)

    assert budget.left(0.0) == CALLS - 1


def test_a_call_on_its_way_may_arrive_in_the_next_window() -> None:
    budget = learned(used=CALLS - 1)
    budget.spend(SECONDS)

    assert budget.left(SECONDS + SAFETY) == CALLS - 1


def test_a_lost_call_is_no_longer_on_its_way() -> None:
    budget = Budget()
    budget.spend(0.0)

    budget.settle()

    assert budget.left(SECONDS + SAFETY) == CALLS


# ---- Responses in any order ----


def test_an_older_response_gives_no_call_back() -> None:
    """Two answers called one after the other; the second response overtakes the first."""
    budget = Budget()
    budget.spend(0.0)
    budget.spend(0.1)

    budget.settle()
    budget.learn(limit=5, remaining=3, reset_after=4.8, now=0.3, sent=0.1)
    budget.settle()
    budget.learn(limit=5, remaining=4, reset_after=5.0, now=0.8, sent=0.0)

    assert budget.left(0.8) == 3
    assert budget.renews(0.8, begins=0.8) == pytest.approx(0.3 + 4.8 + SAFETY), "the earlier of two latest moments"


def test_a_late_response_says_nothing_of_the_next_window() -> None:
    budget = learned(used=CALLS - 1)
    budget.spend(4.5)
    renewed = SECONDS + SAFETY
    for _ in range(3):
        budget.spend(renewed)

    budget.settle()
    budget.learn(limit=5, remaining=0, reset_after=0.4, now=renewed + 0.1, sent=4.5)

    assert budget.left(renewed + 0.2) == CALLS - 4, "three calls, and one that might have arrived in this window"
    assert budget.left(renewed + 0.6) == CALLS - 4, "the window does not end when the other one did"


def test_a_call_that_arrived_only_in_the_next_window_opened_it() -> None:
    budget = learned(used=CALLS - 1)
    budget.spend(4.9)

    budget.settle()
    budget.learn(limit=5, remaining=4, reset_after=4.95, now=5.4, sent=4.9)

    assert budget.left(5.4) == CALLS - 1
    assert budget.renews(5.4, begins=5.4) == pytest.approx(5.4 + 4.95 + SAFETY)


def test_calls_of_others_show_in_what_remains() -> None:
    budget = Budget()
    budget.spend(0.0)
    budget.settle()

    budget.learn(limit=5, remaining=1, reset_after=2.0, now=0.1, sent=0.0)

    assert budget.left(0.1) == 1
    assert budget.renews(0.1, begins=0.1) == pytest.approx(2.1 + SAFETY), "the others opened the window earlier"


# ---- Numbers that Discord decides ----


@pytest.mark.parametrize(("calls", "seconds"), [(5, 2.0), (3, 5.0), (10, 5.0), (1, 2.0), (5, 10.0)])
def test_other_numbers_are_learned_from_the_first_response_and_made_use_of(calls: int, seconds: float) -> None:
    answer = written(Window(calls, seconds))

    assert answer.refusals == []
    assert len(answer.shown) > 0.8 * calls * LONG / seconds


@dataclass
class Changing(Window):
    """Discord changes its mind a minute after the beginning, in the middle of a window."""

    then: tuple[int, float] = (CALLS, SECONDS)

    def remaining(self, now: float) -> int:
        if now > 61.0:
            self.calls, self.seconds = self.then
        return max(super().remaining(now), 0)


@pytest.mark.parametrize("then", [(5, 2.0), (3, 5.0), (10, 5.0), (1, 2.0), (2, 10.0)])
def test_numbers_may_change_in_the_middle(then: tuple[int, float]) -> None:
    answer = written(Changing(then=then))

    assert len(answer.refusals) <= 1
    assert len([at for at, _ in answer.shown if at > 61.0]) > 0.75 * (LONG - 61.0) * then[0] / then[1]


# ---- Refusals ----


def test_nothing_is_left_until_the_time_that_a_refusal_names() -> None:
    budget = learned(used=2)

    budget.refuse(retry_after=20.0, now=1.0)

    assert budget.left(SECONDS + SAFETY) == 0
    assert budget.left(21.0) == 0
    assert budget.renews(1.0, begins=1.0) == 21.0 + SAFETY
    assert budget.left(21.0 + SAFETY) == budget.calls


def test_a_refusal_outlasts_a_response_that_says_the_window_ends_earlier() -> None:
    budget = learned(used=2)
    budget.refuse(retry_after=20.0, now=1.0)

    budget.learn(limit=5, remaining=3, reset_after=4.0, now=1.1, sent=0.9)

    assert budget.left(6.0) == 0


def test_later_windows_are_trusted_with_what_the_refusing_one_let_through() -> None:
    budget = learned(used=4)

    budget.refuse(retry_after=1.0, now=1.0)

    assert budget.calls == 3


def test_one_refusal_takes_at_most_half_of_the_calls_and_never_the_last() -> None:
    budget = learned(used=1)

    calls = []
    for now in (1.0, 3.0, 5.0):
        budget.refuse(retry_after=1.0, now=now)
        calls.append(budget.calls)

    assert calls == [2, 1, 1]


def test_calls_that_were_refused_together_are_one_refusal() -> None:
    budget = learned(used=5)

    budget.refuse(retry_after=1.0, now=1.0)
    budget.refuse(retry_after=0.9, now=1.1)

    assert budget.calls == 4


@pytest.mark.parametrize("used", [4, CALLS])
def test_a_refusal_under_a_higher_limit_takes_no_calls_from_a_lower_one(used: int) -> None:
    """The limit fell from 5 to 3, which a 429 does not say, but the next response does."""
    budget = learned(used=used)
    budget.refuse(retry_after=1.0, now=1.0)

    budget.learn(limit=3, remaining=2, reset_after=5.0, now=2.1, sent=2.1)

    assert (budget.calls, budget.left(2.1)) == (3, 2)


def test_trust_comes_back_call_by_call_with_clean_minutes() -> None:
    budget = learned(used=4)
    budget.refuse(retry_after=1.0, now=0.0)
    calls = []

    for now in (CLEAN - 1, CLEAN, CLEAN + 1, 2 * CLEAN, 3 * CLEAN):
        budget.learn(limit=5, remaining=4, reset_after=5.0, now=now, sent=now)
        calls.append(budget.calls)

    assert calls == [3, 4, 4, 5, 5]


@pytest.mark.parametrize("calls", [3, 2])
def test_a_hidden_limit_is_found_at_once_and_then_tried_at_most_once_a_minute(calls: int) -> None:
    """429 although calls remain."""
    answer = written(Window(), Window(calls, SECONDS))

    soon = [at for at in answer.refusals if at < CLEAN]
    assert 1 <= len(soon) <= 2
    assert len(answer.refusals) <= len(soon) + LONG / CLEAN
    assert longest_gap(answer) < 2 * SECONDS


def with_others(calls: int, seconds: float) -> Window:
    """A window in which somebody else makes calls as well, at random moments."""
    chance = random.Random(0)  # noqa: S311  # nothing secret

    class Shared(Window):
        next_call = 0.0

        def remaining(self, now: float) -> int:
            while self.next_call <= now:
                for _ in range(calls):
                    if super().remaining(self.next_call):
                        super().take(self.next_call)
                self.next_call += seconds * chance.uniform(0.5, 1.5)
            return super().remaining(now)

    return Shared()


@pytest.mark.parametrize(("calls", "seconds"), [(1, 5.0), (2, 5.0), (1, 2.0)])
def test_others_in_the_bucket_cost_few_refusals_and_not_the_rhythm(calls: int, seconds: float) -> None:
    answer = written(with_others(calls, seconds))

    assert len(answer.refusals) <= 2 + LONG / CLEAN
    assert longest_gap(answer) < 2 * SECONDS
    assert len(answer.shown) > 0.5 * LONG * (CALLS / SECONDS - calls / seconds)


@pytest.mark.parametrize("tells", [True, False], ids=["headers tell", "headers tell nothing"])
def test_token_and_channel_may_in_truth_be_one_bucket(tells: bool) -> None:
    both = Window()
    windows = [(both,), (both,)] if tells else [(Window(), both), (Window(), both)]
    token, channel = (Lane(name, Budget()) for name in ("token", "channel"))
    answer = Answer((Route(token, windows[0]), Route(channel, windows[1])), LONG)

    Simulation().run([answer])

    assert len([at for at in answer.refusals if at < CLEAN]) <= (1 if tells else 4)
    assert len(answer.refusals) <= 2 * (LONG / CLEAN + 1)
    assert answer.ages()[0] < 1.0
    assert longest_gap(answer) < SECONDS + RENEWAL


def test_a_refusal_for_the_whole_bot_says_nothing_of_the_channel() -> None:
    channel, everywhere = Budget(), Rate(45, 1.0)
    lane = Lane("channel", channel, everywhere)

    lane.refuse(0.0, 3.0, everywhere=True)

    assert (channel.left(1.0), everywhere.left(1.0), lane.left(1.0)) == (CALLS, 0, 0)
    assert lane.open_at(1.0) == 3.0 + SAFETY


def test_a_refusal_of_one_channel_leaves_the_others_alone() -> None:
    channel, everywhere = Budget(), Rate(45, 1.0)

    Lane("channel", channel, everywhere).refuse(0.0, 3.0, everywhere=False)

    assert (channel.left(1.0), everywhere.left(1.0)) == (0, 45)


# ---- Any latency ----


@given(
    times=st.lists(st.floats(0.01, 0.4), min_size=1, max_size=60),
    numbers=st.sampled_from([(5, 5.0), (5, 2.0), (3, 5.0), (10, 5.0), (1, 2.0)]),
    begins=st.lists(st.floats(0.0, 10.0), max_size=5),
    has_token=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_no_call_is_refused_however_long_calls_and_responses_take(
    times: list[float], numbers: tuple[int, float], begins: list[float], has_token: bool
) -> None:
    budget, window = Budget(), Window(*numbers)
    # Until the first response nobody can know numbers that are not the usual ones.
    known = 0.0 if numbers == (CALLS, SECONDS) else 2 * max(times) + 0.01
    answers = []
    for begin in (0.0, *(known + begin for begin in begins)):
        routes = [Route(Lane("channel", budget), (window,))]
        # An answer with two lanes may leave this one unknown for longer.
        if has_token and not known:
            routes.insert(0, Route(Lane("token", Budget()), (Window(),)))
        answers.append(Answer(tuple(routes), 60.0, begin))

    Simulation(ways(times)).run(answers)

    assert [at for answer in answers for at in answer.refusals] == []
    assert all(answer.is_done for answer in answers)
