"""First and last words go out at once, everything between comes evenly, and nobody gets more than others."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulation import WAY, Answer, Route, Simulation, Window, written
from bot.delivery.budget import CALLS, SAFETY, SECONDS, Budget
from bot.delivery.budgets import Budgets
from bot.delivery.lane import Lane
from bot.delivery.rate import Rate
from bot.delivery.schedule import RENEWAL, Slot, routine, urgent

BUSY = 3 * WAY
"""Last words wait at most for the response to the call before them, and then are on their way."""


def lane(used: int = 0, at: float = 0.0, *, name: str = "channel") -> Lane:
    """A lane of which calls were used at a moment."""
    lane = Lane(name, Budget())
    for _ in range(used):
        lane.spend(at)
        lane.settle()
    return lane


def gaps(answer: Answer) -> list[float]:
    return [after - before for (_, before), (_, after) in pairwise(answer.shown)]


# ---- First and last words ----


def test_what_is_urgent_goes_out_at_once() -> None:
    fresh = lane()
    assert urgent([fresh], 7.0) == Slot(7.0, fresh)


def test_what_is_urgent_takes_the_lane_with_more_calls() -> None:
    token, channel = lane(used=3, name="token"), lane(used=2)
    assert urgent([token, channel], 1.0) == Slot(1.0, channel)


def test_what_is_urgent_waits_for_the_window_that_renews_first() -> None:
    token, channel = lane(used=CALLS, at=1.0, name="token"), lane(used=CALLS)
    assert urgent([token, channel], 2.0) == Slot(SECONDS + SAFETY, channel)


def test_a_lane_is_open_only_when_all_its_budgets_are() -> None:
    everywhere = Rate(calls=1, seconds=7.0)
    everywhere.spend(0.0)
    both = Lane("channel", Budget(), everywhere)

    assert urgent([both], 1.0).at == 7.0 + SAFETY
    assert routine([both], 1.0, 0.0).at == 7.0 + SAFETY


@given(end=st.floats(0.1, 60.0))
@settings(max_examples=200, deadline=None)
def test_with_two_lanes_last_words_never_wait(end: float) -> None:
    assert written(end, lanes=2).end_delay <= BUSY


@given(end=st.floats(0.1, 60.0))
@settings(max_examples=200, deadline=None)
def test_with_one_lane_last_words_wait_only_while_its_window_renews(end: float) -> None:
    assert written(end, lanes=1).end_delay <= RENEWAL + WAY


def test_with_one_lane_the_reserve_is_kept_until_then() -> None:
    only = lane(used=CALLS - 1)
    assert routine([only], 3.0, 0.0).at == SECONDS + SAFETY - RENEWAL


def test_with_two_lanes_the_reserve_of_one_is_kept_until_the_other_renews() -> None:
    token, channel = lane(used=CALLS, name="token"), lane(used=CALLS - 1, at=2.0)
    assert routine([token, channel], 4.0, 2.0).at == SECONDS + SAFETY


# ---- An even rhythm ----


def test_calls_come_evenly_until_the_window_renews() -> None:
    slot = routine([lane(used=1)], 0.1, 0.0)
    assert slot.at == pytest.approx((SECONDS + SAFETY - RENEWAL) / 4)


def test_a_new_window_is_opened_after_half_a_gap() -> None:
    """So the mean age of what is shown is least: a shorter gap now, for a window that ends later."""
    gap = (SECONDS - RENEWAL) / 4
    assert routine([lane()], 0.1, 0.0).at == pytest.approx(gap / 2, rel=0.05)


def test_missed_calls_are_not_made_up_for_in_a_burst() -> None:
    only = lane(used=1)
    at = routine([only], 3.0, 0.0).at
    only.spend(at)

    assert routine([only], at, at).at == pytest.approx(at + (SECONDS + SAFETY - RENEWAL - at) / 3)


WINDOW = SECONDS + SAFETY + 2 * WAY
"""From the call that opens a window to its end, as far as the bot can know."""


@pytest.mark.parametrize(("lanes", "longest"), [(1, (WINDOW - RENEWAL) / 4), (2, WINDOW / 9)])
def test_no_gap_is_longer_than_the_calls_make_necessary(lanes: int, longest: float) -> None:
    answer = written(600.0, lanes=lanes)

    assert max(gaps(answer)[:-1]) <= longest + 0.01
    assert answer.refusals == []


def test_two_lanes_use_every_call_of_their_windows() -> None:
    answer = written(600.0, lanes=2)
    assert len(answer.shown) / 600.0 > 0.97 * 2 * CALLS / SECONDS


@pytest.mark.parametrize("lanes", [1, 2])
def test_looking_at_the_schedule_more_often_changes_nothing(lanes: int) -> None:
    """An answer looks when text comes as well as when it is time."""

    def often(them: Sequence[Lane], now: float, last: float) -> Slot:
        slot = routine(them, now, last)
        return Slot(min(slot.at, now + 0.037), slot.lane) if slot.at > now else slot

    rarely, closely = (written(60.0, lanes=lanes, schedule=schedule) for schedule in (routine, often))

    assert [at for at, _ in closely.shown] == pytest.approx([at for at, _ in rarely.shown])


def test_where_nothing_is_limited_nothing_waits() -> None:
    budgets = Budgets(unlimited=True)
    lanes = [budgets.token("a"), budgets.edits(1)]
    for one in lanes:
        one.spend(5.0)

    assert routine(lanes, 5.0, 5.0).at == pytest.approx(5.0, abs=0.001)


# ---- Fairness ----


def crowd(number: int, *, lanes: int, end: float, way: float = 0.04) -> list[Answer]:
    """Answers that share a channel, and have a token each where there are two lanes; they end one after another."""
    chance = random.Random(number)  # noqa: S311  # nothing secret
    budget, window = Budget(), Window()
    answers = []
    for _ in range(number):
        own = [Route(Lane("token", Budget()), (Window(),))] * (lanes - 1)
        routes = (*own, Route(Lane("channel", budget), (window,)))
        answers.append(Answer(routes, end + chance.uniform(0, 30), begin=chance.uniform(0, 30)))
    Simulation(lambda: chance.uniform(0.25, 1.75) * way).run(answers)
    return answers


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("number", [2, 5, 20])
def test_answers_that_share_a_bucket_get_equal_shares(number: int, lanes: int) -> None:
    answers = crowd(number, lanes=lanes, end=600.0)

    calls = [len([at for at, _ in answer.shown if 30 <= at < 600]) for answer in answers]
    assert max(calls) <= 1.15 * min(calls)
    assert all(answer.refusals == [] for answer in answers)
    fair = number * SECONDS / CALLS
    assert max(max(gaps(answer)) for answer in answers) < (2 * fair + SECONDS)


@pytest.mark.parametrize("number", [2, 5, 20])
def test_first_and_last_words_come_before_what_others_have_to_say(number: int) -> None:
    delays = []
    for begin in (50.0 + step * 0.37 for step in range(20)):
        budget, window = Budget(), Window()
        one, *others = (Answer((Route(Lane("channel", budget), (window,)),), 100.0) for _ in range(number + 1))
        for place, other in enumerate(others):
            other.begin = place * 1.3
        one.begin, one.end = begin, begin + 15.0
        Simulation().run([*others, one])
        delays += [one.shown[0][0] - one.begin, one.end_delay]

    assert max(delays) <= RENEWAL + 2 * WAY


def test_two_hundred_answers_in_as_many_channels_share_what_the_bot_may_do() -> None:
    everywhere, discord = Rate(45, 1.0), Window(50, 1.0)
    places = itertools.count()
    answers = [
        Answer(
            (Route(Lane("channel", Budget(), everywhere), (Window(), discord), is_bound_globally=True),),
            end=60.0 + place * 0.1,
            begin=place * 0.05,
        )
        for place in itertools.islice(places, 200)
    ]

    Simulation().run(answers)

    calls = [len([at for at, _ in answer.shown if 10 <= at < 60]) for answer in answers]
    assert sum(len(answer.refusals) for answer in answers) == 0
    assert max(calls) - min(calls) <= 3
    assert sum(calls) > 0.75 * 45 * 50
    assert max(answer.shown[0][0] - answer.begin for answer in answers) < 1.0
