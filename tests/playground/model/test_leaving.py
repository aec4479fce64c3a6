"""Who leaves in the middle of an answer, at the moment when the server writes to them."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from playground.model.card import ModelCard
from playground.model.engine import Engine
from playground.model.ollama import application


@pytest.fixture
def engine(gguf: Path) -> Iterator[Engine]:
    """The real one, in our own process."""
    with closing(Engine(gguf)) as engine:
        yield engine


async def test_a_write_to_somebody_who_has_left_is_no_error(
    gguf: Path, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    # Without cancellation each write meets the closed connection, which otherwise only a rare one does.
    runner = web.AppRunner(application(ModelCard.of(gguf), engine), handler_cancellation=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        asked = {"model": ModelCard.of(gguf).name, "messages": [{"role": "user", "content": "Tell me a story."}]}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://{host}:{port}/api/chat", json=asked) as answer,
        ):
            assert b'"content"' in await answer.content.readline()
    finally:
        await runner.cleanup()  # waits for the answer

    assert [record.getMessage() for record in caplog.records] == []
