"""When an answer makes its next call, and through which lane. Pure functions of the budgets and the time.

What they promise and how near they come to what is possible at all: docs/delivery.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bot.delivery.budget import Budget
from bot.delivery.lane import Lane

RENEWAL = 0.5
"""So shortly before a window renews, its reserved call may be spent: waiting for the new window would be as quick."""

OPENING = 0.6
"""A window's first call comes after so much of an even gap: waiting costs words on screen, but puts off its end, too.

For five calls the least staleness is at 0.59 = (√20 - 4) · 5/4.
"""

APART = 0.25
"""Windows of two lanes open at least this part of a window apart, so that one has calls when the other renews."""

INSTANT = 1e-6


class Urgency(Enum):
    """How a call is scheduled."""

    ROUTINE = auto()
    EAGER = auto()
    URGENT = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """When to write next, and through which lane."""

    at: float
    lane: Lane


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What a lane has to offer to one answer."""

    lane: Lane
    route: Budget
    left: int
    opens: float
    """When a call may be made: what all routes share may be used up for a moment."""
    is_crowded: bool
    """Whether what all routes share is scarcer for this answer than the route itself."""
    is_over: bool
    renews: float
    supply: float
    """Calls until then."""
    renewed: float
    """Calls that are added then."""

    def opens_apart_from(self, others: Sequence[_Outlook], now: float) -> bool:
        """Whether it is time to open its next window."""
        latest = now + (1 - APART) * self.route.seconds
        return self.is_over and all(other.is_over or other.renews <= latest for other in others if other is not self)


def slot(urgency: Urgency, lanes: Sequence[Lane], now: float, last: float) -> Slot:
    """When to make the next call; `last` is when the one before was made."""
    match urgency:
        case Urgency.URGENT:
            return urgent(lanes, now)
        case Urgency.EAGER:
            return eager(lanes, now, last)
        case Urgency.ROUTINE:
            return routine(lanes, now, last)


def urgent(lanes: Sequence[Lane], now: float) -> Slot:
    """The earliest call there is, if possible one that no other answer could make: for first words and last words."""
    slots = (Slot(lane.open_at(now), lane) for lane in lanes)
    return min(slots, key=lambda slot: (slot.at, len(slot.lane.budgets), -slot.lane.left(now)))


def eager(lanes: Sequence[Lane], now: float, last: float) -> Slot:
    """At once while the reserve is not touched, for what text waits behind; else in the rhythm."""
    if sum(lane.left(now) for lane in lanes) > 1:
        return urgent(lanes, now)
    return routine(lanes, now, last)


def routine(lanes: Sequence[Lane], now: float, last: float) -> Slot:
    """The next call in an even rhythm that keeps one call in reserve, so that last words never wait.

    Even gaps give the least staleness for a number of calls (half the mean square of the gaps over their mean). The
    reserve is one call over all lanes together. Where it would lapse, it is spent just before its window renews.
    """
    limited = [(lane, lane.route) for lane in lanes if lane.route]
    if len(limited) < len(lanes):
        return urgent(lanes, now)
    outlooks = sorted((_outlook(*pair, now, last) for pair in limited), key=lambda outlook: outlook.renews)
    usable = [outlook for outlook in outlooks if outlook.left]
    if not usable:
        return urgent(lanes, now)
    first = outlooks[0]
    if usable == [first]:
        at = _alone_at(first, now, last)
        release = first.renews - RENEWAL
    else:
        at = _together_at(outlooks, last)
        release = first.renews
    # A lane whose calls many others may have taken when last words come is no reserve.
    reserve = [outlook for outlook in usable if not outlook.is_crowded]
    if sum(outlook.left for outlook in reserve) > 1:
        reserve = []
    elif any(outlook.is_crowded for outlook in outlooks):
        release = min((outlook.renews - RENEWAL for outlook in reserve), default=release)

    def best(outlook: _Outlook) -> tuple[float, bool, bool, float]:
        """The earliest one; then a window is opened in good time, else calls are taken where they lapse first."""
        opens = max(at, now, outlook.opens, release if outlook in reserve else now)
        return opens, not outlook.opens_apart_from(outlooks, now), outlook.is_over, outlook.renews

    chosen = min(usable, key=best)
    return Slot(best(chosen)[0], chosen.lane)


def _outlook(lane: Lane, route: Budget, now: float, last: float) -> _Outlook:
    renews = route.renews(now, last)
    pace = max(lane.total.gap(now, last), INSTANT) if lane.total else INSTANT
    return _Outlook(
        lane,
        route,
        left=route.left(now),
        opens=lane.open_at(now),
        is_crowded=pace > route.seconds / route.calls,
        is_over=route.is_over(now),
        renews=renews,
        supply=max(renews - last, 0.0) / max(lane.gap(now, last), INSTANT),
        renewed=min(route.calls / max(route.sharers, 1), route.seconds / pace),
    )


def _alone_at(outlook: _Outlook, now: float, last: float) -> float:
    """The next call where one lane has all the calls, and so the reserve, which would lapse with it."""
    gap = outlook.lane.gap(now, last, notice=RENEWAL)
    return last + gap * (OPENING if outlook.is_over else 1)


def _together_at(outlooks: Sequence[_Outlook], last: float) -> float:
    """The next call in a rhythm in which calls never run out before the next of the windows renews."""
    supply = sum(outlook.supply for outlook in outlooks)
    gap = 0.0
    for outlook in outlooks:
        gap = max(gap, (outlook.renews - last) / max(supply, INSTANT))
        supply += outlook.renewed
    return last + gap
