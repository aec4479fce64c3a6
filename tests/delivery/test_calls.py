"""Calls through real HTTP: what their responses teach, and when they count as done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from aiohttp import web

from bot.delivery.budgets import Budgets
from bot.delivery.calls import Caller, trace
from bot.delivery.lane import Lane

LIMITS = {"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset-After": "4.0"}


@dataclass
class Server:
    """Answers with what is next in its list, and notes what arrives."""

    replies: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    arrived: int = 0

    async def handle(self, _: web.Request) -> web.Response:
        self.arrived += 1
        status, headers = self.replies.pop(0) if self.replies else (200, LIMITS)
        return web.Response(status=status, headers=headers)


@dataclass
class Line:
    """A caller, one lane of it, and a client that makes real requests."""

    server: Server
    caller: Caller
    lane: Lane
    request: Callable[[], Awaitable[int]]
    now: list[float]
    dates: list[str | None]


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    now = [100.0]
    dates: list[str | None] = []
    caller = Caller(Budgets(), lambda: now[0])
    async with aiohttp.ClientSession(trace_configs=[trace(dates.append)]) as session:

        async def request() -> int:
            async with session.patch(url) as response:
                return response.status

        yield Line(server, caller, caller.budgets.edits(1), request, now, dates)
    await runner.cleanup()


async def test_a_response_teaches_what_the_bucket_allows(line: Line) -> None:
    await line.caller.fetch(line.lane, request(line))

    assert line.lane.budgets[0].calls == 3
    assert line.lane.left(line.now[0]) == 2


async def test_a_response_tells_the_date(line: Line) -> None:
    await line.request()

    [date] = line.dates
    assert date
    assert abs(parsedate_to_datetime(date) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_call_counts_as_done_when_discord_has_answered_although_it_still_sleeps(line: Line) -> None:
    """discord.py sleeps inside the call that emptied a bucket."""
    woken = asyncio.Event()

    async def sleeping() -> None:
        await line.request()
        await woken.wait()

    await line.caller.edit(line.lane, sleeping())

    assert line.server.arrived == 1
    woken.set()


async def test_a_refused_call_is_done_only_when_its_repetition_succeeds(line: Line) -> None:
    line.server.replies = [(429, {"Retry-After": "7"}), (200, LIMITS)]
    refused = asyncio.Event()
    go_on = asyncio.Event()

    async def repeating() -> None:
        while await line.request() != 200:
            refused.set()
            await go_on.wait()

    editing = asyncio.create_task(line.caller.edit(line.lane, repeating()))
    await refused.wait()

    assert not editing.done()
    assert line.lane.left(line.now[0]) == 0
    assert line.lane.open_at(line.now[0]) >= line.now[0] + 7
    go_on.set()
    await editing


@pytest.mark.parametrize(("scope", "everywhere"), [("user", False), ("global", True)])
async def test_a_global_refusal_closes_every_channel_and_another_one_only_its_own(
    line: Line, scope: str, everywhere: bool
) -> None:
    line.server.replies = [(429, {"Retry-After": "7", "X-RateLimit-Scope": scope})]

    await line.caller.fetch(line.lane, request(line))

    other = line.caller.budgets.edits(2)
    assert (other.left(line.now[0]) == 0) is everywhere


async def test_an_error_reaches_whoever_waits(line: Line) -> None:
    async def failing() -> None:
        await line.request()
        raise ConnectionResetError

    async def failing_at_once() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await line.caller.edit(line.lane, failing_at_once())
    with pytest.raises(ConnectionResetError):
        await line.caller.fetch(line.lane, failing())


async def test_a_call_goes_on_when_nobody_waits_for_it_any_more(line: Line) -> None:
    """discord.py holds up the next call for longer where one is cancelled."""
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await go_on.wait()
        ended.set()

    for wait in (line.caller.edit, line.caller.fetch):
        waiting = asyncio.create_task(wait(line.lane, slow()))
        await begun.wait()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        go_on.set()
        await ended.wait()
        for event in (begun, go_on, ended):
            event.clear()


@pytest.mark.parametrize(
    "headers", [{}, {"X-RateLimit-Limit": "many"}, {"X-RateLimit-Limit": "5"}, {**LIMITS, "X-RateLimit-Remaining": ""}]
)
async def test_strange_headers_never_break_a_call(line: Line, headers: Mapping[str, str]) -> None:
    line.server.replies = [(200, headers)]

    assert await line.caller.fetch(line.lane, request(line)) == 200
    assert line.lane.budgets[0].calls >= 1


async def test_what_can_wait_is_called_when_the_lane_opens() -> None:
    now = [100.0]
    caller = Caller(Budgets(), lambda: now[0])
    lane = caller.budgets.edits(1)
    lane.budgets[0].refuse(retry_after=0.001, now=now[0])
    called: list[float] = []

    async def call() -> None:
        called.append(now[0])

    waiting = asyncio.create_task(caller.when_open(lane, call))
    await asyncio.sleep(0)
    assert called == []
    now[0] += 60
    await waiting

    assert called == [160.0]


async def request(line: Line) -> int:
    """A request as a coroutine of its own."""
    return await line.request()
