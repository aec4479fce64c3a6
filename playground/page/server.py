"""The page on its port of this machine: its routes, and what keeps everybody else out."""

import re
import secrets
from contextlib import AsyncExitStack
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from playground.discord import LoopbackDiscord
from playground.page.actions import Actions
from playground.page.broadcast import Broadcast
from playground.page.files import Files, static_file
from playground.page.ports import About, BotControls, Gauges
from playground.page.refusals import RefusedError, json_answer, refusal
from playground.page.stream import Tab
from playground.page.switches import Switches
from playground.page.views import Views

_HOST = "127.0.0.1"
_NAMES = (_HOST, "localhost")
_TOKEN = re.compile(r"[\w-]{16,}", re.ASCII)
_SHUTDOWN = 1.0
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Page:
    """A page for the people of a loopback Discord, at `url` while `async with` lasts.

    `token` is the secret in its address, at least 16 letters, digits, "-" or "_"; by default a new one.
    """

    def __init__(
        self,
        discord: LoopbackDiscord,
        *,
        about: About,
        bot: BotControls,
        gauges: Gauges,
        port: int = 0,
        token: str = "",
    ) -> None:
        self.token = token or secrets.token_urlsafe(16)
        if not _TOKEN.fullmatch(self.token):
            raise ValueError("The token must be at least 16 letters, digits, hyphens or underscores.")
        self.url = ""
        self._port = port
        self._discord = discord
        self._gauges = gauges
        self._views = Views(discord, about, bot)
        self._broadcast = Broadcast(discord, self._views, bot, gauges)
        self._switches = Switches(discord, bot)
        self._stack: AsyncExitStack

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guard], client_max_size=self._discord.settings.max_request_bytes)
        app.on_response_prepare.append(_harden)
        app.on_shutdown.append(self._close_tabs)
        app.add_routes(self._routes(f"/{self.token}"))
        # With cancellation a closed tab ends its handler at once, not at the next event.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN, handler_cancellation=True)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._broadcast)
            stack.push_async_callback(self._switches.close)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, _HOST, self._port).start()
            self._stack = stack.pop_all()
        self._port = runner.addresses[0][1]
        self.url = f"http://{_HOST}:{self._port}/{self.token}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def open_tabs(self) -> int:
        """How many streams are open."""
        return len(self._broadcast.tabs)

    def _routes(self, base: str) -> list[web.RouteDef]:
        return [
            web.get(f"{base}/stream", self._stream, allow_head=False),
            web.get(f"{base}/files/{{id}}/{{name}}", Files(self._discord).attachment),
            web.get(f"{base}/prompts/{{n:[0-9]{{1,9}}}}", self._prompt),
            web.post(f"{base}/bot", self._switches.turn),
            *Actions(self._discord).routes(base),
            web.get(rf"{base}/{{path:[\w./-]*}}", static_file),
        ]

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._check(request)
            return await handler(request)
        # Whatever goes wrong is answered with one sentence, and with the headers that every answer has.
        except Exception as error:  # noqa: BLE001
            return refusal(error)

    def _check(self, request: web.Request) -> None:
        """Refuse other sites: by a name that they point here (Host), or by a request from their page (Origin)."""
        hosts = {f"{name}:{self._port}" for name in _NAMES}
        origins = {f"http://{host}" for host in hosts}
        if request.host not in hosts or (request.method == "POST" and request.headers.get("Origin") not in origins):
            raise web.HTTPForbidden

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        viewer = self._views.viewer(request.query.get("as"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if request.transport is None:
            return response
        tab = Tab(viewer, request.transport, gauges=request.query.get("gauges") == "1")
        with self._broadcast.tabs.holding(tab):
            self._broadcast.welcome(tab)
            await tab.write_to(response)
        return response

    async def _close_tabs(self, _: web.Application) -> None:
        self._broadcast.tabs.close()

    async def _prompt(self, request: web.Request) -> web.Response:
        prompt = self._gauges.prompt(int(request.match_info["n"]))
        if prompt is None:
            raise RefusedError("This prompt is not kept any more.", status=404)
        return json_answer(prompt)


async def _harden(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
