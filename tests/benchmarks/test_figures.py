from __future__ import annotations

import pytest

from benchmarks.figures import Staleness, answer_figures, middle, staleness

WRITTEN = [10.0, 11.0, 12.0, 13.0, 14.0]
"""Five tokens, one a second."""


def about(mean: float, worst: float) -> Staleness:
    return Staleness(pytest.approx(mean), pytest.approx(worst))  # type: ignore[arg-type]  # compares as a number


@pytest.mark.parametrize(
    ("steps", "mean", "worst"),
    [
        ([], (1 + 2 + 3 + 4) / 4, 5),  # nothing is ever visible
        ([(at, seen) for seen, at in enumerate(WRITTEN, 1)], 0, 1),  # each token the moment it is written
        ([(at + 0.25, seen) for seen, at in enumerate(WRITTEN, 1)], 0.25, 1),  # each a quarter of a second later
        ([(12.0, 3)], (1 + 2 + 0 + 1) / 4, 3),  # one edit in the middle
        ([(12.5, 3), (14.5, 5)], (1 + 2 + 0.5 * 3 + 0 + 1) / 4, 3),  # what happens after the end does not count
        ([(11.0, 1), (13.0, 0)], (1 + 1 + 2 + 4) / 4, 5),  # text that was taken away
    ],
)
def test_staleness_is_the_area_between_the_two_curves(
    steps: list[tuple[float, int]], mean: float, worst: float
) -> None:
    assert staleness(WRITTEN, steps, 1.0) == about(mean, worst)


def test_staleness_is_in_seconds_of_writing() -> None:
    written = [at / 40 for at in range(400)]
    one_second_behind = [(at + 1.0, number) for number, at in enumerate(written, 1)]
    found = staleness(written, one_second_behind, 40.0)
    assert found.worst == pytest.approx(1.0, abs=0.03)
    assert found.mean == pytest.approx(1.0 - 0.5 / written[-1], abs=0.02)  # in the first second it can't be so far


def test_one_token_is_never_stale_for_any_time() -> None:
    assert staleness([1.0], [(2.0, 1)], 40.0).mean == 0.0


def test_an_answers_figures() -> None:
    found = answer_figures(
        asked=8.0, model_asked=8.5, written=WRITTEN, steps=[(10.5, 1), (14.2, 4), (15.0, 5), (16.0, 5)], rate=1.0
    )
    assert (found.to_model, found.first_text, found.last_text) == (0.5, 0.5, 1.0)


def test_what_never_happens_has_no_figure() -> None:
    found = answer_figures(asked=8.0, model_asked=8.5, written=WRITTEN, steps=[(11.0, 0), (12.0, 3)], rate=1.0)
    assert (found.first_text, found.last_text) == (2.0, None)
    assert answer_figures(asked=8.0, model_asked=8.5, written=WRITTEN, steps=[], rate=1.0).first_text is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([1.0], 1.0), ([3.0, 1.0], 2.0), ([3.0, 1.0, None], 3.0), ([1.0, None], None), ([None], None)],
)
def test_what_never_happens_is_later_than_everything(values: list[float | None], expected: float | None) -> None:
    assert middle(values) == expected
