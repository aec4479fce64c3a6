"""The loopback Discord itself: the parts put together and served on one port of this machine."""

import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Self

from aiohttp import web

from playground.discord.actors import Actor
from playground.discord.api import API, Api, Call
from playground.discord.buckets import Buckets
from playground.discord.events import Event, EventKind, Feed, Watch
from playground.discord.faults import Faults
from playground.discord.gateway import Gateway
from playground.discord.handles import DEFAULT_TIMEOUT, Asked, GuildHandle
from playground.discord.interactions import Interactions
from playground.discord.messages import Messages
from playground.discord.middleware import date, rest_call
from playground.discord.model import Message
from playground.discord.payloads import Payload
from playground.discord.permissions import USUAL
from playground.discord.routes import application, cdn, channels, guilds, interactions
from playground.discord.serialize import Serializer
from playground.discord.settings import RateLimits, Settings
from playground.discord.world import World

_HOST = "127.0.0.1"


class LoopbackDiscord:
    """A small Discord that bots and people share while `async with` lasts.

    People act through what `add_guild` and `add_user` return; bots come in by `url`.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.feed = Feed(self.settings.history)
        self.world = World(self.settings, self.feed)
        self.faults = Faults()
        self.buckets = Buckets(self.settings.limits)
        self.url = ""
        self.messages: Messages
        self.interactions: Interactions
        self.serializer: Serializer
        self.gateway: Gateway
        self.api: Api
        self._runner: web.AppRunner
        self.feed.listen(self._forget_deleted)

    async def __aenter__(self) -> Self:
        # The port must be known before the first URL is written, and the application before the port is served.
        app = web.Application(middlewares=[rest_call], client_max_size=2 * self.settings.max_request_bytes)
        app.on_response_prepare.append(date)
        for module in (application, cdn, channels, guilds, interactions):
            app.add_routes(module.routes)
        app.router.add_get("/gateway", self._websocket)
        app[API] = self.api = self._build()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, self.settings.port)
        await site.start()
        self._set_url(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close()
        await self._runner.cleanup()

    def _build(self) -> Api:
        self.messages = Messages(self.world)
        self.interactions = Interactions(self.world, self.messages)
        self.serializer = Serializer(self.world, self.messages)
        self.gateway = Gateway(self.world, self.serializer)
        return Api(
            world=self.world,
            messages=self.messages,
            interactions=self.interactions,
            serializer=self.serializer,
            buckets=self.buckets,
            faults=self.faults,
            calls=deque(maxlen=self.settings.history),
            intents=self.gateway.intents,
        )

    def _set_url(self, port: int) -> None:
        self.url = self.messages.cdn = self.api.base_url = f"http://{_HOST}:{port}"
        self.gateway.url = f"ws://{_HOST}:{port}/gateway"

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        return await self.gateway.handle(request)

    def _forget_deleted(self, event: Event) -> None:
        if event.kind in (EventKind.CHANNEL_DELETE, EventKind.THREAD_DELETE) and event.channel:
            self.messages.forget_channel(event.channel.id)

    # The world

    @property
    def token(self) -> str:
        """The token that logs the bot in."""
        return self.settings.accepted_token

    @property
    def mention(self) -> str:
        """The text that mentions the bot."""
        return f"<@{self.settings.bot_id}>"

    def add_user(self, name: str) -> Actor:
        """Create somebody who is in no guild yet."""
        return Actor(self, self.world.add_user(name))

    def add_guild(
        self, name: str = "Demo", *, bot_permissions: int = int(USUAL), owner: Actor | None = None
    ) -> GuildHandle:
        """Create a server with the bot in it; without an owner, somebody is invented."""
        user = owner.user if owner else None
        return GuildHandle(self, self.world.add_guild(name, bot_permissions=bot_permissions, owner=user))

    def delete_message(self, message: Message) -> None:
        """Delete a message as a moderator would; KeyError if it is gone."""
        self.messages.delete(message)

    def age(self, message: Message, seconds: float) -> None:
        """Let a message be older by so many seconds, as after a long answer; KeyError if it is gone."""
        self.messages.age(message.id, seconds)

    @property
    def limits(self) -> RateLimits:
        """The rate limits in force; a change holds from the next call on, and for the next window where one runs."""
        return self.buckets.limits

    @limits.setter
    def limits(self, limits: RateLimits) -> None:
        self.buckets.limits = limits

    # What happened

    @property
    def events(self) -> deque[Event]:
        """Everything so far, oldest first."""
        return self.feed.events

    @property
    def unknown_routes(self) -> list[str]:
        """The routes that somebody asked for and that are not there: look here when a bot fails strangely."""
        return self.api.unknown_routes

    @property
    def calls(self) -> deque[Call]:
        """The REST calls as they were answered."""
        return self.api.calls

    @property
    def rate_limit_hits(self) -> int:
        """How many calls were answered with 429."""
        return self.api.rate_limit_hits

    @property
    def invalid_requests(self) -> int:
        """How many calls were answered with 401, 403 or 429, of which Discord allows 10,000 in 10 minutes."""
        return self.api.invalid_requests

    def command_names(self) -> set[str]:
        """Return the names of all commands that the bot registered."""
        return {command["name"] for commands in self.world.commands.values() for command in commands}

    def watch(self) -> Watch:
        """Collect events from now on: `async with discord.watch() as events: async for event in events`."""
        return self.feed.watch()

    def wait_for(
        self, predicate: Callable[[Event], object], *, timeout: float = DEFAULT_TIMEOUT, since: float = 0.0
    ) -> Coroutine[Any, Any, Event]:
        """Return the first event that fits, past ones included unless `since` (monotonic) leaves them out."""
        return self.feed.wait_for(predicate, timeout=timeout, since=since)

    async def cut_off(self) -> None:
        """Cut the bot's connection to the gateway, and wait until it is back. Raises TimeoutError."""
        begun = time.monotonic()
        self.gateway.drop()
        await self.wait_for(lambda event: event.kind in {EventKind.READY, EventKind.RESUMED}, since=begun)

    async def choices(self, asked: Asked) -> list[Payload]:
        """Return what the bot suggests for `Actor.complete`."""
        await asked.response()
        return list(asked.interaction.response_data["choices"])
