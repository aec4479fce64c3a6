"""What happened, in order: one stream of events that the gateway, tests and tools read."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from playground.discord.model import Channel, Guild, Interaction, Member, Message, Role
from playground.discord.payloads import Payload


class EventKind(StrEnum):
    """The first group has the names of gateway events; the second is seen by tests and tools only."""

    GUILD_CREATE = "GUILD_CREATE"
    GUILD_DELETE = "GUILD_DELETE"
    GUILD_ROLE_CREATE = "GUILD_ROLE_CREATE"
    GUILD_ROLE_UPDATE = "GUILD_ROLE_UPDATE"
    GUILD_MEMBER_UPDATE = "GUILD_MEMBER_UPDATE"
    CHANNEL_CREATE = "CHANNEL_CREATE"
    CHANNEL_UPDATE = "CHANNEL_UPDATE"
    CHANNEL_DELETE = "CHANNEL_DELETE"
    THREAD_CREATE = "THREAD_CREATE"
    THREAD_UPDATE = "THREAD_UPDATE"
    THREAD_DELETE = "THREAD_DELETE"
    MESSAGE_CREATE = "MESSAGE_CREATE"
    MESSAGE_UPDATE = "MESSAGE_UPDATE"
    MESSAGE_DELETE = "MESSAGE_DELETE"
    INTERACTION_CREATE = "INTERACTION_CREATE"

    INTERACTION_RESPONSE = "INTERACTION_RESPONSE"
    TYPING = "TYPING"
    COMMANDS = "COMMANDS"
    READY = "READY"
    RESUMED = "RESUMED"
    SESSION_REFUSED = "SESSION_REFUSED"
    CONNECTION_LOST = "CONNECTION_LOST"
    RATE_LIMITED = "RATE_LIMITED"
    UNKNOWN_ROUTE = "UNKNOWN_ROUTE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, at a time of the monotonic clock."""

    kind: EventKind
    at: float = field(default_factory=time.monotonic)
    message: Message | None = None
    interaction: Interaction | None = None
    channel: Channel | None = None
    guild: Guild | None = None
    role: Role | None = None
    member: Member | None = None
    data: Payload = field(default_factory=dict)

    def __str__(self) -> str:
        about = ""
        if self.message:
            about = f" #{self.message.id} {self.message.author_name}: {self.message.content!r}"
        elif self.interaction:
            about = f" {self.interaction.command or self.interaction.data.get('custom_id', '')}"
        return f"{self.at:.3f} {self.kind}{about} {self.data or ''}".rstrip()


class Watch:
    """An endless queue of events from the moment it was made; `close` (or `async with`) ends it."""

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    def put(self, event: Event) -> None:
        """Take one more event."""
        self._queue.put_nowait(event)

    def close(self) -> None:
        """Stop collecting."""
        self._feed.forget(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await self._queue.get()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Feed:
    """Keeps the latest events and hands each to everybody who listens."""

    def __init__(self, history: int) -> None:
        self.events: deque[Event] = deque(maxlen=history)
        self._listeners: list[Callable[[Event], None]] = []
        self._watches: list[Watch] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with each event, before any watch sees it."""
        self._listeners.append(listener)

    def publish(self, event: Event) -> None:
        """Record one event and pass it on."""
        self.events.append(event)
        for listener in self._listeners:
            listener(event)
        for watch in self._watches:
            watch.put(event)

    def watch(self) -> Watch:
        """Collect events from now on."""
        watch = Watch(self)
        self._watches.append(watch)
        return watch

    def forget(self, watch: Watch) -> None:
        """End a watch; a second time does nothing."""
        if watch in self._watches:
            self._watches.remove(watch)

    def wait_for(
        self, predicate: Callable[[Event], object], *, timeout: float, since: float = 0.0
    ) -> Coroutine[Any, Any, Event]:
        """Return the first event that fits, past ones included unless `since` (monotonic) leaves them out."""
        return self._first(predicate, timeout, since)

    async def _first(self, predicate: Callable[[Event], object], seconds: float, since: float) -> Event:
        for event in self.events:
            if event.at >= since and predicate(event):
                return event
        async with self.watch() as watch:
            try:
                async with asyncio.timeout(seconds):
                    async for event in watch:
                        if predicate(event):
                            return event
            except TimeoutError as late:
                told = "\n".join(str(event) for event in list(self.events)[-20:])
                raise TimeoutError(f"Not within {seconds} s. The last events:\n{told}") from late
        raise AssertionError("a watch never ends by itself")
