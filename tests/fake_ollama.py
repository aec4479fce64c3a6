"""An Ollama that says what a test tells it to: for the real client in memory, or for a bot process on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from aiohttp import web

MODEL = "tiny:1b"

Json = dict[str, Any]


@dataclass
class Fault:
    """A reply that is no answer: an HTTP status, before anything was streamed."""

    status: int
    error: str


class FakeOllama:
    """Change the attributes at any time; `asked` keeps every body of /api/chat, `went_on` those of /api/generate."""

    def __init__(self) -> None:
        self.answer: list[str] = ["Hello ", "there."]
        """The tokens of every answer."""
        self.reply: Callable[[Json], list[str]] = lambda _: self.answer
        """Or the tokens for one request."""
        self.fault: Fault | None = None
        self.offline = False
        """Whether connecting is refused (in memory only; on a socket, don't serve)."""
        self.models: dict[str, Json] = {MODEL: {"context_length": 8192, "capabilities": ["completion"]}}
        self.digests: dict[str, str] = {}
        """Of models that were pulled anew."""
        self.loaded: set[str] = {MODEL}
        self.ending: Json | None = {"done_reason": "stop"}
        """The last line's own fields; None ends the stream without one."""
        self.error_line: str | None = None
        """An error that ends the stream in the middle."""
        self.thoughts: list[str] = []
        self.between: Callable[[int], Any] | None = None
        """Called (and awaited if it can be) before each token with its index: a test's way to hold the stream."""
        self.pull: list[Json] = [{"status": "success"}]
        self.asked: list[Json] = []
        self.went_on: list[Json] = []
        self.closed: int = 0
        """How many streams the client left before their end."""

    @property
    def prompts(self) -> list[list[tuple[str, str]]]:
        """What the model was asked, as (role, content) pairs for each request."""
        return [[(message["role"], message["content"]) for message in body["messages"]] for body in self.asked]

    @property
    def transport(self) -> httpx.MockTransport:
        """For `bot.llm.ollama.connect`."""
        return httpx.MockTransport(self._in_memory)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free loopback port; yields the address for OLLAMA_HOST."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._respond)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    async def _in_memory(self, request: httpx.Request) -> httpx.Response:
        if self.offline:
            raise httpx.ConnectError("refused")
        found = self._found(request.url.path, json.loads(request.content or b"{}"))
        if isinstance(found, Fault):
            return httpx.Response(found.status, json={"error": found.error})
        if isinstance(found, Mapping):
            return httpx.Response(200, json=found)
        return httpx.Response(200, stream=_Body(found))

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._on_socket(request)
        except ConnectionError:  # whoever asked has left, which aiohttp would log as an error of ours
            return web.Response()

    async def _on_socket(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read() or b"{}")
        found = self._found(request.path, body)
        if isinstance(found, Fault):
            return web.json_response({"error": found.error}, status=found.status)
        if isinstance(found, Mapping):
            return web.json_response(found)
        response = web.StreamResponse()
        prepared = False
        async for line in found:
            if not prepared:  # as in Ollama, the headers come with the first token
                await response.prepare(request)
                prepared = True
            await response.write(json.dumps(line).encode() + b"\n")
        if not prepared:
            await response.prepare(request)
        return response

    def _found(self, path: str, body: Json) -> Fault | Mapping[str, Any] | AsyncIterator[Json]:
        match path:
            case "/api/version":
                return {"version": "0.0-fake"}
            case "/api/tags":
                return {"models": [self._tag(name) for name in self.models]}
            case "/api/ps":
                return {"models": [self._tag(name) for name in self.loaded]}
            case "/api/show":
                return self._show(body["model"])
            case "/api/pull":
                return self._pull()
            case "/api/chat" | "/api/generate":
                (self.asked if path == "/api/chat" else self.went_on).append(body)
                missing = body["model"] not in self.models
                return Fault(404, f"model '{body['model']}' not found") if missing else self.fault or self._write(body)
        return Fault(404, "404 page not found")

    def _tag(self, name: str) -> Json:
        details = {"parameter_size": "1B", "quantization_level": "Q4_0"}
        digest = self.digests.get(name, f"sha256:{name}")
        return {"name": name, "model": name, "size": 92_000_000, "digest": digest, "details": details}

    def _show(self, name: str) -> Fault | Json:
        if name not in self.models:
            return Fault(404, f"model '{name}' not found")
        known = self.models[name]
        info = {"general.architecture": "fake", "fake.context_length": known["context_length"]}
        return {"capabilities": known["capabilities"], "model_info": info, "template": known.get("template", "")}

    async def _pull(self) -> AsyncIterator[Json]:
        try:
            for index, line in enumerate(self.pull):
                await self._hold(index)
                yield line
        except (GeneratorExit, asyncio.CancelledError):
            self.closed += 1
            raise

    async def _write(self, body: Json) -> AsyncIterator[Json]:
        tokens = self.reply(body)
        try:
            for thought in self.thoughts:
                yield _line(body, thinking=thought)
            for index, token in enumerate(tokens):
                await self._hold(index)
                yield _line(body, token)
            await self._hold(len(tokens))
        except (GeneratorExit, asyncio.CancelledError):
            self.closed += 1
            raise
        if self.error_line is not None:
            yield {"error": self.error_line}
        elif self.ending is not None:
            read = [message["content"] for message in body["messages"]] if "messages" in body else [body["prompt"]]
            written = max(len(tokens), 1)
            counts = {"prompt_eval_count": sum(len(text.split()) + 5 for text in read), "eval_count": written}
            counts |= {"load_duration": 1_000_000, "eval_duration": written * 50_000_000}
            yield _line(body) | {"done": True} | counts | self.ending

    async def _hold(self, index: int) -> None:
        if self.between and (wait := self.between(index)) is not None:
            await wait


def _line(body: Json, text: str = "", **thinking: str) -> Json:
    """One of /api/chat or, where the request has a whole prompt, of /api/generate."""
    chats = {"message": {"role": "assistant", "content": text} | thinking}
    return {
        "model": body["model"],
        "created_at": "2026-01-01T00:00:00Z",
        "done": False,
        **(chats if "messages" in body else {"response": text} | thinking),
    }


@dataclass
class _Body(httpx.AsyncByteStream):
    lines: AsyncIterator[Json]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in self.lines:
            yield json.dumps(line).encode() + b"\n"

    async def aclose(self) -> None:
        await self.lines.aclose()  # type: ignore[attr-defined]  # they are async generators
