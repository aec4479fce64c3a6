from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable

import httpx
import pytest

from bot.chat.model import ModelEvent, Text
from bot.errors import (
    ModelBusy,
    ModelError,
    ModelFailed,
    ModelNotFound,
    ModelOutOfMemory,
    ModelStalled,
    ModelUnreachable,
    StreamBroken,
)

from .scripted import MODEL, Pieces, Reply, events, gather, line, ndjson, refusing, script, streaming

ADDRESS = "http://127.0.0.1:11434"
NO_MODEL = (
    f"Ollama does not have the model “{MODEL}”. "
    f"Pick one with `/model use`, or ask a server manager to run `/model pull {MODEL}`."
)


async def error_of(reply: Reply) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await events(script(reply).model())
    error = caught.value
    said = str(error)
    assert error.__cause__ is not None
    assert "\n" not in said
    assert "swordfish" not in said
    assert said[0].isupper() or said[0] in "“`" or said.startswith(ADDRESS)
    assert said.endswith((".", ">."))
    return error


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("status", "text", "kind", "said"),
    [
        (404, 'model "tiny:1b" not found, try pulling it first', ModelNotFound, NO_MODEL),
        (404, "model 'tiny:1b' not found", ModelNotFound, NO_MODEL),
        (400, "model is required", ModelNotFound, "can't be a model's name"),
        (400, "invalid model name", ModelNotFound, "can't be a model's name"),
        (404, "404 page not found", ModelUnreachable, "is not Ollama"),
        (405, "405 method not allowed", ModelUnreachable, "is not Ollama"),
        (401, "unauthorized", ModelUnreachable, "refuses the bot's credentials"),
        (403, "", ModelUnreachable, "refuses the bot's credentials"),
        (403, "this model requires a subscription, upgrade for access", ModelFailed, "runs in Ollama's cloud"),
        (307, "", ModelUnreachable, "sends the bot to another address"),
        (502, "<html><title>502 out of memory</title></html>", ModelUnreachable, "finds no Ollama behind it"),
        (504, "<html>Gateway Time-out</html>", ModelStalled, "proxy"),
        (429, "too many", ModelBusy, "too much to do"),
        (503, "server busy, please try again.  maximum pending requests exceeded", ModelBusy, "too much to do"),
        (
            500,
            "model requires more system memory (39.1 GiB) than is available (2.1 GiB)",
            ModelOutOfMemory,
            "lacks memory",
        ),
        (
            500,
            "llama runner process has terminated: cudaMalloc failed: out of memory",
            ModelOutOfMemory,
            "lacks memory",
        ),
        (500, "llama runner process has terminated: signal: killed", ModelOutOfMemory, "lacks memory"),
        (
            500,
            "llama runner process has terminated: error:failed to allocate buffer, size = 16 MiB",
            ModelOutOfMemory,
            "memory",
        ),
        (500, "error loading model: unable to allocate backend buffer", ModelOutOfMemory, "lacks memory"),
        (500, "llama-server process has terminated: exit status 1", ModelOutOfMemory, "lacks memory"),
        (
            500,
            "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error",
            ModelOutOfMemory,
            "lacks memory",
        ),
        (
            500,
            "llama runner process has terminated: error loading model: unknown model architecture: 'new'",
            ModelFailed,
            "too old",
        ),
        (400, "registry.ollama.ai/library/tiny:1b does not support thinking", ModelFailed, "can't think"),
        (
            400,
            "json: cannot unmarshal string into Go struct field ChatRequest.think of type bool",
            ModelFailed,
            "value:off`",
        ),
        (400, 'invalid think value: "odd"', ModelFailed, "can't think"),
        (400, "registry.ollama.ai/library/tiny:1b does not support tools", ModelFailed, "can't use tools"),
        (400, "this model does not support image input", ModelFailed, "can't read this image"),
        (500, "image input is not supported - hint: you may need the mmproj", ModelFailed, "can't read this image"),
        (400, "illegal base64 data at input byte 0", ModelFailed, "can't read this image"),
        (400, '"tiny:1b" does not support chat', ModelFailed, "can't chat"),
        (
            400,
            "the prompt is longer than the context length currently available to the model; shorten it",
            ModelFailed,
            "OLLAMA_NUM_CTX",
        ),
        (500, 'option "temperature" must be of type float32', ModelFailed, "/settings show"),
        (400, 'time: unknown unit "x" in duration "5x"', ModelFailed, "/settings show"),
        (500, "write /models/blob: no space left on device", ModelFailed, "disk"),
        (500, "something new", ModelFailed, "failed at this"),
        (418, "", ModelFailed, "failed at this"),
    ],
)
async def test_each_refusal_becomes_a_sentence(
    status: int, text: str, kind: type[ModelError], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = refusing(status, text) if not text.startswith("<") else httpx.Response(status, text=text)

    error = await error_of(reply)

    assert type(error) is kind
    assert said in str(error)
    assert text not in str(error) or not text
    assert [record.levelno for record in caplog.records if record.name == "bot.llm.errors"] == [logging.WARNING]
    assert text in caplog.text


@pytest.mark.parametrize("body", ["null", "[]", '"word"', "{}", '{"error": {"code": 1}}', "", "\x00"])
async def test_a_refusal_of_any_shape_is_a_refusal(body: str) -> None:
    error = await error_of(httpx.Response(500, text=body))

    assert isinstance(error, ModelFailed | ModelUnreachable)


@pytest.mark.parametrize(
    ("trouble", "kind", "said"),
    [
        (httpx.ConnectError("refused"), ModelUnreachable, f"Ollama does not answer at {ADDRESS}. Ask the operator"),
        (httpx.ConnectTimeout("slow"), ModelUnreachable, f"Ollama does not answer at {ADDRESS}."),
        (caused_by(httpx.ConnectError("x"), socket.gaierror(-2, "unknown")), ModelUnreachable, "is not known"),
        (caused_by(httpx.ConnectError("x"), ssl.SSLCertVerificationError("self-signed")), ModelUnreachable, "(TLS)"),
        (httpx.ReadTimeout("slow"), ModelStalled, "OLLAMA_FIRST_TOKEN_TIMEOUT"),
        (httpx.PoolTimeout("full"), ModelBusy, "too much to do"),
        (httpx.RemoteProtocolError("closed"), StreamBroken, "broke off"),
        (httpx.Response(200, text="<html>Sign in</html>"), ModelUnreachable, "does not speak as Ollama does"),
        (httpx.Response(200, text="[1]\n"), ModelUnreachable, "does not speak as Ollama does"),
        (httpx.Response(200, text='{"done": true}\n'), ModelUnreachable, "does not speak as Ollama does"),
        (httpx.Response(308, headers={"Location": "https://ollama.example"}), ModelUnreachable, "OLLAMA_HOST"),
        (streaming({"error": "server busy"}), ModelBusy, "too much to do"),
    ],
)
async def test_each_trouble_before_the_answer_becomes_a_sentence(
    trouble: Reply, kind: type[ModelError], said: str
) -> None:
    error = await error_of(trouble)

    assert type(error) is kind
    assert said in str(error)


@pytest.mark.parametrize(
    ("rest", "trouble", "kind"),
    [
        (ndjson({"error": "an error was encountered while running the model: unexpected EOF"}), None, ModelFailed),
        (ndjson({"error": "CUDA error: out of memory"}), None, ModelOutOfMemory),
        (b"", httpx.RemoteProtocolError("peer closed connection"), StreamBroken),
        (b"", httpx.ReadError("reset"), StreamBroken),
        (b"", httpx.ReadTimeout("slow"), ModelStalled),
        (b"", httpx.DecodingError("gzip"), StreamBroken),
        (b"<html>502</html>\n", None, StreamBroken),
        (b'{"message": {"rol', None, StreamBroken),
        (b"[]\n", None, StreamBroken),
        (b"null\n", None, StreamBroken),
        (b'{"message": "text", "done": false}\n', None, StreamBroken),
        (b'{"error": {"code": 7}}\n', None, StreamBroken),
    ],
)
async def test_each_trouble_in_the_middle_keeps_what_came_before(
    rest: bytes, trouble: Exception | None, kind: type[ModelError]
) -> None:
    body = Pieces([ndjson(line("Once ")), ndjson(line("upon")) + rest], trouble)
    seen: list[ModelEvent] = []

    with pytest.raises(kind) as caught:
        await gather(seen, script(httpx.Response(200, stream=body)).model())

    assert type(caught.value) is kind
    assert seen == [Text("Once "), Text("upon")]
    assert caught.value.__cause__ is not None


async def test_a_stall_in_the_middle_names_the_other_setting() -> None:
    body = Pieces([ndjson(line("Once "))], httpx.ReadTimeout("slow"))

    with pytest.raises(ModelStalled, match=r"60 seconds.*OLLAMA_STALL_TIMEOUT"):
        await events(script(httpx.Response(200, stream=body)).model())


async def test_a_line_of_the_wrong_shape_is_logged_without_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    secret = {"role": "assistant", "content": ["The answer is private"]}

    with pytest.raises(ModelUnreachable):
        await events(script(streaming({"message": secret})).model())

    assert "'content'" in caplog.text
    assert "private" not in caplog.text


async def test_a_long_page_is_cut_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await error_of(httpx.Response(500, text="<html>" + "x" * 100_000))

    assert len(caplog.text) < 1000


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: httpx.ReadError("reset"), "broke off. Try again"),
        (lambda: httpx.ReadTimeout("slow"), "OLLAMA_STALL_TIMEOUT"),
        (lambda: httpx.ConnectError("refused"), "does not answer at"),
        (lambda: httpx.Response(200, text="<html>"), "does not speak as Ollama does"),
        (lambda: httpx.Response(200, text="[]"), "does not speak as Ollama does"),
        (lambda: httpx.Response(200, json={"models": 5}), "does not speak as Ollama does"),
    ],
)
async def test_questions_that_are_no_chat_fail_in_the_same_words(ask: Callable[[], Reply], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        await script(ask()).model().models()


async def test_a_name_too_long_for_a_sentence_is_cut() -> None:
    with pytest.raises(ModelNotFound) as caught:
        await script(refusing(404, "model not found")).model().details("x" * 5000)

    assert len(str(caught.value)) < 400
