"""The simulation counts as Discord does, and the bot's schedule comes near to what is possible at all."""

from __future__ import annotations

import re

import pytest

from benchmarks.optimum import end_known, end_unknown
from benchmarks.simulation import WAY, Answer, Route, Simulation, Window, every, random_lengths, table, written
from bot.delivery.budget import Budget
from bot.delivery.lane import Lane
from bot.delivery.schedule import RENEWAL, routine
from tests.reference import ROOT


def test_a_window_opens_with_its_first_call_and_gives_all_calls_back_at_its_end() -> None:
    window = Window(2, 5.0)
    window.take(3.0)
    window.take(7.9)

    assert [window.remaining(now) for now in (7.9, 7.99, 8.0)] == [0, 0, 2]


def test_a_refused_call_is_sent_again_when_discord_allows_it() -> None:
    """The bot believes in five calls; there are two."""
    answer = Answer((Route(Lane("channel", Budget()), (Window(), Window(2, 5.0))),), 10.0)

    Simulation().run([answer])

    refused = answer.refusals[0]
    after = next(at for at, _ in answer.shown if at > refused)
    assert after == pytest.approx(WAY + 5.0 + 2 * WAY), "the window, and the ways of the refusal and of the second try"


def test_the_age_of_what_is_shown_is_known_exactly() -> None:
    answer = Answer((), 10.0, shown=[(1.0, 0.0), (4.0, 3.0), (11.0, 10.0)])

    mean, greatest = answer.ages()

    assert mean == pytest.approx((4.0**2 / 2 + (7.0**2 - 1.0**2) / 2) / 10.0)
    assert greatest == pytest.approx(7.0)


@pytest.mark.parametrize("seconds", [1.0, 1.25])
def test_the_simple_schedule_edits_at_its_interval_while_calls_last(seconds: float) -> None:
    sent = [sent for _, sent in written(10.0, lanes=1, schedule=every(seconds)).shown]
    assert sent[:5] == pytest.approx([seconds * number for number in range(5)], abs=0.14)


def test_with_an_even_gap_the_mean_age_is_half_of_it_and_the_way() -> None:
    answer = written(500.0, lanes=1, schedule=every(2.0))
    assert answer.ages()[0] == pytest.approx(2.0 / 2 + WAY, abs=0.001)


def test_whoever_knows_the_end_of_ten_seconds_makes_ten_even_gaps() -> None:
    assert end_known(10.0, WAY, lanes=1) == pytest.approx(0.5 + WAY, abs=0.005)
    assert end_known(10.0, WAY, lanes=2) == pytest.approx(0.25 + WAY, abs=0.005)


def test_the_best_rhythm_with_one_lane_is_found_by_trying_as_well() -> None:
    """Four even gaps until the notice before the window's end, and any gap to the next window."""
    even = (5.0 - RENEWAL) / 4
    tried = ((4 * even**2 + last**2) / (4 * even + last) / 2 for last in (step / 1000 for step in range(250, 2000)))
    assert end_unknown(WAY, lanes=1, notice=RENEWAL) == pytest.approx(min(tried) + WAY, abs=1e-5)


@pytest.mark.parametrize("lanes", [1, 2])
def test_the_bots_rhythm_is_within_four_percent_of_the_least_age_possible(lanes: int) -> None:
    mean, _ = written(600.0, lanes=lanes, schedule=routine).ages()

    least = end_unknown(WAY, lanes=lanes, notice=RENEWAL)
    assert least < mean < 1.04 * least


@pytest.mark.parametrize("lanes", [1, 2])
def test_no_schedule_beats_the_one_that_knows_the_end(lanes: int) -> None:
    for length in random_lengths(12):
        least = end_known(length, WAY, lanes=lanes)
        for schedule in (routine, every(1.25)):
            assert written(length, lanes=lanes, schedule=schedule).ages()[0] >= least


def test_the_documents_table_is_what_the_simulation_says() -> None:
    """The figures of one answer and of ten minutes; those of a thousand random ones would take too long here."""
    page = (ROOT / "docs" / "delivery.md").read_text("utf-8")
    documented = [cells(line) for line in page.splitlines() if line.startswith("| Llampost")]
    found = [cells(table(lanes, {"Llampost": routine}, random_lengths(1)).splitlines()[-1]) for lanes in (1, 2)]
    assert [(row[1:4], row[5]) for row in documented] == [(row[1:4], row[5]) for row in found]


def cells(line: str) -> list[str]:
    return re.split(r" *\| *", line.strip("| "))
