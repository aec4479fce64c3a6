"""Which model the playground takes where several could be meant."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from playground.model.choice import Embedded, Found, NoModelError, choose, find_model
from tests.fake_ollama import MODEL, FakeOllama

FILE = Path("mine.gguf")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
async def ollama() -> AsyncIterator[str]:
    async with FakeOllama().serving() as host:
        yield host


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_MODEL"):
        monkeypatch.delenv(name, raising=False)


async def test_a_named_ollama_is_taken(ollama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", NOWHERE)

    assert await choose(ollama, None, None) == Found(ollama, MODEL)
    assert await choose(ollama, MODEL, None) == Found(ollama, MODEL)


async def test_a_named_model_that_the_ollama_has_not_is_one_sentence(ollama: str) -> None:
    with pytest.raises(NoModelError, match=f"has no model other; it has {MODEL}."):
        await choose(ollama, "other", None)


async def test_the_ollama_of_the_environment_is_taken(ollama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", ollama)

    assert await choose(None, None, None) == Found(ollama, MODEL)


@pytest.mark.parametrize("place", ["argument", "environment"])
async def test_nothing_stands_in_for_an_ollama_that_was_named(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", NOWHERE)

    with pytest.raises(NoModelError, match="No Ollama answers"):
        await choose(NOWHERE if place == "argument" else None, None, None)


async def test_a_named_file_is_taken_before_the_environment(ollama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", ollama)

    assert await choose(None, None, FILE) == Embedded(FILE)


async def test_an_ollama_and_a_file_exclude_each_other(ollama: str) -> None:
    with pytest.raises(NoModelError, match="not both"):
        await choose(ollama, None, FILE)


async def test_the_usual_port_comes_before_the_embedded_model(ollama: str) -> None:
    assert await choose(None, None, None, usual=ollama) == Found(ollama, MODEL)
    assert await choose(None, None, None, usual=NOWHERE) == Embedded(None)


async def test_an_ollama_that_can_not_chat_is_passed_over() -> None:
    fake = FakeOllama()
    fake.models = {"embed:1b": {"context_length": 512, "capabilities": ["embedding"]}}
    async with fake.serving() as host:
        assert await choose(None, None, None, usual=host) == Embedded(None)


async def test_the_embedded_model_does_not_stand_in_for_another_by_name() -> None:
    with pytest.raises(NoModelError, match="No Ollama answers"):
        await choose(None, "llama3.2", None, usual=NOWHERE)


@asynccontextmanager
async def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Something that is not quite an Ollama."""
    app = web.Application()
    app.router.add_route("*", "/api/{what}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def saying(tags: str, shown: str = "{}") -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=tags if request.method == "GET" else shown)

    async with answering(answer) as host:
        yield host


@pytest.mark.parametrize(
    "tags",
    ["<html>", "[]", '{"models": [1]}', '{"models": [{}]}', '{"models": [{"name": "a", "size": "b"}]}', "[" * 100_000],
    ids=lambda tags: tags[:20],
)
async def test_what_does_not_answer_as_an_ollama_is_none(tags: str) -> None:
    async with saying(tags) as host:
        with pytest.raises(NoModelError, match="No Ollama answers"):
            await choose(host, None, None)


@pytest.mark.parametrize("shown", ["[]", '{"capabilities": null}', "<html>"])
async def test_a_model_that_does_not_tell_what_it_can_do_is_tried(shown: str) -> None:
    async with saying('{"models": [{"name": "a"}]}', shown) as host:
        assert await choose(host, None, None) == Found(host, "a")


async def test_an_ollama_that_never_ends_its_answer_is_given_up() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    async with answering(drip) as host:
        with pytest.raises(NoModelError, match="No Ollama answers"):
            await find_model(host, None, answer_within=0.1)
