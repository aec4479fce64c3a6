"""The embedded model beside a real Ollama of the version that it answers like, with the same model."""

import json
import os
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.llm.address import parse_host
from playground.model.ollama import VERSION
from tests.playground.model.test_ollama_routes import HELLO, MODEL, REFUSED

pytestmark = pytest.mark.live


@pytest.fixture
async def ollama() -> AsyncIterator[httpx.AsyncClient]:
    address = parse_host(os.environ.get("OLLAMA_HOST", ""))
    async with httpx.AsyncClient(
        base_url=address.url, auth=address.credentials, trust_env=not address.is_local, timeout=120
    ) as ollama:
        try:
            version = (await ollama.get("/api/version")).json()["version"]
            names = [model["name"] for model in (await ollama.get("/api/tags")).json()["models"]]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            if os.environ.get("LLAMPOST_LIVE") == "required":
                pytest.fail(f"LLAMPOST_LIVE=required, but no Ollama answers at {address.url}: {error!r}")
            pytest.skip(f"No Ollama answers at {address.url}.")
        if version != VERSION.removesuffix("-demo") or MODEL not in names:
            pytest.skip(f"The Ollama at {address.url} is of version {version} with {names}: nothing to compare with.")
        yield ollama


def fields(value: object) -> object:
    """The names and types in a JSON value, as deep as it goes."""
    if isinstance(value, dict):
        return {name: fields(one) for name, one in value.items()}
    if isinstance(value, list):
        return [fields(one) for one in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


@pytest.mark.parametrize("case", REFUSED)
async def test_ollama_refuses_the_same(ollama: httpx.AsyncClient, case: str) -> None:
    body, status, _ = REFUSED[case]

    answer = await ollama.post("/api/chat", content=body)

    assert answer.status_code == status
    assert answer.json().keys() == {"error"}


async def test_an_answer_has_the_fields_of_ollamas(http: httpx.AsyncClient, ollama: httpx.AsyncClient) -> None:
    ours, theirs = [
        [fields(json.loads(line)) for line in (await client.post("/api/chat", json=HELLO)).text.splitlines()]
        for client in (http, ollama)
    ]

    assert (ours[0], ours[-1]) == (theirs[0], theirs[-1])


async def test_lists_have_the_fields_of_ollamas(http: httpx.AsyncClient, ollama: httpx.AsyncClient) -> None:
    async def listed(client: httpx.AsyncClient, path: str) -> list[dict[str, object]]:
        models = (await client.get(path)).json()["models"]
        return [{name: fields(one) for name, one in model.items()} for model in models if model["name"] == MODEL]

    await ollama.post("/api/chat", json={"model": MODEL})

    assert await listed(http, "/api/tags") == await listed(ollama, "/api/tags")
    # Newer ones tell the window, too.
    [theirs] = await listed(ollama, "/api/ps")
    assert await listed(http, "/api/ps") == [theirs | {"context_length": "number"}]


async def test_the_description_is_ollamas(http: httpx.AsyncClient, ollama: httpx.AsyncClient) -> None:
    ours, theirs = [(await client.post("/api/show", json={"model": MODEL})).json() for client in (http, ollama)]

    # A list of tensors is for nobody here; the window is the one that the engine has.
    assert ours.keys() == theirs.keys() - {"tensors"}
    assert ours["capabilities"] == theirs["capabilities"]
    assert ours["details"] | {"parent_model": ""} == theirs["details"] | {"parent_model": ""}
    window = {"llama.context_length": 0}
    assert ours["model_info"] | window == theirs["model_info"] | window
