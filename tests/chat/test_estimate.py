from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.estimate import RECENT, Durations, waits


def test_before_the_first_answer_nothing_is_expected() -> None:
    durations = Durations()

    assert durations.usual("tiny:1b") == math.inf
    assert durations.left("tiny:1b", 5) == math.inf
    assert waits({"a": math.inf}, [("b", math.inf)], parallel=1) == [None]


def test_a_model_takes_as_long_as_its_own_recent_answers_did_usually() -> None:
    durations = Durations()
    for seconds in (10, 12, 600):
        durations.add("tiny:1b", seconds)
    durations.add("large:70b", 90)

    assert durations.usual("tiny:1b") == 12
    assert durations.usual("large:70b") == 90


def test_old_answers_no_longer_count() -> None:
    durations = Durations()
    for seconds in [100] * RECENT + [1] * RECENT:
        durations.add("tiny:1b", seconds)

    assert durations.usual("tiny:1b") == 1


def test_of_an_answer_that_takes_longer_than_usual_a_quarter_is_still_expected() -> None:
    durations = Durations()
    durations.add("tiny:1b", 40)

    assert [durations.left("tiny:1b", elapsed) for elapsed in (0, 30, 35, 400)] == [40, 10, 10, 10]


@pytest.mark.parametrize(
    ("running", "line", "parallel", "expected"),
    [
        ({"a": 10}, [("b", 40), ("c", 40)], 1, [10, 50]),
        ({"a": 10, "b": 30}, [("c", 40), ("d", 40), ("e", 40)], 2, [10, 30, 50]),
        ({"a": 10}, [("a", 40), ("a", 40)], 2, [10, 50]),
        ({"a": 10, "b": math.inf}, [("c", math.inf), ("d", 5)], 2, [10, None]),
    ],
)
def test_who_waits_begins_when_a_place_and_the_conversation_are_free(
    running: dict[str, float], line: list[tuple[str, float]], parallel: int, expected: list[float | None]
) -> None:
    assert waits(running, line, parallel=parallel) == expected


seconds = st.floats(0.1, 1000)


@given(st.dictionaries(st.integers(0, 5), seconds, max_size=3), st.lists(st.tuples(st.integers(0, 9), seconds)))
def test_an_estimate_is_never_before_a_place_is_free_nor_after_all_before_it_one_by_one(
    running: dict[int, float], line: list[tuple[int, float]]
) -> None:
    found = [begins for begins in waits(running, line, parallel=3) if begins is not None]

    one_by_one = [sum(running.values()), *itertools.accumulate((own for _, own in line), initial=sum(running.values()))]
    assert len(found) == len(line)
    assert all(begins <= latest + 1e-6 for begins, latest in zip(found, one_by_one[1:], strict=False))
    if len(running) == 3:
        assert all(begins >= min(running.values()) for begins in found)
