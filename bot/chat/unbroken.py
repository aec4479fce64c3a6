"""Waiting for what must come to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from bot.errors import LlampostError

log = logging.getLogger(__name__)

T = TypeVar("T")


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Let the work end, however often the caller is cancelled meanwhile; the cancellation takes effect after that."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        failure = task.exception()
        if failure is not None and not isinstance(failure, LlampostError):
            log.error("Work failed that nobody waited for any more", exc_info=failure)
        raise cancelled
    return task.result()
