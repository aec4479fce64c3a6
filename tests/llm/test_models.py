from __future__ import annotations

import logging

import httpx
import pytest

from bot.chat.model import ModelDetails, ModelSummary, PullProgress
from bot.errors import ModelFailed, ModelNotFound, ModelStalled, StreamBroken

from .scripted import Pieces, ndjson, refusing, script, streaming


def answering(body: object) -> httpx.Response:
    return httpx.Response(200, json=body)


def listed(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "model": name, "size": 98363007, "digest": "0d88", **more}


SHOWN = {
    "capabilities": ["completion", "thinking"],
    "model_info": {"general.architecture": "llama", "llama.context_length": 8192, "llama.vision.context_length": 5},
}


async def test_models_come_sorted_with_what_the_list_tells_of_them() -> None:
    details = {"parameter_size": "134.52M", "quantization_level": "Q4_1"}
    server = script(answering({"models": [listed("b:1"), listed("a:1", details=details)]}))

    found = await server.model().models()

    assert found == [ModelSummary("a:1", 98363007, "0d88", "134.52M", "Q4_1"), ModelSummary("b:1", 98363007, "0d88")]


@pytest.mark.parametrize("body", [{"models": []}, {"models": [{"name": "nameless in an old version"}]}])
async def test_a_server_without_models_has_an_empty_list(body: object) -> None:
    assert await script(answering(body)).model().models() == []


async def test_loaded_models_are_known_by_name() -> None:
    assert await script(answering({"models": [listed("b:1"), {"name": "a:1"}]})).model().loaded() == {"a:1", "b:1"}


async def test_details_tell_what_a_model_can_do() -> None:
    server = script(answering(SHOWN))

    details = await server.model().details("a:1")

    assert details == ModelDetails("a:1", frozenset({"completion", "thinking"}), 8192)
    assert server.body() == {"model": "a:1"}


@pytest.mark.parametrize("body", [{}, {"model_info": {}}, {"capabilities": None, "model_info": None}])
async def test_a_server_too_old_to_tell_is_not_an_error(body: object) -> None:
    assert await script(answering(body)).model().details("a:1") == ModelDetails("a:1", frozenset(), None)


@pytest.mark.parametrize(
    ("template", "opens"),
    [
        ("{{ .Prompt }}<|im_start|>assistant\n<think>\n", True),
        ("{{- if .System }}...{{ end }}<|Assistant|><think>\n{{- end -}}\n{{ end }}", True),
        ("<|im_start|>assistant\n{{ if not .Think }}<think>\n\n</think>\n\n{{ end }}", False),
        ("<think>{{ .Thinking }}</think>{{ .Content }}", False),
        ("{{ .Prompt }}", False),
        ("", False),
        (None, False),
    ],
)
async def test_a_template_that_ends_with_the_tag_opens_thoughts_itself(template: str | None, opens: bool) -> None:
    details = await script(answering(SHOWN | {"template": template})).model().details("a:1")

    assert details.opens_thoughts is opens


async def test_details_are_asked_for_once_a_minute() -> None:
    server = script(answering(SHOWN), answering(SHOWN), answering({"capabilities": ["vision"]}))
    model = server.model()

    for now, name in [(0, "a:1"), (59, "a:1"), (59, "b:1"), (61, "a:1"), (61, "a:1")]:
        server.now = now
        last = await model.details(name)

    assert last.can_see
    assert [server.body(index)["model"] for index in range(len(server.requests))] == ["a:1", "b:1", "a:1"]


async def test_a_failure_to_tell_is_not_remembered() -> None:
    server = script(refusing(404, "model 'a:1' not found"), answering(SHOWN))
    model = server.model()

    with pytest.raises(ModelNotFound):
        await model.details("a:1")

    assert (await model.details("a:1")).can_think


async def test_a_pulled_model_is_looked_at_anew() -> None:
    server = script(answering({}), streaming({"status": "success"}), answering(SHOWN))
    model = server.model()
    await model.details("a")

    async for _ in model.pull("a:latest"):
        pass

    assert (await model.details("a")).can_think


async def test_the_version_tells_that_ollama_is_there() -> None:
    server = script(answering({"version": "0.9.3"}))

    assert await server.model().version() == "0.9.3"
    assert server.requests[0].url.path == "/api/version"


async def test_a_download_is_summed_over_its_layers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = script(
        streaming(
            {"status": "pulling manifest"},
            {"status": "pulling aa", "digest": "aa", "total": 100},
            {"status": "pulling aa", "digest": "aa", "total": 100, "completed": 60},
            {"status": "pulling bb", "digest": "bb", "total": 40, "completed": 40},
            {"status": "pulling aa", "digest": "aa", "completed": 100},
            {"status": "pulling aa", "digest": "aa", "total": 100},
            {"status": "verifying sha256 digest"},
            {"status": "success"},
        )
    )

    progress = [step async for step in server.model().pull("a:1")]

    figures = [(step.completed, step.total) for step in progress]
    assert figures == [(0, 0), (0, 100), (60, 100), (100, 140), (140, 140), (140, 140), (140, 140), (140, 140)]
    assert progress[-1] == PullProgress("success", 140, 140)
    assert server.body() == {"model": "a:1", "stream": True, "insecure": False}


@pytest.mark.parametrize(
    ("lines", "error", "said"),
    [
        ([{"error": "pull model manifest: file does not exist"}], ModelNotFound, "library has no model “a:1”"),
        ([{"status": "pulling manifest"}, {"error": "pull model manifest: 404: not found"}], ModelNotFound, "library"),
        ([{"status": "pulling aa"}, {"error": "write: no space left on device"}], ModelFailed, "disk"),
        ([{"status": "pulling manifest"}, {"error": "max retries exceeded: EOF"}], ModelFailed, "failed at this"),
        ([{"error": "The model you are pulling requires a newer version of Ollama."}], ModelFailed, "too old"),
        ([{"status": "pulling manifest"}], StreamBroken, "goes on where it stopped"),
        ([], StreamBroken, "goes on where it stopped"),
    ],
)
async def test_a_download_fails_in_words(lines: list[object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        [step async for step in script(streaming(*lines)).model().pull("a:1")]


async def test_a_download_that_stands_still_is_given_up() -> None:
    body = Pieces([ndjson({"status": "pulling aa"})], httpx.ReadTimeout("slow"))

    with pytest.raises(ModelStalled, match=r"300 seconds.*goes on where it stopped"):
        [step async for step in script(httpx.Response(200, stream=body)).model().pull("a:1")]


async def test_a_question_is_asked_again_where_ollama_is_just_starting() -> None:
    server = script(httpx.ConnectError("refused"), answering({"version": "0.9.3"}))

    assert await server.model().version() == "0.9.3"
    assert server.slept == [0.25]


async def test_the_build_of_a_model_is_known_for_a_minute_or_until_a_download() -> None:
    old, new = listed("a:latest", digest="old"), listed("a:latest", digest="new")
    server = script(
        answering({"models": [old]}),
        answering({"models": [new]}),
        streaming({"status": "success"}),
        answering({"models": [old]}),
    )
    model = server.model()

    found = []
    for server.now in (0, 59, 61):
        found.append(await model.digest("a"))
    async for _ in model.pull("a"):
        pass

    assert found == ["old", "old", "new"]
    assert await model.digest("A:latest") == "old"
    assert await model.digest("b") is None


async def test_a_server_that_does_not_tell_the_build_is_asked_again() -> None:
    server = script(refusing(500, "broken"), answering({"models": [listed("a:1", digest="0d88")]}))
    model = server.model()

    assert [await model.digest("a:1"), await model.digest("a:1")] == [None, "0d88"]
