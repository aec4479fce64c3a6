"""httpx's requests over aiohttp, which discord.py brings along: reading a token from a socket is our hottest path.

With 50 answers at 40 tokens a second, httpx's own transport takes 75 to 100 µs of processor time for each token,
aiohttp, whose parser is compiled, 30 to 40.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx

__all__ = ["AiohttpTransport", "environment_proxy", "in_httpx"]

# The first line that fits holds: subclasses stand before their bases.
_IN_HTTPX: tuple[tuple[tuple[type[Exception], ...], type[httpx.TransportError]], ...] = (
    ((aiohttp.ConnectionTimeoutError,), httpx.ConnectTimeout),
    ((aiohttp.ServerTimeoutError,), httpx.ReadTimeout),
    ((aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError), httpx.ProxyError),
    ((aiohttp.ClientConnectorError, aiohttp.ServerFingerprintMismatch), httpx.ConnectError),
    ((aiohttp.InvalidURL,), httpx.UnsupportedProtocol),
    ((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError), httpx.RemoteProtocolError),
    ((aiohttp.ClientResponseError,), httpx.RemoteProtocolError),
    ((aiohttp.ClientError,), httpx.ReadError),
)


def environment_proxy(url: str) -> str | None:
    """The proxy that HTTP_PROXY and its like name for a URL; None where there is none."""
    split = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(split.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(split.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Of httpx's time limits it keeps the one for connecting; who reads has limits of their own."""

    def __init__(self, *, proxy: str | None = None) -> None:
        self._proxy = proxy
        self._ssl = httpx.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.TransportError."""
        self._session = self._session or self._open()
        with in_httpx():
            response = await self._session.request(
                request.method,
                str(request.url),
                headers=request.headers,
                data=await request.aread(),
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(total=None, connect=request.extensions["timeout"]["connect"]),
                allow_redirects=False,
            )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Not before the first request, since a session belongs to the loop that runs."""
        return aiohttp.ClientSession(
            # How many answers run at once is MAX_PARALLEL_ANSWERS' business alone.
            connector=aiohttp.TCPConnector(limit=0, ssl=self._ssl),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )


class _Body(httpx.AsyncByteStream):
    """A response's bytes as they come; closing it closes the connection unless all was read.

    Where a connection breaks, aiohttp gives up what nobody has taken yet: read without a pause, as the assistant does.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with in_httpx():
            while data := await self._response.content.readany():
                yield data

    async def aclose(self) -> None:
        self._response.close()


@contextmanager
def in_httpx() -> Iterator[None]:
    """Raise aiohttp's errors as httpx's, which is what the ollama library and bot.llm.errors know."""
    try:
        yield
    except aiohttp.ClientError as exc:
        error = next(error for types, error in _IN_HTTPX if isinstance(exc, types))
        raise error(str(exc)) from exc
