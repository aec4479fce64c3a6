"""The HTTP client to Ollama: ollama's own, set up so that it keeps our time limits, credentials and text whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from typing import Any, TypeVar, cast

import httpx
import ollama
import orjson
from pydantic import BaseModel, model_validator

from bot.errors import SettingError
from bot.llm.address import Address
from bot.llm.transport import AiohttpTransport, environment_proxy

__all__ = ["OllamaClient", "ShowReply"]

_Reply = TypeVar("_Reply")


class _VersionReply(BaseModel):
    version: str = ""


class ShowReply(BaseModel):
    """What we read of /api/show; ollama 0.6.3's own class demands fields that old servers leave out."""

    capabilities: list[str] | None = None
    model_info: Mapping[str, Any] | None = None
    template: str | None = None
    messages: list[Any] | None = None
    """Such as the model's own Modelfile puts in front of every conversation."""
    renderer: str | None = None
    """What newer servers write the prompt with instead of the template."""


class _Continuation(ollama.ChatResponse):
    """A line of /api/generate in the words of /api/chat, so that whoever reads an answer need not know which it is."""

    @model_validator(mode="before")
    @classmethod
    def _in_words_of_chat(cls, fields: dict[str, Any]) -> dict[str, Any]:
        message = {"role": "assistant", "content": fields.get("response"), "thinking": fields.get("thinking")}
        return fields | {"message": message}


class OllamaClient(ollama.AsyncClient):
    """ollama's client with the calls that it lacks, and with streams that are cheap to read."""

    def __init__(self, address: Address, *, connect: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        # A request to this machine goes past HTTP_PROXY, as with Ollama's own client.
        proxy = None if address.is_local else environment_proxy(address.url)
        try:
            super().__init__(
                address.url,
                timeout=httpx.Timeout(None, connect=connect),
                # A redirected POST may become a GET, and credentials would go along.
                follow_redirects=False,
                # Compressed lines wait in the proxy until a block is full: no stream any more.
                headers={"Accept-Encoding": "identity"},
                auth=address.credentials,
                transport=transport or AiohttpTransport(proxy=proxy),
            )
        except (httpx.InvalidURL, ValueError) as exc:
            raise SettingError("OLLAMA_HOST is not an address. An example is http://127.0.0.1:11434") from exc

    async def version(self) -> str:
        """The server's version, such as "0.9.3"; empty where it does not say."""
        reply: _VersionReply = await self._request(_VersionReply, "GET", "/api/version")
        return reply.version

    async def show_reply(self, name: str) -> ShowReply:
        """/api/show."""
        reply: ShowReply = await self._request(ShowReply, "POST", "/api/show", json={"model": name})
        return reply

    async def go_on(self, prompt: str, **fields: object) -> AsyncIterator[ollama.ChatResponse]:
        """/api/generate with the whole prompt as it is, which Ollama then puts into no template."""
        body = {name: value for name, value in fields.items() if value is not None}
        body |= {"prompt": prompt, "raw": True, "stream": True}
        parts: AsyncIterator[ollama.ChatResponse] = await self._request(
            _Continuation, "POST", "/api/generate", json=body, stream=True
        )
        return parts

    # ollama types its arguments so, too.
    async def _request(self, cls: type[_Reply], *args: Any, stream: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401
        """Read streams ourselves, from the socket's bytes to JSON at once: 12 µs less for each token (ollama 0.6.3).

        httpx 0.28 also cuts lines as str.splitlines does, at U+0085, U+2028 and U+2029. Those may stand in a JSON
        text as they are, so that one such character in an answer would break its stream.
        """
        if stream:
            return self._parts(cls, *args, **kwargs)
        return await super()._request(cls, *args, **kwargs)

    async def _parts(self, cls: type[_Reply], *args: Any, **kwargs: Any) -> AsyncGenerator[_Reply, None]:  # noqa: ANN401
        async with self._client.stream(*args, **kwargs) as response:
            if not response.is_success:
                await response.aread()
                raise ollama.ResponseError(response.text, response.status_code)
            rest = b""
            async for piece in _body(response):
                *lines, rest = (rest + piece).split(b"\n")
                for line in filter(bytes.strip, lines):  # some proxies keep a connection alive by blank ones
                    yield _part(cls, line)
            if rest.strip():
                yield _part(cls, rest)


def _body(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body as directly as can be; compressed in spite of our asking, it has to go through httpx's decoders."""
    compressed = "content-encoding" in response.headers
    return response.aiter_bytes() if compressed else cast("httpx.AsyncByteStream", response.stream)


def _part(cls: type[_Reply], line: bytes) -> _Reply:
    fields = orjson.loads(line)
    if error := fields.get("error"):
        raise ollama.ResponseError(error)
    return cls(**fields)
