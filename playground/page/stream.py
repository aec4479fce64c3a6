"""Server-sent events: one bounded queue for each open tab, so that a tab that does not read costs nothing."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiohttp import web

from playground.discord import Actor
from playground.discord.payloads import Payload

_BACKLOG = 500
_KEEP_OPEN = 15.0
_RECONNECT = b"retry: 1000\n\n"
_COMMENT = b": still here\n\n"


class Tab:
    """One open stream; who lets its queue fill up is disconnected, and gets everything anew when it comes back."""

    def __init__(self, viewer: Actor, transport: asyncio.Transport, *, gauges: bool) -> None:
        self.viewer = viewer
        self.gauges = gauges
        self.joined = time.monotonic()
        self.channels: frozenset[int] = frozenset()
        self._world = b""
        self._transport = transport
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(_BACKLOG)

    def send(self, kind: str, payload: Payload) -> None:
        """Queue one event."""
        self._put(_frame(kind, payload))

    def send_world(self, payload: Payload) -> None:
        """Queue the world unless the tab knows it so already."""
        frame = _frame("world", payload)
        if frame != self._world:
            self._world = frame
            self._put(frame)

    def _put(self, frame: bytes) -> None:
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """Cut the line; the browser reconnects by itself."""
        self._transport.abort()

    async def write_to(self, response: web.StreamResponse) -> None:
        """Send what is queued until the tab is gone."""
        with suppress(ConnectionError):
            await response.write(_RECONNECT)
            while True:
                await response.write(await self._next())

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(_KEEP_OPEN):
                return await self._frames.get()
        except TimeoutError:
            return _COMMENT


def _frame(kind: str, payload: Payload) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(payload, separators=(',', ':'))}\n\n".encode()


class Tabs:
    """All open streams."""

    def __init__(self) -> None:
        self._open: set[Tab] = set()

    def __iter__(self) -> Iterator[Tab]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def holding(self, tab: Tab) -> Iterator[None]:
        """Keep a tab among the open ones."""
        self._open.add(tab)
        try:
            yield
        finally:
            self._open.discard(tab)

    def of(self, user_id: int) -> Iterator[Tab]:
        """Yield one user's tabs."""
        return (tab for tab in self if tab.viewer.id == user_id)

    def close(self) -> None:
        """Cut all lines."""
        for tab in self:
            tab.close()
