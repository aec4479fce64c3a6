"""Calls to Discord, counted in their budgets, and over when Discord has answered.

discord.py keeps the call that empties a bucket asleep until the window ends, although Discord carried it out at once.
So responses are watched where they arrive, below discord.py: its `http_trace` sees those of both of its HTTP clients.
A trace runs in the task that made the call, which is how a response finds its call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, TypeVar

import aiohttp

from bot.delivery.budget import Lane

T = TypeVar("T")
Clock = Callable[[], float]

_CLIENT_ERROR = 400
_TOO_MANY_REQUESTS = 429


class _Call:
    """One call on its way; discord.py may send it more than once."""

    def __init__(self, lane: Lane, clock: Clock) -> None:
        self._lane = lane
        self._clock = clock
        self.succeeded = asyncio.Event()
        self._settled = False
        lane.spend(clock())

    def response(self, status: int, headers: Mapping[str, str]) -> None:
        """Take what Discord says of its limits, and whether it has done what was asked."""
        self.settle()
        now = self._clock()
        if status == _TOO_MANY_REQUESTS:
            retry_after = _number(headers, "Retry-After") or 1.0
            self._lane.refuse(now, retry_after, everywhere=headers.get("X-RateLimit-Scope") == "global")
        elif "X-RateLimit-Limit" in headers:
            self._lane.learn(
                now,
                limit=int(_number(headers, "X-RateLimit-Limit")),
                remaining=int(_number(headers, "X-RateLimit-Remaining")),
                reset_after=_number(headers, "X-RateLimit-Reset-After"),
            )
        if status < _CLIENT_ERROR:
            self.succeeded.set()

    def settle(self) -> None:
        """Count the call as no longer in flight, once."""
        if not self._settled:
            self._settled = True
            self._lane.settle()


def _number(headers: Mapping[str, str], name: str) -> float:
    try:
        return float(headers.get(name, ""))
    except ValueError:
        return 0.0


_current: ContextVar[_Call | None] = ContextVar("call", default=None)


def trace() -> aiohttp.TraceConfig:
    """For `discord.Client(http_trace=...)`."""

    async def on_request_end(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        if call := _current.get():
            call.response(params.response.status, params.response.headers)

    config = aiohttp.TraceConfig()
    config.on_request_end.append(on_request_end)
    return config


class Caller:
    """Makes calls; holds on to those that discord.py keeps asleep."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._asleep: set[asyncio.Task[Any]] = set()

    async def edit(self, lane: Lane, call: Coroutine[Any, Any, object]) -> None:
        """Make a call whose result nobody needs; returns as soon as Discord has answered with success.

        The call is never cancelled, whatever happens to the caller: discord.py would hold up the next one for longer.
        """
        task, watched = self._begin(lane, call)
        succeeded = asyncio.create_task(watched.succeeded.wait())
        try:
            await asyncio.wait({task, succeeded}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            succeeded.cancel()
        if task.done():
            task.result()

    async def fetch(self, lane: Lane, call: Coroutine[Any, Any, T]) -> T:
        """Make a call whose result is needed; it is never cancelled either."""
        task, _ = self._begin(lane, call)
        return await asyncio.shield(task)

    def _begin(self, lane: Lane, call: Coroutine[Any, Any, T]) -> tuple[asyncio.Task[T], _Call]:
        watched = _Call(lane, self._clock)

        async def run() -> T:
            _current.set(watched)
            try:
                return await call
            finally:
                watched.settle()

        task = asyncio.create_task(run())
        self._asleep.add(task)
        task.add_done_callback(self._finished)
        return task, watched

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._asleep.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it has it; a call that had succeeded has no other news
