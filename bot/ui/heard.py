"""What Discord told already: after an outage the gateway may tell an event a second time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

KEPT = 1_000
"""Newest events that are remembered; a gateway that resumes replays a few minutes."""


class Heard:
    """The ids of the newest messages and interactions that were taken up, and of edits, with their moments."""

    def __init__(self) -> None:
        self._ids: OrderedDict[Hashable, None] = OrderedDict()

    def is_news(self, event_id: Hashable) -> bool:
        """Whether it is heard for the first time; from now on it is known."""
        is_new = not self.knows(event_id)
        self.know(event_id)
        return is_new

    def knows(self, event_id: Hashable) -> bool:
        """Whether it is known."""
        return event_id in self._ids

    def forget(self, event_id: Hashable) -> None:
        """From now on it is not known any more."""
        self._ids.pop(event_id, None)

    def know(self, event_id: Hashable) -> None:
        """From now on it is known."""
        self._ids.setdefault(event_id)
        if len(self._ids) > KEPT:
            self._ids.popitem(last=False)
