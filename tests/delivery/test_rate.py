"""However calls come, no window of Discord's ever holds more than are allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.budget import SAFETY
from bot.delivery.rate import Rate


@given(waits=st.lists(st.floats(0, 0.5), max_size=300), window=st.floats(0, 50))
def test_no_window_holds_more_calls_than_are_allowed(waits: list[float], window: float) -> None:
    rate, now = Rate(5, 1.0), 0.0
    sent: list[float] = []
    for wait in waits:
        now += wait
        now = max(now, rate.renews(now, now))
        rate.spend(now)
        sent.append(now)

    assert sum(window <= at < window + 1.0 for at in sent) <= 5


def test_all_calls_may_come_at_once_and_the_next_when_the_first_is_a_second_old() -> None:
    rate = Rate(45, 1.0)
    for _ in range(45):
        assert rate.left(10.0)
        rate.spend(10.0)

    assert rate.left(10.0) == 0
    assert rate.renews(10.0, 10.0) == 11.0 + SAFETY
    assert rate.left(11.0 + SAFETY) == 45


def test_answers_get_equal_shares() -> None:
    rate = Rate(45, 1.0)
    assert rate.gap(0.0, 0.0) == 0
    rate.sharers = 90
    assert rate.gap(0.0, 0.0) == pytest.approx(2 * (1 + SAFETY))


def test_after_a_refusal_nothing_is_left_until_discord_allows_it() -> None:
    rate = Rate(45, 1.0)
    rate.refuse(retry_after=3.0, now=0.0)
    rate.refuse(retry_after=1.0, now=0.5)

    assert (rate.left(3.0), rate.renews(1.0, 1.0)) == (0, 3.0 + SAFETY)
    assert rate.left(3.1) == 45
