"""How little staleness is possible at all under Discord's limits: what the simulated schedules are compared with.

What is shown at a moment is as old as the last call that had arrived. So the mean age is half the sum of the squares of
the gaps between calls over their sum, plus the way of a call to Discord, and a bound is a question of how many calls
fit, and where they must stand. Times are seconds.
"""

from __future__ import annotations

import math

CALLS = 5
WINDOW = 5.0
"""A window of Discord: so many calls in so many seconds from its first one."""

_STEP = 0.01
_LATEST = 1.5
"""A window is opened at most so long after the one before ended: later is worse in any case."""


def end_unknown(way: float, *, lanes: int, notice: float) -> float:
    """The least mean staleness where the end may come at any moment, and last words must then go out at once.

    For one lane, the last `notice` seconds of a window are excepted. Four calls come at even gaps, the fifth at the end
    of the window; the next one is best opened after √20 - 4 of such a gap, and just so much is then the mean. Two lanes
    can use every call, since one of them has calls whenever the other renews.
    """
    if lanes > 1:
        return WINDOW / (lanes * CALLS) / 2 + way
    others = CALLS - 1
    return (math.sqrt(CALLS * others) - others) * (WINDOW - notice) / others + way


def end_known(length: float, way: float, *, lanes: int) -> float:
    """The least mean staleness for a schedule that knows from the first words on when the last ones come.

    Dynamic programming over the moments at which windows open, from the end to the beginning.
    """
    calls = lanes * CALLS
    seen = length - way  # what is sent later arrives after the end
    steps, width = round(seen / _STEP), round(WINDOW / _STEP)
    area = [0.0] * (steps + 1)
    for opened in range(steps, -1, -1):
        rest = (steps - opened) * _STEP
        # One call is left for the last words, where no new window gives it.
        area[opened] = _even(rest, calls if rest + way >= WINDOW else calls - 1)
        for following in range(opened + width, min(opened + width + round(_LATEST / _STEP), steps) + 1):
            area[opened] = min(area[opened], _even((following - opened) * _STEP, calls) + area[following])
    return (area[0] + way * length - way**2 / 2) / length


def _even(length: float, gaps: int) -> float:
    """Half the sum of the squares of so many even gaps."""
    return length**2 / (2 * gaps)
