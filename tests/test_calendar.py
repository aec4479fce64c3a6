"""Which of two clocks is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calendar import TOLERANCE, Calendar

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


class Machine:
    """A machine whose clock can be set, and which counts the seconds since it was switched on."""

    def __init__(self) -> None:
        self.wall = NOON
        self.steady = 1000.0
        self.calendar = Calendar(lambda: self.wall, lambda: self.steady)

    def hear(self, moment: datetime) -> None:
        self.calendar.heard(format_datetime(moment, usegmt=True))

    def go_on(self, passed: timedelta) -> None:
        self.wall += passed
        self.steady += passed.total_seconds()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("jump", [YEAR, -YEAR, timedelta(days=12 * 365.25), timedelta(hours=1)])
def test_a_clock_that_jumps_while_the_bot_runs_is_not_believed(
    machine: Machine, jump: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    machine.hear(NOON)
    machine.go_on(timedelta(days=2))
    assert machine.calendar.now() == machine.wall
    assert machine.calendar.complaint is None
    machine.wall += jump

    for _ in range(3):
        machine.go_on(timedelta(hours=1))
        assert machine.calendar.now() == machine.wall - jump

    [line] = caplog.messages
    assert line.endswith("set this machine's right. The bot goes by Discord's clock.")
    assert str(machine.calendar.complaint).startswith(line[:30])
    machine.wall -= jump
    assert machine.calendar.now() == machine.wall
    assert machine.calendar.complaint is None


def test_a_clock_that_was_wrong_at_the_start_is_believed_only_until_discord_has_said_something(
    machine: Machine,
) -> None:
    assert machine.calendar.now() == NOON

    machine.hear(NOON - YEAR)

    assert machine.calendar.now() == NOON - YEAR
    machine.hear(NOON)
    assert machine.calendar.now() == NOON


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, 01 Jan 2026 00:00:00", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_what_is_no_date_changes_nothing(machine: Machine, date: str | None) -> None:
    machine.calendar.heard(date)

    assert machine.calendar.now() == NOON


@given(st.timedeltas(-YEAR, YEAR), st.timedeltas(timedelta(), YEAR))
def test_the_day_is_never_further_from_discords_than_the_tolerance(off: timedelta, passed: timedelta) -> None:
    machine = Machine()
    machine.hear(NOON)
    machine.go_on(passed)
    machine.wall += off

    assert abs(machine.calendar.now() - (NOON + passed)) <= TOLERANCE
