"""The real engine with the real model, which is downloaded once into the user's cache folder."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.llm.ollama import OllamaModel, connect
from playground.model.download import DownloadError, model_file
from playground.model.process import EmbeddedModel


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The model's file; without it tests are skipped, or fail where LLAMPOST_LIVE=required."""
    try:
        return asyncio.run(model_file())
    except DownloadError as error:
        if os.environ.get("LLAMPOST_LIVE") == "required":
            pytest.fail(f"LLAMPOST_LIVE=required, but: {error}")
        pytest.skip(str(error))


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def served(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedModel]:
    """One process for all tests of this folder."""
    async with EmbeddedModel(tmp_path_factory.mktemp("model"), file=gguf) as served:
        yield served


@pytest.fixture
async def model(served: EmbeddedModel) -> AsyncIterator[OllamaModel]:
    """The bot's own client."""
    async with connect(served.host) as model:
        yield model


@pytest.fixture
async def http(served: EmbeddedModel) -> AsyncIterator[httpx.AsyncClient]:
    """Any other client."""
    async with httpx.AsyncClient(base_url=served.host, trust_env=False, timeout=60) as http:
        yield http
