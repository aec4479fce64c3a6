"""A recording reverse proxy before any Ollama: what the bot asks and what it gets, without its noticing."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Self

import aiohttp
import httpx
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from bot.llm.address import parse_host
from playground.model.exchange import Exchange, begin

_HOST = "127.0.0.1"
_KEPT = 50
_CONNECT_WITHIN = 5.0
# They are about one connection, of which there are two here (RFC 9110, 7.6.1), or are worked out anew for each.
_HOP_BY_HOP = ("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade")
_OF_A_REQUEST = (*_HOP_BY_HOP, "Host", "Content-Length", "Expect")

_ANSWERED = ("/api/chat", "/api/generate")

_Take = Callable[[bytes, float], None]


class _ClientLeftError(Exception):
    """Nobody reads the response any more."""


class Tap:
    """Passes everything on to an Ollama while `async with` lasts; bots find it at `url`.

    Raises SettingError for an address that is none.
    """

    def __init__(self, target_url: str) -> None:
        self._target = parse_host(target_url)
        self._asked = 0
        self._session: aiohttp.ClientSession
        self._stack: AsyncExitStack
        self.url = ""
        self.exchanges: deque[Exchange] = deque(maxlen=_KEPT)
        """The newest answers, oldest first."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(self._connected())
            app = web.Application(client_max_size=0)
            app.router.add_route("*", "/{path:.*}", self._respond)
            runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, _HOST, 0).start()
            self._stack = stack.pop_all()
        self.url = f"http://{_HOST}:{runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _connected(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=httpx.create_ssl_context()),
            timeout=aiohttp.ClientTimeout(total=None, connect=_CONNECT_WITHIN),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            # A proxy of the environment would be asked for this machine, too.
            trust_env=not self._target.is_local,
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
        )

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """Let a failure look as it is.

        For 502 the bot says that a proxy finds no Ollama behind it, which is the truth; a connection that closes
        without a response would be an answer that broke off, though none had begun.
        """
        # Browsers say where a page is from, and by which name they came; no page has any business here.
        if "Origin" in request.headers or request.host != self.url.removeprefix("http://"):
            return web.Response(status=403)
        try:
            return await self._recorded(request)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return web.json_response({"error": f"No Ollama answers at {self._target.url}."}, status=502)
        except (aiohttp.ClientError, _ClientLeftError):
            # Closed before its end, the response breaks off for the bot just as it did for us.
            if request.transport:
                request.transport.close()
            return web.Response()

    async def _recorded(self, request: web.Request) -> web.StreamResponse:
        exchange = await self._begin(request)
        if exchange is None:
            return await self._pass_on(request, _ignore)
        try:
            response = await self._pass_on(request, exchange.take)
        except (asyncio.CancelledError, _ClientLeftError):
            exchange.close("cancelled")
            raise
        except aiohttp.ClientError as broken:
            exchange.close("failed", str(broken) or type(broken).__name__)
            raise
        exchange.end(time.monotonic())
        return response

    async def _begin(self, request: web.Request) -> Exchange | None:
        if request.method != "POST" or request.path not in _ANSWERED:
            return None
        exchange = begin(self._asked + 1, await request.read(), time.monotonic())
        if exchange:
            self._asked += 1
            self.exchanges.append(exchange)
        return exchange

    async def _pass_on(self, request: web.Request, take: _Take) -> web.StreamResponse:
        """Send a request on, and its response back as it comes; leaving early closes the connection to Ollama."""
        async with self._session.request(
            request.method,
            URL(self._target.url + request.raw_path, encoded=True),
            headers=self._headers(request),
            data=await request.read() or None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            response.headers.extend(_without(answer.headers, _HOP_BY_HOP))
            await response.prepare(request)
            while data := await answer.content.readany():
                at = time.monotonic()
                try:
                    await response.write(data)
                except ConnectionError as left:
                    raise _ClientLeftError from left
                take(data, at)
        return response

    def _headers(self, request: web.Request) -> CIMultiDict[str]:
        headers = _without(request.headers, _OF_A_REQUEST)
        # What is compressed can't be read along.
        headers["Accept-Encoding"] = "identity"
        if self._target.credentials:
            user, password = self._target.credentials
            headers.setdefault("Authorization", aiohttp.encode_basic_auth(user, password, "utf-8"))
        return headers


def _without(headers: Mapping[str, str], names: tuple[str, ...]) -> CIMultiDict[str]:
    kept = CIMultiDict(headers)
    for name in names:
        kept.popall(name, None)
    return kept


def _ignore(data: bytes, at: float) -> None:
    del data, at
