"""Calls to Discord, counted in their budgets, and over as soon as Discord has answered.

discord.py 2.7.1 keeps the call that empties a bucket asleep until the window ends, although Discord carried it out at
once. So responses are watched where they arrive, below discord.py: its `http_trace` sees those of both of its HTTP
clients. A trace runs in the task that made the call, which is how a response finds its call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeVar

import aiohttp

from bot.delivery.budgets import Budgets
from bot.delivery.lane import Lane

T = TypeVar("T")
Clock = Callable[[], float]

_CLIENT_ERROR = 400
_TOO_MANY_REQUESTS = 429


def monotonic() -> float:
    """Seconds of a clock that never jumps."""
    return time.monotonic()


class _Call:
    """One call on its way; discord.py may send it more than once."""

    def __init__(self, lane: Lane, clock: Clock, on_success: Callable[[], None]) -> None:
        self._lane = lane
        self._clock = clock
        self._on_success = on_success
        self._settled = False
        self._sent = clock()
        lane.spend(self._sent)

    def request(self) -> None:
        """Take note that it is sent now, or once more by discord.py."""
        self._sent = self._clock()
        if self._settled:
            self._settled = False
            self._lane.spend(self._sent)

    def response(self, status: int, headers: Mapping[str, str]) -> None:
        """Take what Discord says of its limits, and whether it has done what was asked."""
        self.settle()
        now = self._clock()
        if status == _TOO_MANY_REQUESTS:
            self._lane.refuse(now, _wait(headers), everywhere=headers.get("X-RateLimit-Scope") == "global")
        elif "X-RateLimit-Limit" in headers:
            self._lane.learn(
                now,
                limit=int(_number(headers, "X-RateLimit-Limit")),
                remaining=int(_number(headers, "X-RateLimit-Remaining")),
                reset_after=_number(headers, "X-RateLimit-Reset-After"),
                sent=self._sent,
                bucket=headers.get("X-RateLimit-Bucket"),
            )
        if status < _CLIENT_ERROR:
            self._on_success()

    def settle(self) -> None:
        """Count the call as no longer in flight, once."""
        if not self._settled:
            self._settled = True
            self._lane.settle()


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds until a refused call may be repeated."""
    if headers.get("X-RateLimit-Remaining") == "0":
        # The window is used up, and Retry-After gives its end in whole seconds only.
        return _number(headers, "X-RateLimit-Reset-After") or 1.0
    return _number(headers, "Retry-After") or 1.0


def _number(headers: Mapping[str, str], name: str) -> float:
    try:
        return float(headers.get(name, ""))
    except ValueError:
        return 0.0


_current: ContextVar[_Call | None] = ContextVar("call", default=None)


def trace(heard: Callable[[str | None], object]) -> aiohttp.TraceConfig:
    """For `discord.Client(http_trace=...)`; `heard` is told what date each response bears."""

    async def on_request_start(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, _params: aiohttp.TraceRequestStartParams
    ) -> None:
        if call := _current.get():
            call.request()

    async def on_request_end(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        heard(params.response.headers.get("Date"))
        if call := _current.get():
            call.response(params.response.status, params.response.headers)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(on_request_start)
    config.on_request_end.append(on_request_end)
    return config


class Caller:
    """Makes calls through lanes, and holds on to those that discord.py keeps asleep.

    No call is ever cancelled, whatever happens to whoever waits for it: discord.py would then hold up the next one for
    nearly twice as long.
    """

    def __init__(
        self,
        budgets: Budgets,
        clock: Clock = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take a clock for durations, and one that knows the date."""
        self.budgets = budgets
        self.clock = clock
        self.now = now
        self._on_their_way: set[asyncio.Task[Any]] = set()

    async def edit(self, lane: Lane, call: Coroutine[Any, Any, object]) -> None:
        """Make a call whose result nobody needs; returns as soon as Discord has answered with success."""
        answered = asyncio.get_running_loop().create_future()

        def succeeded() -> None:
            if not answered.done():
                answered.set_result(None)

        def ended(task: asyncio.Task[object]) -> None:
            if task.cancelled():
                answered.cancel()
            elif (error := task.exception()) is None:
                succeeded()
            elif not answered.done():
                answered.set_exception(error)

        self._begin(lane, call, succeeded).add_done_callback(ended)
        await answered

    async def fetch(self, lane: Lane, call: Coroutine[Any, Any, T]) -> T:
        """Make a call whose result is needed."""
        return await asyncio.shield(self._begin(lane, call, lambda: None))

    async def when_open(self, lane: Lane, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Make a call as soon as the lane allows it; nobody waits for it eagerly."""
        while True:
            now = self.clock()
            if (opens := lane.open_at(now)) <= now:
                return await self.fetch(lane, call())
            await asyncio.sleep(opens - now)  # meanwhile others may call, too

    def _begin(self, lane: Lane, call: Coroutine[Any, Any, T], on_success: Callable[[], None]) -> asyncio.Task[T]:
        watched = _Call(lane, self.clock, on_success)

        async def run() -> T:
            _current.set(watched)
            try:
                return await call
            finally:
                watched.settle()

        task = asyncio.create_task(run())
        self._on_their_way.add(task)
        task.add_done_callback(self._on_their_way.discard)
        return task
