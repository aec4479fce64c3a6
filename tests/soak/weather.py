"""What goes wrong with Discord, and with the lines to it and to Ollama, all the while, at random."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from playground.bot_process import BotProcess
from playground.discord import EventKind, LoopbackDiscord
from playground.discord.errors import too_many_old_edits
from playground.discord.faults import Fault, Faults
from tests.wire.stage import PATIENCE, Line

EDIT = ("PATCH", "/messages/")
SEND = ("POST", r"/channels/\d+/messages$")
RESPOND = ("POST", "/callback$")
FOLLOW = ("POST", "/webhooks/")
READ = ("GET", "/messages")
DELETE = ("DELETE", "/messages/")
TYPING = ("POST", "/typing$")

Call = tuple[str, str]
Strike = Callable[[Faults, random.Random], Fault]


def _fails(call: Call, status: int, *, after: bool = False) -> Strike:
    return lambda faults, _: faults.fail(*call, status=status, after=after)


def _drops(call: Call, *, after: bool) -> Strike:
    return lambda faults, rng: faults.drop(*call, times=rng.choice([1, 1, 2]), after=after)


def _slows(call: Call, most: float, *, after: bool) -> Strike:
    return lambda faults, rng: faults.slow(*call, seconds=rng.uniform(0.3, most), after=after)


def _limits(call: Call, scope: str) -> Strike:
    return lambda faults, rng: faults.rate_limit(
        *call,
        retry_after=rng.uniform(0.1, 0.6),
        times=rng.choice([1, 2, 6]) if scope == "user" else 1,
        scope=scope,  # type: ignore[arg-type]  # one of three words
    )


STRIKES: dict[str, Strike] = {
    **{
        f"{name} fails with {status}{' though it was done' if after else ''}": _fails(call, status, after=after)
        for name, call in {"an edit": EDIT, "a message": SEND, "a follow-up": FOLLOW}.items()
        for status in (500, 502, 503, 504)
        for after in (False, True)
    },
    **{
        f"{name}'s connection breaks{' when it was done' if after else ''}": _drops(call, after=after)
        for name, call in {"an edit": EDIT, "a message": SEND, "a follow-up": FOLLOW, "a deletion": DELETE}.items()
        for after in (False, True)
    },
    **{
        f"{name} takes long{' to be confirmed' if after else ''}": _slows(call, most, after=after)
        for name, call, most in (("an edit", EDIT, 2.5), ("a message", SEND, 2.5), ("a response", RESPOND, 2.0))
        for after in (False, True)
    },
    **{
        f"{name} meets a limit for the {scope}": _limits(call, scope)
        for name, call in {"an edit": EDIT, "a message": SEND, "a follow-up": FOLLOW}.items()
        for scope in ("user", "shared", "global")
    },
    "a response fails": _fails(RESPOND, 503),
    "a response fails though it was done": _fails(RESPOND, 503, after=True),
    "a response's connection breaks": _drops(RESPOND, after=False),
    "a response's connection breaks when it was done": _drops(RESPOND, after=True),
    "a response takes too long": lambda faults, _: faults.slow(*RESPOND, seconds=3.5),
    "a look fails": _fails(READ, 503),
    "a look's connection breaks": _drops(READ, after=False),
    "a deletion fails": _fails(DELETE, 503),
    "typing fails": _fails(TYPING, 503),
    "Cloudflare bans an edit": lambda faults, _: faults.ban(*EDIT),
    "Cloudflare bans a message": lambda faults, _: faults.ban(*SEND),
    "an edit is one too many of an old message": lambda faults, rng: faults.refuse(
        *EDIT, too_many_old_edits(rng.uniform(0.2, 1.0))
    ),
}

GATEWAY: dict[str, Callable[[LoopbackDiscord], object]] = {
    "the gateway's line is cut": lambda discord: discord.gateway.drop(),
    "the gateway closes with 4000": lambda discord: discord.gateway.drop(4000),
    "the gateway asks to reconnect": lambda discord: discord.gateway.reconnect(),
    "the session must be resumed": lambda discord: discord.gateway.invalidate(resumable=True),
}
ANEW: dict[str, Callable[[LoopbackDiscord], object]] = {
    "the session is void": lambda discord: discord.gateway.invalidate(),
    "Discord forgot the session": lambda discord: (discord.gateway.forget_sessions(), discord.gateway.drop()),
}
"""After these Discord tells nothing of what was said meanwhile, so people keep still."""

_HUSH = 1.0
"""Seconds after the last question before a session ends for good."""


class Weather:
    """Strikes at random; `calm` is cleared while nobody may ask anything."""

    def __init__(self, discord: LoopbackDiscord, line: Line, rng: random.Random, *, gap: float) -> None:
        self._discord = discord
        self._line = line
        self._rng = rng
        self._gap = gap
        self.calm = asyncio.Event()
        self.calm.set()
        self.outages: list[tuple[float, float]] = []
        """When the line to Ollama was cut, from when to when."""
        self.crashes: list[tuple[float, float]] = []
        self.seen: Counter[str] = Counter()
        self._planned: list[tuple[str, Fault]] = []

    @asynccontextmanager
    async def blowing(self) -> AsyncIterator[None]:
        """Let it strike until the block ends."""
        tasks = [asyncio.create_task(it) for it in (self._over_calls(), self._over_gateway(), self._over_ollama())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            self._count()
            self._discord.faults.clear()
            self.calm.set()
            for result in done:
                if isinstance(result, Exception):
                    raise result

    async def crash(self, bot: BotProcess) -> None:
        """Kill the bot and start it again; what is asked while nobody listens is nobody's fault, so nobody asks."""
        async with self._hushed():
            begun = time.monotonic()
            await bot.kill()
            await bot.start()
            self.crashes.append((begun, time.monotonic()))
            self.seen["the bot is killed"] += 1

    def _count(self) -> None:
        """Forget what has struck."""
        for name, fault in self._planned:
            self.seen[name] += fault.hits
        self._planned.clear()

    async def _over_calls(self) -> None:
        faults, rng = self._discord.faults, self._rng
        while True:
            await asyncio.sleep(rng.uniform(0, 2 * self._gap))
            name = rng.choice(list(STRIKES))
            self._planned.append((name, STRIKES[name](faults, rng)))
            if len(faults.planned) > 40:
                self._retire()

    def _retire(self) -> None:
        """Drop the faults that have struck, and the oldest of those that found no call."""
        kept = [(name, fault) for name, fault in self._planned if fault.hits < fault.times][-20:]
        gone = [pair for pair in self._planned if not any(pair[1] is it[1] for it in kept)]
        self._planned, kept_faults = gone, {id(fault) for _, fault in kept}
        self._count()
        self._planned = kept
        self._discord.faults.planned[:] = [it for it in self._discord.faults.planned if id(it) in kept_faults]

    async def _over_gateway(self) -> None:
        while True:
            await asyncio.sleep(self._rng.uniform(20, 60) * self._gap)
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
            await asyncio.sleep(self._rng.uniform(30, 90) * self._gap)
            begun = time.monotonic()
            if self._rng.random() < 0.5:
                self.seen["all connections to Ollama are cut"] += 1
                self._line.cut()
            else:
                self.seen["Ollama is down"] += 1
                await self._line.unplug()
                await asyncio.sleep(self._rng.uniform(0.5, 3.0))
                await self._line.plug_in()
            self.outages.append((begun, time.monotonic()))
