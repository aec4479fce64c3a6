"""Tells the operator that the database can't be used, and when it can again: once, not at each try."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from bot.errors import DatabaseDamaged, StorageError

log = logging.getLogger(__name__)

CALM = 10.0
"""Seconds without a failure after which it is over: on a nearly full disk small things succeed between large ones."""


class Trouble:
    """What goes wrong, from its first failure until nothing has failed for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: set[str] = set()
        self._said_for_good: set[str] = set()
        self._newest = 0.0

    def met(self, error: StorageError) -> None:
        """Take note that the database could not be used."""
        self._newest = self._clock()
        said = self._said_for_good if isinstance(error, DatabaseDamaged) else self._said
        if str(error) not in said:
            said.add(str(error))
            log.error(str(error))

    def over(self) -> None:
        """Take note that something could be stored."""
        if self._said and self._clock() - self._newest >= CALM:
            self._said.clear()
            log.warning("The database can be written again")
