"""The model of a soak: writes to each question what its plan says, fails as its plan says, and keeps what it wrote."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.fake_ollama import FakeOllama, Json

from .plans import Plan, Trouble, number_in, tokens_of

CALM = Trouble("none")
_CHUNK = 0.02
"""Seconds of tokens that are written at once."""


@dataclass(slots=True)
class Writing:
    """One request and what came of it."""

    asked: float
    goes_on: bool
    """Whether an answer of before was to be continued."""
    tokens: tuple[str, ...]
    rate: float
    trouble: Trouble
    sent: list[str] = field(default_factory=list)
    """What certainly went into the socket."""
    is_complete: bool = False

    @property
    def whole(self) -> str:
        """What it is meant to say, or what it said where that is less by its own choice."""
        return "".join(self.tokens)

    @property
    def text(self) -> str:
        """What it said."""
        return "".join(self.sent)


class SoakModel(FakeOllama):
    """Serves on real sockets; `plan_of` knows the questions."""

    def __init__(self, plan_of: Callable[[int], Plan]) -> None:
        super().__init__()
        self._plan_of = plan_of
        self.writings: dict[int, list[Writing]] = {}
        self.strangers: list[Json] = []
        """Requests that no question explains."""

    async def _on_socket(self, request: web.Request) -> web.StreamResponse:
        if request.path != "/api/chat":
            return await super()._on_socket(request)
        body = json.loads(await request.read())
        asked = [message["content"] for message in body["messages"] if message["role"] == "user"]
        number = number_in(asked[-1])
        if number is None:
            self.strangers.append(body)
            return web.json_response({"error": "no question of the soak"}, status=500)
        return await self._answered(request, body["model"], self._begun(number, body["messages"][-1]["role"]))

    def _begun(self, number: int, last_role: str) -> Writing:
        known, plan = self.writings.setdefault(number, []), self._plan_of(number)
        refusals = sum(it.trouble.status is not None for it in known)
        attempt = len(known) - refusals
        trouble = plan.trouble or CALM
        # What is asked for again by a button goes well.
        strikes = attempt == 0 and (not trouble.status or refusals < trouble.times)
        tokens = () if strikes and trouble.says_nothing else tokens_of(plan, attempt)
        writing = Writing(time.monotonic(), last_role == "assistant", tokens, plan.rate, trouble if strikes else CALM)
        known.append(writing)
        return writing

    async def _answered(self, request: web.Request, model: str, writing: Writing) -> web.StreamResponse:
        trouble = writing.trouble
        if trouble.status and trouble.error.startswith("<"):
            return web.Response(text=trouble.error, status=trouble.status, content_type="text/html")
        if trouble.status:
            return web.json_response({"error": trouble.error}, status=trouble.status)
        response = web.StreamResponse()
        async for line in _lines(model, writing):
            if not response.prepared:  # as in Ollama, the headers come with the first token
                await response.prepare(request)
            await response.write(line)
        if trouble.hangs_up and not writing.is_complete and request.transport:
            request.transport.abort()
        elif not response.prepared:
            await response.prepare(request)
        return response


async def _lines(model: str, writing: Writing) -> AsyncIterator[bytes]:
    trouble, tokens = writing.trouble, writing.tokens
    step = max(int(writing.rate * _CHUNK), 1)
    disturbed_at = 0 if trouble.at_start else max(len(tokens) // 2, min(step, len(tokens) - 1))
    if trouble.thinks:
        yield _line(model, {"thinking": "Hm. ", "content": ""})
    for index in range(0, len(tokens), step):
        if index <= disturbed_at < index + step:
            await asyncio.sleep(trouble.pause)
            if trouble.line:
                yield trouble.line
            if trouble.line or trouble.hangs_up or trouble.ends:
                return
        piece = tokens[index : index + step]
        yield b"".join(_line(model, {"content": token}) for token in piece)
        writing.sent += piece  # only now: it was written, and whoever reads is still there
        await asyncio.sleep(_CHUNK)
    writing.is_complete = True
    counts = {"prompt_eval_count": 50, "eval_count": max(len(tokens), 1), "eval_duration": 1_000_000_000}
    yield _line(model, {"content": ""}, {"done": True, "done_reason": trouble.done_reason} | counts)


def _line(model: str, message: Json, more: Json | None = None) -> bytes:
    said = {"model": model, "message": {"role": "assistant"} | message, "done": False} | (more or {})
    return json.dumps(said).encode() + b"\n"
