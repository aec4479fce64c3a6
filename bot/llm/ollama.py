"""Ollama as the chat core's LanguageModel.

Only bot.llm imports ollama and httpx. Facts about the two that the code relies on are those of ollama 0.6.3 with
httpx 0.28, measured against Ollama 0.9.3.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Self, TypeVar, cast

import httpx
import ollama

from bot.chat.model import ChatRequest, ModelDetails, ModelEvent, ModelSummary, PullProgress, Text, Thinking
from bot.chat.models import tagged
from bot.errors import ModelError
from bot.llm.address import parse_host
from bot.llm.answering import end_of, goes_on, open_answer, uniform
from bot.llm.errors import Action, Call, ended_early, may_retry, translated
from bot.llm.patience import Patience
from bot.llm.templates import UniformTemplate
from bot.llm.wire import OllamaClient, ShowReply

__all__ = ["OllamaModel", "TimeLimits", "connect"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_RETRY_DELAYS = (0.25, 1.0)
_DETAILS_SECONDS = 60.0
_SHOWN_CHARACTERS = 80
_OPENS_THOUGHTS = re.compile(r"<think(?:ing)?>\s*(?:\{\{-?\s*end\s*-?\}\}\s*)*\Z", re.IGNORECASE)
"""The end of a template after which only the model goes on."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long Ollama may keep silent, in seconds."""

    connect: float = 5
    first: float = 300
    """Until the first part of an answer: queueing, loading and reading the prompt take place before it, without a
    sign of life. Also between two reports of a download, since checking a large file takes minutes."""
    between: float = 60
    """Between two parts of an answer, and for every reply that is no stream."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What /api/show tells us."""

    details: ModelDetails
    template: UniformTemplate | None
    """Where it is one that we can fill in ourselves."""


def connect(
    host: str,
    limits: TimeLimits | None = None,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> OllamaModel:
    """Build the model for OLLAMA_HOST without contacting it; use it in `async with`. Raises SettingError."""
    limits = limits or TimeLimits()
    address = parse_host(host)
    client = OllamaClient(address, connect=limits.connect, transport=transport)
    return OllamaModel(client, address=address.url, limits=limits, sleep=sleep, clock=clock)


class OllamaModel:
    """A `bot.chat.model.LanguageModel`; build it with `connect`."""

    def __init__(
        self,
        client: OllamaClient,
        *,
        address: str,
        limits: TimeLimits,
        sleep: Callable[[float], Awaitable[object]],
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._limits = limits
        self._sleep = sleep
        self._clock = clock
        self._shown: dict[str, tuple[float, _Shown]] = {}
        self._digests: tuple[float, Mapping[str, str]] = (-math.inf, {})
        self.address = address
        """Where Ollama is, without credentials: safe to show."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; streams that are still open break."""
        await self._client.close()  # type: ignore[no-untyped-call]  # ollama 0.6.3 leaves the types out

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """Stream an answer. End comes last, once; a stream that lacks it raises StreamBroken instead."""
        call = self._call("chat", request.model, self._limits.first)
        begun = self._clock()
        log.debug(
            "asking %s: %d messages, options %s, think %s",
            request.model,
            len(request.messages),
            dict(request.options),
            request.think,
        )
        template = (await self._show(request.model)).template if goes_on(request) else None
        parts = self._parts(lambda: open_answer(self._client, request, template), call, between=self._limits.between)
        async with aclosing(parts):
            async for part in parts:
                if part.message.thinking:
                    yield Thinking(part.message.thinking)
                if part.message.content:
                    yield Text(part.message.content)
                if part.done:
                    end = end_of(part)
                    log.info(
                        "%s answered in %.1f s: %s, %s tokens read, %s written",
                        request.model,
                        self._clock() - begun,
                        end.reason,
                        end.prompt_tokens,
                        end.answer_tokens,
                    )
                    yield end
                    return
        raise ended_early(call)

    async def models(self) -> list[ModelSummary]:
        """All models that the server has, by name."""
        reply = await self._read(self._client.list)
        return sorted((_summary(model) for model in reply.models if model.model), key=lambda summary: summary.name)

    async def details(self, name: str) -> ModelDetails:
        """What the model can do, at most a minute old: the same name may be pulled anew with other abilities."""
        return (await self._show(name)).details

    async def digest(self, name: str) -> str | None:
        """Which build of the model its name stands for, at most a minute old; None where that can't be found out."""
        until, digests = self._digests
        if self._clock() >= until:
            with suppress(ModelError):  # only a receipt lacks it then
                digests = {tagged(model.name): model.digest for model in await self.models()}
                self._digests = (self._clock() + _DETAILS_SECONDS, digests)
        return digests.get(tagged(name)) or None

    async def loaded(self) -> frozenset[str]:
        """Names of the models in memory now."""
        reply = await self._read(self._client.ps)
        return frozenset(name for model in reply.models if (name := model.model or model.name))

    async def version(self) -> str:
        """The server's version; the cheapest question to see whether it answers."""
        return await self._read(self._client.version)

    async def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model. Ollama keeps the parts of a cancelled download and goes on from there."""
        call = self._call("pull", name, self._limits.first)
        log.info("pulling %s", call.model)
        layers: dict[str, tuple[int, int]] = {}
        parts = self._parts(lambda: _open_pull(self._client, name), call, between=self._limits.first)
        async with aclosing(parts):
            async for part in parts:
                if part.digest:
                    layers[part.digest] = _layer(part, layers.get(part.digest, (0, 0)))
                yield PullProgress(
                    status=part.status or "",
                    completed=sum(completed for completed, _ in layers.values()),
                    total=sum(total for _, total in layers.values()),
                )
                if part.status == "success":
                    self._shown.clear()  # one model may have several names
                    self._digests = (-math.inf, {})
                    return
        raise ended_early(call)

    async def _show(self, name: str) -> _Shown:
        now = self._clock()
        self._shown = {known: entry for known, entry in self._shown.items() if entry[0] > now}
        if name not in self._shown:
            reply = await self._read(lambda: self._client.show_reply(name), name)
            self._shown[name] = (now + _DETAILS_SECONDS, _Shown(_details(name, reply), uniform(reply)))
        return self._shown[name][1]

    def _call(self, action: Action, model: str, limit: float) -> Call:
        # The name came from a person: it must not blow up a sentence.
        return Call(self.address, action, " ".join(model.split())[:_SHOWN_CHARACTERS], limit)

    async def _read(self, ask: Callable[[], Awaitable[_T]], model: str = "") -> _T:
        with translated(self._call("read", model, self._limits.between)):
            return await self._retrying(lambda: _within(self._limits.between, ask()))

    async def _parts(
        self, start: Callable[[], Awaitable[AsyncGenerator[_T, None]]], call: Call, *, between: float
    ) -> AsyncGenerator[_T, None]:
        """A stream's parts, with its time limits and errors; closing it closes the connection."""

        async def begin() -> tuple[AsyncGenerator[_T, None], _T | None]:
            stream = await start()
            return stream, await _within(call.limit, anext(stream, None))

        with translated(call):
            stream, part = await self._retrying(begin)
        patience = Patience(between)
        async with aclosing(stream):
            with translated(replace(call, started=True, limit=between)):
                while part is not None:
                    yield part
                    with patience:
                        part = await anext(stream, None)

    async def _retrying(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask again where Ollama was not there or refused, but never after a part of the answer came."""
        for delay in _RETRY_DELAYS:
            try:
                return await ask()
            except Exception as exc:
                if not may_retry(exc):
                    raise
                log.info("Ollama at %s refused (%s), asking again in %g s", self.address, type(exc).__name__, delay)
            await self._sleep(delay)
        return await ask()


async def _within(seconds: float, awaitable: Awaitable[_T]) -> _T:
    async with asyncio.timeout(seconds):
        return await awaitable


async def _open_pull(client: OllamaClient, name: str) -> AsyncGenerator[ollama.ProgressResponse, None]:
    return cast("AsyncGenerator[ollama.ProgressResponse, None]", await client.pull(name, stream=True))


def _layer(part: ollama.ProgressResponse, known: tuple[int, int]) -> tuple[int, int]:
    """Bytes done and in all; a report that leaves one out takes nothing back."""
    done, total = known
    return (done if part.completed is None else part.completed, part.total or total)


def _summary(model: ollama.ListResponse.Model) -> ModelSummary:
    details = model.details
    return ModelSummary(
        name=model.model or "",
        size=int(model.size or 0),
        digest=model.digest or "",
        parameters=(details and details.parameter_size) or "",
        quantization=(details and details.quantization_level) or "",
    )


def _details(name: str, reply: ShowReply) -> ModelDetails:
    info = reply.model_info or {}
    length = info.get(f"{info.get('general.architecture')}.context_length")
    return ModelDetails(
        name=name,
        capabilities=frozenset(reply.capabilities or ()),
        context_length=length if isinstance(length, int) else None,
        opens_thoughts=bool(_OPENS_THOUGHTS.search(reply.template or "")),
    )
