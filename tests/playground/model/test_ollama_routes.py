"""The routes, word by word."""

import json

import httpx
import pytest

from playground.model.process import EmbeddedModel

MODEL = "smollm2:135m"
HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Say hi"}], "options": {"num_predict": 2, "seed": 1}}
PICTURE = {"role": "user", "content": "What is this?", "images": ["aGFsbG8="]}

# Ollama 0.9.3 refuses the same with the same status (test_like_ollama), in these words or those of a later version.
REFUSED: dict[str, tuple[str, int, str]] = {
    "no body": ("", 400, "missing request body"),
    "broken JSON": ('{"model":', 400, "invalid JSON"),
    "no object": ("[]", 400, "json: cannot unmarshal array into Go value of type api.ChatRequest"),
    "null": ("null", 400, "model is required"),
    "no model": ('{"messages": []}', 400, "model is required"),
    "model is a number": (
        '{"model": 5}',
        400,
        "cannot unmarshal number into Go struct field ChatRequest.model of type string",
    ),
    "unknown model": ('{"model": "nope"}', 404, "model 'nope' not found"),
    "same name, no tag": ('{"model": "smollm2"}', 404, "model 'smollm2' not found"),
    "messages are a text": (json.dumps(HELLO | {"messages": "x"}), 400, "ChatRequest.messages of type []api.Message"),
    "message is a text": (json.dumps(HELLO | {"messages": ["x"]}), 400, "cannot unmarshal string"),
    "content is a number": (
        json.dumps(HELLO | {"messages": [{"role": "user", "content": 5}]}),
        400,
        "json: cannot unmarshal number into Go struct field ChatRequest.messages.content of type string",
    ),
    "stream is a text": (json.dumps(HELLO | {"stream": "x"}), 400, "ChatRequest.stream of type bool"),
    "options are a list": (json.dumps(HELLO | {"options": []}), 400, "of type map[string]interface {}"),
    "keep_alive is a word": (json.dumps(HELLO | {"keep_alive": "x"}), 400, 'time: invalid duration "x"'),
    "temperature is a text": (
        json.dumps(HELLO | {"options": {"temperature": "x"}}),
        500,
        'option "temperature" must be of type float32',
    ),
    "num_ctx is a bool": (
        json.dumps(HELLO | {"options": {"num_ctx": True}}),
        500,
        'option "num_ctx" must be of type integer',
    ),
    "stop is a text": (json.dumps(HELLO | {"options": {"stop": "x"}}), 500, 'option "stop" must be of type array'),
    "thinking": (json.dumps(HELLO | {"think": True}), 400, "does not support thinking"),
    "tools": (json.dumps(HELLO | {"tools": [{"type": "function"}]}), 400, "does not support tools"),
    "broken image": (
        json.dumps(HELLO | {"messages": [PICTURE | {"images": ["!!"]}]}),
        400,
        "illegal base64 data at input byte 0",
    ),
}
# Not refused by 0.9.3: it ignores images, and takes levels of thinking for a wrong type.
REFUSED_BY_LATER: dict[str, tuple[str, int, str]] = {
    "image": (json.dumps(HELLO | {"messages": [PICTURE]}), 500, "image input is not supported"),
    "level of thinking": (json.dumps(HELLO | {"think": "high"}), 400, "does not support thinking"),
    "thinking of a list": (json.dumps(HELLO | {"think": []}), 400, "invalid think value"),
    "format": (json.dumps(HELLO | {"format": "json"}), 400, "does not support format"),
    "nonsense that the engine refuses": (json.dumps(HELLO | {"options": {"repeat_penalty": 0}}), 400, "penalty_repeat"),
    "no name": ('{"model": "a b"}', 400, "invalid model name"),
}


@pytest.mark.parametrize("case", [*REFUSED, *REFUSED_BY_LATER])
async def test_a_wrong_request_is_refused_in_ollamas_words(http: httpx.AsyncClient, case: str) -> None:
    body, status, words = (REFUSED | REFUSED_BY_LATER)[case]

    answer = await http.post("/api/chat", content=body)

    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_one_whole_answer_is_what_the_stream_says(http: httpx.AsyncClient) -> None:
    streamed = await http.post("/api/chat", json=HELLO)
    whole = await http.post("/api/chat", json=HELLO | {"stream": False})

    lines = [json.loads(line) for line in streamed.text.splitlines()]
    assert streamed.headers["Content-Type"] == "application/x-ndjson"
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert whole.json()["message"]["content"] == "".join(line["message"]["content"] for line in lines)
    assert whole.json()["done_reason"] == "length"
    assert whole.json()["eval_count"] == 2
    assert whole.json()["total_duration"] >= whole.json()["eval_duration"] > 0


@pytest.mark.parametrize(("keep_alive", "reason"), [(None, "load"), ("5m", "load"), (-1, "load"), (0, "unload")])
async def test_no_messages_only_load_the_model(http: httpx.AsyncClient, keep_alive: object, reason: str) -> None:
    answer = await http.post("/api/chat", json={"model": MODEL, "keep_alive": keep_alive})

    assert (answer.json()["done"], answer.json()["done_reason"]) == (True, reason)


@pytest.mark.parametrize("name", ["smollm2:135m", "SmolLM2:135M", "library/smollm2:135m"])
async def test_a_name_is_compared_as_ollama_does(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.post("/api/show", json={"model": name})).status_code == 200
    assert (await http.post("/api/show", json={"name": name})).status_code == 200


@pytest.mark.parametrize("name", ["smollm2", "smollm2:latest", "other/smollm2:135m", "smollm2:360m"])
async def test_another_name_is_unknown(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.post("/api/show", json={"model": name})

    assert (answer.status_code, answer.json()) == (404, {"error": f"model '{name}' not found"})


async def test_pulling_fails_in_the_stream_or_at_once(http: httpx.AsyncClient) -> None:
    streamed = await http.post("/api/pull", json={"model": "llama3.2"})
    whole = await http.post("/api/pull", json={"model": "llama3.2", "stream": False})
    unnamed = await http.post("/api/pull", json={"model": ""})

    first, last = (json.loads(line) for line in streamed.text.splitlines())
    assert (streamed.status_code, first) == (200, {"status": "pulling manifest"})
    assert "one model only" in last["error"]
    assert (whole.status_code, whole.json()) == (500, last)
    assert (unnamed.status_code, unnamed.json()) == (400, {"error": "invalid model name"})


async def test_it_says_that_it_runs(http: httpx.AsyncClient) -> None:
    assert (await http.get("/")).text == "Ollama is running"
    assert (await http.head("/")).status_code == 200
    assert (await http.head("/api/tags")).status_code == 200


async def test_an_unknown_route_is_not_found_and_told_in_the_log(
    http: httpx.AsyncClient, served: EmbeddedModel
) -> None:
    missing = await http.post("/api/embed", json={})
    wrong = await http.delete("/api/tags")

    assert (missing.status_code, missing.text) == (404, "404 page not found")
    assert (wrong.status_code, wrong.text) == (405, "405 method not allowed")
    assert "POST /api/embed" in served.log()


async def test_no_web_page_may_use_it(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/tags", headers={"Origin": "https://example.com"})).status_code == 403
