"""What goes wrong with Discord, and with the lines to it and to Ollama, all the while, at random."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from playground.discord import EventKind, LoopbackDiscord
from playground.discord.answers import Scope
from playground.discord.errors import too_many_old_edits
from playground.discord.faults import Fault, Faults
from tests.wire.stage import PATIENCE, Line, forgotten

EDIT = ("PATCH", "/messages/")
SEND = ("POST", r"/channels/\d+/messages$")
RESPOND = ("POST", "/callback$")
FOLLOW = ("POST", "/webhooks/")
READ = ("GET", "/messages")
DELETE = ("DELETE", "/messages/")
SCOPES: tuple[Scope, ...] = ("user", "shared", "global")

Call = tuple[str, str]


class Kind(NamedTuple):
    """Which calls a fault may meet, and how it is made."""

    call: Call
    make: Callable[[Faults, random.Random], Fault]

    def fits(self, method: str, path: str) -> bool:
        """Whether this call may meet it."""
        return method == self.call[0] and re.search(self.call[1], path) is not None


def _fails(call: Call, status: int, *, after: bool = False) -> Kind:
    return Kind(call, lambda faults, _: faults.fail(*call, status=status, after=after))


def _drops(call: Call, *, after: bool) -> Kind:
    return Kind(call, lambda faults, rng: faults.drop(*call, times=rng.choice([1, 1, 2]), after=after))


def _slows(call: Call, most: float, *, after: bool) -> Kind:
    return Kind(call, lambda faults, rng: faults.slow(*call, seconds=rng.uniform(0.3, most), after=after))


def _limits(call: Call, scope: Scope) -> Kind:
    times = [1, 2, 6] if scope == "user" else [1]
    return Kind(
        call,
        lambda faults, rng: faults.rate_limit(
            *call, retry_after=rng.uniform(0.1, 0.6), times=rng.choice(times), scope=scope
        ),
    )


WRITES = {"an edit": EDIT, "a message": SEND, "a follow-up": FOLLOW}

KINDS: dict[str, Kind] = {
    **{
        f"{name} fails with {status}{' though it was done' if after else ''}": _fails(call, status, after=after)
        for name, call in WRITES.items()
        for status in (500, 502, 503, 504)
        for after in (False, True)
    },
    **{
        f"{name}'s connection breaks{' when it was done' if after else ''}": _drops(call, after=after)
        for name, call in (WRITES | {"a deletion": DELETE, "a response": RESPOND}).items()
        for after in (False, True)
    },
    **{
        f"{name} takes long{' to be confirmed' if after else ''}": _slows(call, most, after=after)
        for name, call, most in (("an edit", EDIT, 2.5), ("a message", SEND, 2.5), ("a response", RESPOND, 2.0))
        for after in (False, True)
    },
    **{
        f"{name} meets a limit for the {scope}": _limits(call, scope)
        for name, call in WRITES.items()
        for scope in SCOPES
    },
    "a response fails": _fails(RESPOND, 503),
    "a response fails though it was done": _fails(RESPOND, 503, after=True),
    "a response takes too long": Kind(RESPOND, lambda faults, _: faults.slow(*RESPOND, seconds=3.5)),
    "a look fails": _fails(READ, 503),
    "a look's connection breaks": _drops(READ, after=False),
    "a deletion fails": _fails(DELETE, 503),
    "Cloudflare bans an edit": Kind(EDIT, lambda faults, _: faults.ban(*EDIT, retry_after=1)),
    "Cloudflare bans a message": Kind(SEND, lambda faults, _: faults.ban(*SEND, retry_after=1)),
    "an edit is one too many of an old message": Kind(
        EDIT, lambda faults, rng: faults.refuse(*EDIT, too_many_old_edits(rng.uniform(0.2, 1.0)))
    ),
}


class RandomFaults(Faults):
    """A share of all calls is struck, each by one of the kinds that may meet it."""

    def __init__(self, rng: random.Random, share: float) -> None:
        super().__init__()
        self._rng = rng
        self._share = share
        self.seen: Counter[str] = Counter()
        self.is_on = False

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault that meets this call, by chance or because it strikes several times in a row."""
        if not self.is_on:
            return None
        if known := super().strike(method, path):
            return known
        self.planned = [fault for fault in self.planned if fault.hits < fault.times]
        if self._rng.random() >= self._share:
            return None
        names = [name for name, kind in KINDS.items() if kind.fits(method, path)]
        if not names:
            return None
        name = self._rng.choice(names)
        self.seen[name] += 1
        fault = KINDS[name].make(self, self._rng)
        fault.path = re.compile(re.escape(path))  # it goes on for the same channel only
        return super().strike(method, path)


GATEWAY: dict[str, Callable[[LoopbackDiscord], object]] = {
    "the gateway's line is cut": lambda discord: discord.gateway.drop(),
    "the gateway closes with 4000": lambda discord: discord.gateway.drop(4000),
    "the gateway asks to reconnect": lambda discord: discord.gateway.reconnect(),
    "the session must be resumed": lambda discord: discord.gateway.invalidate(resumable=True),
}
ANEW: dict[str, Callable[[LoopbackDiscord], object]] = {
    "the session is void": lambda discord: discord.gateway.invalidate(),
    "Discord forgot the session": forgotten,
}
"""After these Discord tells nothing of what was said meanwhile, so people keep still."""

_GATEWAY_EVERY, _OLLAMA_EVERY = (6.0, 18.0), (8.0, 25.0)
"""Seconds between two of these."""

_HUSH = 1.0
"""Seconds after the last question before a session ends for good."""


class Weather:
    """Strikes at random; `calm` is cleared while nobody may ask anything."""

    def __init__(self, discord: LoopbackDiscord, faults: RandomFaults, line: Line, rng: random.Random) -> None:
        self._discord = discord
        self._faults = faults
        self._line = line
        self._rng = rng
        self.calm = asyncio.Event()
        self.calm.set()
        self.outages: list[tuple[float, float]] = []
        """When the line to Ollama was cut, from when to when."""
        self.crashes: list[tuple[float, float]] = []
        self.crashed = asyncio.Event()
        """Set by each crash, for those who waited then."""
        self.seen: Counter[str] = Counter()

    @asynccontextmanager
    async def blowing(self) -> AsyncIterator[None]:
        """Let it strike until the block ends."""
        tasks = [asyncio.create_task(it) for it in (self._over_gateway(), self._over_ollama())]
        self._faults.is_on = True
        try:
            yield
        finally:
            self._faults.is_on = False
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            self.calm.set()
            for result in done:
                if isinstance(result, Exception):
                    raise result

    async def crash(self, crash: Callable[[], Awaitable[None]]) -> None:
        """Let the bot crash and start again; what is asked while nobody listens is nobody's fault, so nobody asks."""
        async with self._hushed():
            begun = time.monotonic()
            await crash()
            self.crashed.set()
            self.crashed = asyncio.Event()
            self.crashes.append((begun, time.monotonic()))
            self.seen["the bot is killed"] += 1

    async def _over_gateway(self) -> None:
        while True:
            await asyncio.sleep(self._rng.uniform(*_GATEWAY_EVERY))
            if self._rng.random() < 0.7:
                name = self._rng.choice(list(GATEWAY))
                self.seen[name] += 1
                GATEWAY[name](self._discord)
                continue
            name = self._rng.choice(list(ANEW))
            async with self._hushed():
                begun = time.monotonic()
                self.seen[name] += 1
                ANEW[name](self._discord)
                await self._discord.wait_for(
                    lambda event: event.kind is EventKind.READY, timeout=2 * PATIENCE, since=begun
                )

    @asynccontextmanager
    async def _hushed(self) -> AsyncIterator[None]:
        while not self.calm.is_set():
            await self.calm.wait()
        self.calm.clear()
        try:
            await asyncio.sleep(_HUSH)
            yield
        finally:
            self.calm.set()

    async def _over_ollama(self) -> None:
        while True:
            await asyncio.sleep(self._rng.uniform(*_OLLAMA_EVERY))
            begun = time.monotonic()
            try:
                await self._outage()
            finally:  # also if the run ends meanwhile
                self.outages.append((begun, time.monotonic()))

    async def _outage(self) -> None:
        if self._rng.random() < 0.5:
            self.seen["all connections to Ollama are cut"] += 1
            self._line.cut()
            return
        self.seen["Ollama is down"] += 1
        await self._line.unplug()
        try:
            await asyncio.sleep(self._rng.uniform(0.5, 3.0))
        finally:
            await self._line.plug_in()
