"""Which model the playground's bot shall use: one of an Ollama, or the embedded one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.errors import LlampostError
from bot.llm.address import Address, parse_host

_ANSWER_WITHIN = 5.0


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


async def find_model(host: str | None, model: str | None) -> Found:
    """Take what is named, else what the environment names, else the smallest model that can chat."""
    named_host = host or os.environ.get("OLLAMA_HOST") or ""
    wanted = model or os.environ.get("OLLAMA_MODEL") or ""
    try:
        address = parse_host(named_host)
    except LlampostError as wrong:
        raise NoModelError(str(wrong)) from wrong
    auth = httpx.BasicAuth(*address.credentials) if address.credentials else None
    # A proxy of the environment would be asked for this machine, too.
    async with httpx.AsyncClient(
        base_url=address.url, auth=auth, timeout=_ANSWER_WITHIN, trust_env=not address.is_local
    ) as client:
        models = await _models(client, address)
        return Found(named_host or address.url, wanted or await _smallest(client, address, models))


async def _models(client: httpx.AsyncClient, address: Address) -> list[dict[str, Any]]:
    try:
        answer = (await client.get("/api/tags")).raise_for_status()
        models: list[dict[str, Any]] = answer.json()["models"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise NoModelError(
            f"No Ollama answers at {address.url}: start it (`ollama serve`, from https://ollama.com/download), "
            "or set OLLAMA_HOST to the address of yours."
        ) from None
    if not models:
        raise NoModelError(f"The Ollama at {address.url} has no model yet: get one with `ollama pull llama3.2`.")
    return models


async def _smallest(client: httpx.AsyncClient, address: Address, models: list[dict[str, Any]]) -> str:
    for model in sorted(models, key=lambda one: int(one.get("size") or 0)):
        if await _chats(client, str(model["name"])):
            return str(model["name"])
    raise NoModelError(f"The Ollama at {address.url} has no model that can chat: get one with `ollama pull llama3.2`.")


async def _chats(client: httpx.AsyncClient, model: str) -> bool:
    """Embedding models can't; servers before 0.6.4 don't tell, so there any model is tried."""
    try:
        shown = (await client.post("/api/show", json={"model": model})).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return True
    return "completion" in shown.get("capabilities", ["completion"])
