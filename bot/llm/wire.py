"""The HTTP client to Ollama: ollama's own, set up so that it keeps our time limits, credentials and text whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import ollama
from pydantic import BaseModel

from bot.errors import SettingError
from bot.llm.address import Address

__all__ = ["OllamaClient", "ShowReply"]

_WRITE_SECONDS = 30.0


class _VersionReply(BaseModel):
    version: str = ""


class ShowReply(BaseModel):
    """What we read of /api/show; ollama 0.6.3's own class demands fields that old servers leave out."""

    capabilities: list[str] | None = None
    model_info: Mapping[str, Any] | None = None


class OllamaClient(ollama.AsyncClient):
    """ollama's client with the two calls that it lacks."""

    def __init__(
        self, address: Address, *, connect: float, read: float, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        try:
            super().__init__(
                address.url,
                timeout=httpx.Timeout(connect=connect, read=read, write=_WRITE_SECONDS, pool=connect),
                # How many answers run at once is MAX_PARALLEL_ANSWERS' business alone.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=10),
                # A redirected POST may become a GET, and credentials would go along.
                follow_redirects=False,
                # Compressed lines wait in the proxy until a block is full: no stream any more.
                headers={"Accept-Encoding": "identity"},
                auth=address.credentials,
                # Unlike Ollama's own client, httpx sends even loopback requests to HTTP_PROXY.
                trust_env=not address.is_local,
                transport=transport,
                event_hooks={"response": [_keep_lines_whole]},
            )
        except (httpx.InvalidURL, ValueError) as exc:
            raise SettingError("OLLAMA_HOST is not an address. An example is http://127.0.0.1:11434") from exc

    async def version(self) -> str:
        """The server's version, such as "0.9.3"; empty where it does not say."""
        reply = await self._request(_VersionReply, "GET", "/api/version")
        return reply.version

    async def show_reply(self, name: str) -> ShowReply:
        """/api/show."""
        return await self._request(ShowReply, "POST", "/api/show", json={"model": name})


class _WholeLines(httpx.AsyncByteStream):
    """Escapes what httpx takes for ends of lines inside of JSON texts.

    httpx 0.28 cuts lines as str.splitlines does, also at U+0085, U+2028 and U+2029. Go's JSON leaves U+0085 as it is,
    other servers all three: one such character in an answer would break its stream.
    """

    _SEPARATORS = re.compile(rb"\xc2\x85|\xe2\x80[\xa8\xa9]")
    _BEGUN = re.compile(rb"(\xc2|\xe2\x80?)\Z")

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        begun = b""
        async for chunk in self._stream:
            data = self._SEPARATORS.sub(self._escape, begun + chunk)
            cut = match.start() if (match := self._BEGUN.search(data)) else len(data)
            begun = data[cut:]
            yield data[:cut]
        yield begun

    async def aclose(self) -> None:
        await self._stream.aclose()

    @staticmethod
    def _escape(match: re.Match[bytes]) -> bytes:
        return b"\\u%04x" % ord(match[0].decode())


async def _keep_lines_whole(response: httpx.Response) -> None:
    """Hook on every response; a compressed body holds no readable lines yet and stays as it is."""
    if isinstance(response.stream, httpx.AsyncByteStream) and "content-encoding" not in response.headers:
        response.stream = _WholeLines(response.stream)
