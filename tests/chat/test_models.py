from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.chat.models import Models, same_model
from bot.errors import BadInput, ModelNotFound, NotAllowed
from bot.llm.ollama import OllamaModel, connect
from tests.fake_ollama import FakeOllama

from .parts import HOST


@pytest.fixture
def fake() -> FakeOllama:
    return FakeOllama()


@pytest.fixture
async def model(fake: FakeOllama) -> AsyncIterator[OllamaModel]:
    async with connect(HOST, transport=fake.transport) as model:
        yield model


@pytest.fixture
def models(model: OllamaModel) -> Models:
    return Models(model=model, pull_allowed=["llama3*", "qwen3:4b", "hf.co/bartowski/*"])


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("llama3", "llama3:latest"),
        (" Llama3 ", "llama3"),
        ("hf.co/a/b", "hf.co/a/b:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
    ],
)
def test_a_name_without_a_tag_means_the_latest(name: str, other: str) -> None:
    assert same_model(name, other)


@pytest.mark.parametrize(
    ("name", "other"), [("llama3", "llama3:8b"), ("llama3", "llama3.2"), ("a/x", "b/x"), ("", "x")]
)
def test_different_names_are_different_models(name: str, other: str) -> None:
    assert not same_model(name, other)


async def test_all_models_come_by_name(fake: FakeOllama, models: Models) -> None:
    fake.models = {"b": {}, "a": {}, "c:7b": {}}

    assert [model.name for model in await models.all()] == ["a", "b", "c:7b"]


async def test_a_model_is_found_in_any_spelling(fake: FakeOllama, models: Models) -> None:
    fake.models = {"llama3:latest": {}, "llama3:8b": {}}

    assert (await models.get("Llama3")).name == "llama3:latest"
    assert (await models.get("llama3:8B")).name == "llama3:8b"
    found = await models.find("llama3")
    assert found
    assert found.name == "llama3:latest"
    assert await models.find("llama3.2") is None


async def test_an_unknown_model_is_answered_with_all_there_are(fake: FakeOllama, models: Models) -> None:
    with pytest.raises(ModelNotFound, match=r"has no model `x y`\. It has `tiny:1b`\."):
        await models.get("x\ny")
    fake.models = {}
    with pytest.raises(ModelNotFound, match="It has none yet"):
        await models.get("x")


async def test_what_a_model_can_do_is_asked_of_the_server(fake: FakeOllama, models: Models) -> None:
    fake.models["tiny:1b"] = {"context_length": 2048, "capabilities": ["completion", "thinking"]}

    details = await models.details("tiny:1b")

    assert details.context_length == 2048
    assert details.can_think
    assert not details.can_see


async def test_a_model_in_memory_is_known_in_any_spelling(fake: FakeOllama, models: Models) -> None:
    fake.loaded = {"llama3:latest"}

    assert await models.is_loaded("Llama3")
    assert not await models.is_loaded("llama3:8b")


@pytest.mark.parametrize(
    "name",
    ["llama3", " llama3.2 ", "LLAMA3.2:1b", "qwen3:4b", "hf.co/bartowski/Llama-3:Q4_K_M", "hf.co/bartowski/x"],
)
async def test_what_the_operators_list_has_is_downloaded(models: Models, name: str) -> None:
    assert [progress.status async for progress in models.pull(name)] == ["success"]


@pytest.mark.parametrize(
    "name",
    [
        "qwen3",
        "qwen3:4",
        "mistral",
        "evil.com/llama3",
        "llama3.evil.com/x/y",
        "llama3/../x",
        "hf.co/bartowski/x/y",
        "hf.co/other/x",
        "http://llama3",
    ],
)
def test_what_the_operators_list_does_not_have_is_refused_with_the_list(models: Models, name: str) -> None:
    with pytest.raises(NotAllowed, match=r"only these .+: `llama3\*`, `qwen3:4b`, `hf.co/bartowski/\*`\."):
        models.pull(name)


@pytest.mark.parametrize(("pattern", "name"), [("llama3", "llama3:latest"), ("llama3:latest", "llama3")])
async def test_the_list_takes_a_name_without_a_tag_as_the_latest(model: OllamaModel, pattern: str, name: str) -> None:
    models = Models(model=model, pull_allowed=[pattern])

    assert [progress.status async for progress in models.pull(name)] == ["success"]
    with pytest.raises(NotAllowed):
        models.pull("llama3:8b")


def test_an_empty_list_switches_downloads_off(model: OllamaModel) -> None:
    with pytest.raises(NotAllowed, match=r"Downloading models is switched off; .+ OLLAMA_PULL_ALLOW"):
        Models(model=model, pull_allowed=[]).pull("llama3")


@pytest.mark.parametrize("name", ["", "  ", "a b", "a\nb", "x" * 201])
def test_what_is_no_name_is_refused(models: Models, name: str) -> None:
    with pytest.raises(BadInput, match="A model's name looks like"):
        models.pull(name)
