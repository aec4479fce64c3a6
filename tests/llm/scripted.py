"""An Ollama that follows a script: in memory on httpx's MockTransport, or on a loopback socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.chat.messages import Message, Role
from bot.chat.model import ChatRequest, ModelEvent, Text
from bot.llm.ollama import OllamaModel, TimeLimits, connect

HOST = "http://bob:swordfish@127.0.0.1:11434"
MODEL = "tiny:1b"
ASKED = ChatRequest(
    model=MODEL,
    messages=(Message(Role.SYSTEM, "Be kind."), Message(Role.USER, "Hello?")),
    options={"num_ctx": 4096, "num_predict": 20, "min_p": 0.05},
)

Reply = httpx.Response | Exception


def line(content: str = "", *, thinking: str | None = None, done: bool = False, **more: object) -> dict[str, Any]:
    """One chunk of /api/chat, as Ollama words it."""
    message = {"role": "assistant", "content": content} | ({} if thinking is None else {"thinking": thinking})
    return {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": done, **more}


LAST = line(done=True, done_reason="stop", prompt_eval_count=12, eval_count=3, load_duration=1_500_000_000)


def ndjson(*lines: object) -> bytes:
    return b"".join(json.dumps(item, ensure_ascii=False).encode() + b"\n" for item in lines)


def streaming(*lines: object) -> httpx.Response:
    return httpx.Response(200, stream=Pieces([ndjson(*lines)]), headers={"Content-Type": "application/x-ndjson"})


def refusing(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, json={"error": text})


class Pieces(httpx.AsyncByteStream):
    """A body in given pieces, that may end in an error."""

    def __init__(self, pieces: Iterable[bytes], error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._error:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Script:
    """Replies in order, the last one for ever; what was asked and slept is kept."""

    replies: list[Reply]
    requests: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    now: float = 0.0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def model(self, host: str = HOST) -> OllamaModel:
        transport = httpx.MockTransport(self.answer)
        return connect(host, transport=transport, sleep=self.sleep, clock=lambda: self.now)

    def body(self, index: int = -1) -> dict[str, Any]:
        sent: dict[str, Any] = json.loads(self.requests[index].content)
        return sent


def script(*replies: Reply) -> Script:
    return Script(list(replies))


async def events(model: OllamaModel, request: ChatRequest = ASKED) -> list[ModelEvent]:
    return [event async for event in model.chat(request)]


async def gather(seen: list[ModelEvent], model: OllamaModel) -> None:
    """Read an answer into a list that outlives an error."""
    async for event in model.chat(ASKED):
        seen.append(event)  # noqa: PERF401 (a comprehension would lose what came before the error)


def text_of(answer: Iterable[ModelEvent]) -> str:
    return "".join(event.text for event in answer if isinstance(event, Text))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@dataclass
class Visit:
    """One request on a socket, after it was read."""

    writer: asyncio.StreamWriter
    head: str = ""
    """The request line and the headers."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client has closed the connection."""

    async def send(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))
        await self.writer.drain()


@asynccontextmanager
async def listening(behave: Callable[[Visit], Awaitable[None]]) -> AsyncIterator[int]:
    """A real loopback server that behaves as told, once for each connection; yields its port."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        this = Visit(writer, head.decode())

        async def watch() -> None:
            with suppress(ConnectionError):
                await reader.read()
            this.left.set()

        watcher = asyncio.create_task(watch())
        try:
            await behave(this)
        finally:
            writer.close()
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    async with await asyncio.start_server(visit, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def serving(behave: Callable[[Visit], Awaitable[None]], limits: TimeLimits) -> AsyncIterator[OllamaModel]:
    """A model on such a server."""
    async with listening(behave) as port, connect(f"127.0.0.1:{port}", limits) as model:
        yield model
