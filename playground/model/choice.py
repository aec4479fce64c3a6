"""Which model the playground's bot shall use: one of an Ollama, or the embedded one."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel

from bot.errors import LlampostError
from bot.llm.address import Address, parse_host

_ANSWER_WITHIN = 5.0


class _Listed(BaseModel):
    name: str
    size: int | None = None


class _Tags(BaseModel):
    models: list[_Listed] | None


class _Shown(BaseModel):
    capabilities: list[str] = ["completion"]


_Answer = TypeVar("_Answer", bound=BaseModel)


class NoModelError(Exception):
    """There is nothing to ask; the text is one sentence with what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model of an Ollama."""

    host: str
    model: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embedded model, which `EmbeddedModel` starts."""

    file: Path | None
    """A file that somebody named; None for the one that is downloaded."""


async def choose(
    ollama: str | None, model: str | None, model_file: Path | None, *, usual: str = ""
) -> Found | Embedded:
    """Take what is named, in arguments or OLLAMA_HOST; else an Ollama at its usual address; else the embedded model.

    An Ollama without a model that chats is passed over, unless it was named.
    Raises NoModelError where what is named is not there.
    """
    if ollama and model_file:
        raise NoModelError("Name either an Ollama (--ollama) or a file with a model (--model-file), not both.")
    if model_file:
        return Embedded(model_file)
    if ollama or os.environ.get("OLLAMA_HOST"):
        return await find_model(ollama, model)
    try:
        return await find_model(usual, model)
    except NoModelError:
        if model:
            raise
        return Embedded(None)


async def find_model(host: str | None, model: str | None, *, answer_within: float = _ANSWER_WITHIN) -> Found:
    """Take what is named, else what the environment names, else the smallest model that can chat.

    Raises NoModelError where a question has no whole answer within so many seconds.
    """
    named_host = host or os.environ.get("OLLAMA_HOST") or ""
    wanted = model or os.environ.get("OLLAMA_MODEL") or ""
    try:
        address = parse_host(named_host)
    except LlampostError as wrong:
        raise NoModelError(str(wrong)) from wrong
    auth = httpx.BasicAuth(*address.credentials) if address.credentials else None
    # A proxy of the environment would be asked for this machine, too.
    async with httpx.AsyncClient(
        base_url=address.url, auth=auth, timeout=answer_within, trust_env=not address.is_local
    ) as client:
        models = await _models(client, address)
        if model:
            _require(model, models, address)
        return Found(named_host or address.url, wanted or await _smallest(client, address, models))


def _require(model: str, models: list[_Listed], address: Address) -> None:
    names = [one.name for one in models]
    if not {model, f"{model}:latest"} & set(names):
        raise NoModelError(f"The Ollama at {address.url} has no model {model}; it has {', '.join(sorted(names))}.")


async def _models(client: httpx.AsyncClient, address: Address) -> list[_Listed]:
    try:
        models = (await _asked(_Tags, client, "GET", "/api/tags")).models
    except (httpx.HTTPError, TimeoutError, ValueError):
        raise NoModelError(
            f"No Ollama answers at {address.url}: start it (`ollama serve`, from https://ollama.com/download), "
            "or name yours with --ollama URL or OLLAMA_HOST."
        ) from None
    if not models:
        raise NoModelError(f"The Ollama at {address.url} has no model yet: get one with `ollama pull llama3.2`.")
    return models


async def _smallest(client: httpx.AsyncClient, address: Address, models: list[_Listed]) -> str:
    for model in sorted(models, key=lambda one: one.size or 0):
        if await _chats(client, model.name):
            return model.name
    raise NoModelError(f"The Ollama at {address.url} has no model that can chat: get one with `ollama pull llama3.2`.")


async def _chats(client: httpx.AsyncClient, model: str) -> bool:
    """Embedding models can't; servers before 0.6.4 don't tell, so there any model is tried."""
    try:
        return "completion" in (await _asked(_Shown, client, "POST", "/api/show", model=model)).capabilities
    except (httpx.HTTPError, TimeoutError, ValueError):
        return True


async def _asked(kind: type[_Answer], client: httpx.AsyncClient, method: str, path: str, **body: str) -> _Answer:
    """Raises httpx.HTTPError, TimeoutError, ValueError for an answer of another kind."""
    # The client's own timeout begins anew with each byte.
    async with asyncio.timeout(client.timeout.read):
        answer = await client.request(method, path, json=body or None)
    return kind.model_validate_json(answer.raise_for_status().content)
