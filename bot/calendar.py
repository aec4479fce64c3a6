"""What day it is: by this machine's clock, as long as Discord's agrees with it.

What is kept for so many days is deleted by this; a machine whose clock jumped a year ahead would delete it all, and
what was stored with a clock a year behind would go as soon as that is set right.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

log = logging.getLogger(__name__)

TOLERANCE = timedelta(minutes=5)
"""No two clocks agree wholly, and a response takes its time."""


def steady() -> float:
    """Seconds of a clock that never jumps, and goes on while the machine sleeps where there is such a one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Calendar:
    """Compares two clocks; each of Discord's responses says what time it is there."""

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = steady,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._heard: tuple[datetime, float] | None = None
        self._was_wrong = False

    def heard(self, date: str | None) -> None:
        """Take the header `Date` of a response of Discord's."""
        try:
            moment = parsedate_to_datetime(date or "")
        except ValueError:
            return
        if moment.tzinfo is not None:
            self._heard = (moment, self._steady())

    def now(self) -> datetime:
        """The time, in UTC; this machine's until Discord has said something else."""
        ours = self._wall()
        if self._heard is None:
            return ours
        moment, then = self._heard
        theirs = moment + timedelta(seconds=self._steady() - then)
        is_wrong = abs(ours - theirs) > TOLERANCE
        if is_wrong and not self._was_wrong:
            log.warning("%s The bot goes by Discord's clock.", _complaint(ours, theirs))
        self._was_wrong = is_wrong
        return theirs if is_wrong else ours

    @property
    def complaint(self) -> str | None:
        """What is wrong with this machine's clock, and what helps."""
        theirs = self.now()
        return _complaint(self._wall(), theirs) if self._was_wrong else None


def _complaint(ours: datetime, theirs: datetime) -> str:
    return (
        f"This machine's clock says {ours:%Y-%m-%d %H:%M} UTC, and Discord's says {theirs:%Y-%m-%d %H:%M}; "
        "set this machine's right."
    )
