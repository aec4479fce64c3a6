"""The routes of an Ollama that has one model and can get no other."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from http import HTTPStatus

import orjson
from aiohttp import web

from playground.model.card import Json, ModelCard, timestamp
from playground.model.engine import End, Engine, EngineError, PromptTooLongError, RequestRefusedError, Text
from playground.model.options import WrongOptionError, sampling
from playground.model.requests import ChatRequest, RefusedError, canonical, read_body, read_chat, read_model

VERSION = "0.9.3-demo"
"""The Ollama that it answers like."""
_LARGEST_BODY = 64 * 2**20
_NDJSON = "application/x-ndjson"
_TOO_LONG = "the prompt is longer than the context length currently available to the model"
_NO_PULL = "pull model manifest: the demo has one model only and can't get others"


def application(card: ModelCard, engine: Engine) -> web.Application:
    """Build the server; run it with `handler_cancellation=True`, so that an answer ends when its reader leaves."""
    routes = _Routes(card, engine)
    app = web.Application(middlewares=[_refusals], client_max_size=_LARGEST_BODY)
    app.router.add_get("/", routes.is_running)
    app.router.add_get("/api/version", routes.version)
    app.router.add_get("/api/tags", routes.tags)
    app.router.add_get("/api/ps", routes.ps)
    app.router.add_post("/api/show", routes.show)
    app.router.add_post("/api/pull", routes.pull)
    app.router.add_post("/api/chat", routes.chat)
    return app


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _refusals(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Say no as Ollama does, and tell who watches the log what is missing."""
    # Browsers say where a page is from; no page has any business here.
    if "Origin" in request.headers:
        return web.Response(status=HTTPStatus.FORBIDDEN)
    try:
        return await handler(request)
    except RefusedError as refused:
        return _json({"error": str(refused)}, refused.status)
    except ConnectionError:
        # Whoever asked left just before a write: that ends an answer, and is no error of this server.
        return web.Response()
    except web.HTTPNotFound:
        sys.stderr.write(f"The demo model has no route {request.method} {request.path}.\n")
        return web.Response(status=HTTPStatus.NOT_FOUND, text="404 page not found")
    except web.HTTPMethodNotAllowed as wrong:
        return web.Response(
            status=wrong.status, text="405 method not allowed", headers={"Allow": wrong.headers["Allow"]}
        )


class _Routes:
    """One method for each route."""

    def __init__(self, card: ModelCard, engine: Engine) -> None:
        self._card = card
        self._engine = engine

    async def is_running(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def version(self, _: web.Request) -> web.Response:
        return _json({"version": VERSION})

    async def tags(self, _: web.Request) -> web.Response:
        return _json({"models": [self._card.listed()]})

    async def ps(self, _: web.Request) -> web.Response:
        return _json({"models": [self._card.loaded()]})

    async def show(self, request: web.Request) -> web.Response:
        self._require(read_model(read_body(await request.read(), "ShowRequest"), "ShowRequest"))
        return _json(self._card.shown())

    async def pull(self, request: web.Request) -> web.StreamResponse:
        body = read_body(await request.read(), "PullRequest")
        if not canonical(read_model(body, "PullRequest")):
            raise RefusedError("invalid model name")
        if body.get("stream") is False:
            raise RefusedError(_NO_PULL, HTTPStatus.INTERNAL_SERVER_ERROR)
        lines = [{"status": "pulling manifest"}, {"error": _NO_PULL}]
        return web.Response(body=b"".join(map(_line, lines)), content_type=_NDJSON)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        asked = read_chat(await request.read())
        self._require(asked.model)
        self._require_abilities(asked)
        if not asked.messages:
            return _json(_part(asked, "") | {"done_reason": "unload" if asked.unloads else "load", "done": True})
        async with aclosing(self._answer(asked)) as parts:
            return await (_stream(request, parts) if asked.streams else _whole(parts))

    def _require(self, model: str) -> None:
        if not (name := canonical(model)):
            raise RefusedError("invalid model name" if model else "model is required")
        if name != canonical(self._card.name):
            raise RefusedError(f"model '{model}' not found", HTTPStatus.NOT_FOUND)

    def _require_abilities(self, asked: ChatRequest) -> None:
        for is_asked, ability in ((asked.thinks, "thinking"), (asked.has_tools, "tools"), (asked.has_format, "format")):
            if is_asked:
                raise RefusedError(f'"{asked.model}" does not support {ability}')
        if asked.has_images:
            raise RefusedError("image input is not supported by this model", HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _answer(self, asked: ChatRequest) -> AsyncGenerator[Json, None]:
        """Ollama's lines. Raises RefusedError."""
        begun = time.perf_counter_ns()
        try:
            async with aclosing(self._engine.chat(asked.messages, sampling(asked.options))) as pieces:
                async for piece in pieces:
                    match piece:
                        case Text(text):
                            yield _part(asked, text)
                        case End():
                            yield _part(asked, "") | _ending(piece, time.perf_counter_ns() - begun)
        except PromptTooLongError as wrong:
            raise RefusedError(f"{_TOO_LONG}: {wrong}") from wrong
        except RequestRefusedError as wrong:
            raise RefusedError(str(wrong)) from wrong
        except (EngineError, WrongOptionError) as wrong:
            raise RefusedError(str(wrong), HTTPStatus.INTERNAL_SERVER_ERROR) from wrong


async def _stream(request: web.Request, parts: AsyncGenerator[Json, None]) -> web.StreamResponse:
    # As with Ollama, the headers come with the first part, so that an error before it still has its status.
    first = await anext(parts)
    response = web.StreamResponse(headers={"Content-Type": _NDJSON})
    await response.prepare(request)
    await response.write(_line(first))
    try:
        async for part in parts:
            await response.write(_line(part))
    except RefusedError as broken:
        await response.write(_line({"error": str(broken)}))
    return response


async def _whole(parts: AsyncGenerator[Json, None]) -> web.StreamResponse:
    text, last = "", {}
    async for last in parts:
        text += last["message"]["content"]
    last["message"]["content"] = text
    return _json(last)


def _part(asked: ChatRequest, text: str) -> Json:
    return {
        "model": asked.model,
        "created_at": timestamp(datetime.now(UTC)),
        "message": {"role": "assistant", "content": text},
        "done": False,
    }


def _ending(end: End, nanoseconds: int) -> Json:
    return {
        "done_reason": end.reason,
        "done": True,
        "total_duration": nanoseconds,
        "load_duration": 0,
        "prompt_eval_count": end.prompt_tokens,
        "prompt_eval_duration": int(end.prompt_seconds * 1e9),
        "eval_count": end.answer_tokens,
        "eval_duration": int(end.answer_seconds * 1e9),
    }


def _json(body: Json, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, headers={"Content-Type": "application/json; charset=utf-8"}
    )


def _line(part: Json) -> bytes:
    return orjson.dumps(part) + b"\n"
