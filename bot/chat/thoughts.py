"""A thinking model's thoughts: shown to whoever asks for them, and never again to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

KEPT = timedelta(days=7)
"""How long thoughts are kept after their answer; long enough to look into an odd one."""

SAY_EVERY = 5
"""Seconds between two words about how long a model has been thinking: each of them costs an edit."""


@dataclass(frozen=True, slots=True)
class Thoughts:
    """What a model thought before it answered."""

    text: str
    channel_id: int
    """Where it answered."""
    asker_id: int
    """Whom it answered."""


class TrainOfThought:
    """The thoughts of one answer as they come, and how long they take."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pieces: list[str] = []
        self._began = 0.0
        self._newest = 0.0
        self._said = -SAY_EVERY

    def take(self, text: str) -> int | None:
        """Take a further piece; returns the whole seconds so far where it is time to say them."""
        if not self._pieces:
            if not text.strip():
                return None  # a model that was told not to think may open and close its tags all the same
            self._began = self._clock()
        self._pieces.append(text)
        self._newest = self._clock()
        seconds = int(self._newest - self._began)
        if seconds < self._said + SAY_EVERY:
            return None
        self._said = seconds
        return seconds

    def adopt(self, pieces: Iterable[str], since: float) -> None:
        """Take what looked like text, and came since a moment of the clock, for thoughts as well."""
        self._began = self._began if self._pieces else since
        self._pieces.extend(pieces)
        self._newest = self._clock()

    @property
    def count(self) -> int:
        """In how many pieces they came."""
        return len(self._pieces)

    @property
    def text(self) -> str:
        """All of them, without the blank lines around them."""
        return "".join(self._pieces).strip()

    @property
    def seconds(self) -> float | None:
        """From the first thought to the newest; None where there is none."""
        return self._newest - self._began if self._pieces else None
