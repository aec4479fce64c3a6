"""A time limit that costs next to nothing where it is not reached."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["Patience"]


class Patience:
    """Like `asyncio.timeout`, but for many waits one after another: `with patience: await ...`.

    One timer serves them all, set anew only when it goes off. At thousands of waits a second, one for each of them
    would cost as much as all our own code on a token's way.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._deadline = 0.0
        self._cancelled_before = 0
        self._is_over = False

    def __enter__(self) -> None:
        """Begin to wait, in the current task."""
        self._waiting = asyncio.current_task()
        self._cancelled_before = self._waiting.cancelling() if self._waiting else 0
        self._deadline = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look)

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, _: TracebackType | None) -> None:
        """End the wait. Raises TimeoutError where it was over."""
        waiting, self._waiting = self._waiting, None
        if self._is_over and waiting:
            self._is_over = False
            # Somebody else may have cancelled the task at the same time, which counts more.
            if waiting.uncancel() <= self._cancelled_before and kind is asyncio.CancelledError:
                raise TimeoutError from exc

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        else:
            self._is_over = True
            self._waiting.cancel()
