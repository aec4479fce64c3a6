"""Which model the playground takes where several could be meant."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.model.choice import Embedded, Found, NoModelError, choose
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
    assert await choose(ollama, "other", None) == Found(ollama, "other")


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
