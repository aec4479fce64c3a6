"""How long a question will probably wait, from how long the model's recent answers took. No clock and no tasks."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from statistics import median
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

RECENT = 20
"""Answers of each model that count; their median, so that one that hung does not frighten everybody."""

LEAST_LEFT = 0.25
"""Of an answer's usual time, what is expected to be left at least of one that takes longer than usual."""


class Durations:
    """How long the answers of each model took lately, from their turn's beginning to its end, in seconds."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[float]] = {}

    def add(self, model: str, seconds: float) -> None:
        """Count an answer that came to its end."""
        self._recent.setdefault(model, deque(maxlen=RECENT)).append(seconds)

    def usual(self, model: str) -> float:
        """What to expect of a whole answer; infinite while there was none."""
        recent = self._recent.get(model)
        return median(recent) if recent else math.inf

    def left(self, model: str, elapsed: float) -> float:
        """What to expect of an answer that has been running for so long."""
        usual = self.usual(model)
        return max(usual - elapsed, usual * LEAST_LEFT)


def waits(running: Mapping[K, float], line: Iterable[tuple[K, float]], *, parallel: int) -> Sequence[float | None]:
    """Seconds until each question in line begins; None where that is unknown.

    `running` has the seconds that are left to each conversation's answer, `line` the conversation and the whole
    duration of each that waits, in order.
    """
    free_at = [0.0] * max(parallel - len(running), 0) + list(running.values())
    heapq.heapify(free_at)
    ends = dict(running)
    found: list[float | None] = []
    for conversation, seconds in line:
        begins = max(heapq.heappop(free_at), ends.get(conversation, 0.0))
        ends[conversation] = begins + seconds
        heapq.heappush(free_at, begins + seconds)
        found.append(None if math.isinf(begins) else begins)
    return found
