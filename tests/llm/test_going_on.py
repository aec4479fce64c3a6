"""An answer that goes on: in a chat where Ollama may leave its text open, else as a whole prompt that ends with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.chat.messages import EndReason, Image, Message, Role
from bot.chat.model import End, Text, Thinking
from bot.errors import ModelError, ModelFailed, ModelNotFound, ModelStalled, StreamBroken
from bot.llm.ollama import TimeLimits

from .scripted import ASKED, HEAD, MODEL, Script, Visit, chunk, events, ndjson, refusing, script, serving, streaming
from .test_templates import CHATML

GOING_ON = replace(ASKED, messages=(*ASKED.messages, Message(Role.ASSISTANT, "Hel")))
PROMPT = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello?<|im_end|>\n<|im_start|>assistant\nHel"
FIGURES = {"prompt_eval_count": 12, "eval_count": 3, "load_duration": 1_500_000_000, "eval_duration": 500_000_000}
CHAT_LAST = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}


def shown(**more: object) -> httpx.Response:
    return httpx.Response(200, json={"capabilities": ["completion"], "template": CHATML} | more)


def line(response: str = "", **more: object) -> dict[str, Any]:
    """One of /api/generate, as Ollama words it."""
    return {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "response": response, "done": False} | more


def last(reason: str = "stop") -> dict[str, Any]:
    return line(done=True, done_reason=reason) | FIGURES


def paths(server: Script) -> list[str]:
    return [request.url.path for request in server.requests]


async def test_the_prompt_ends_with_the_answers_own_text_and_what_comes_is_an_answer() -> None:
    server = script(shown(), streaming(line("lo"), line(" there", thinking="Hm."), last()))

    answer = await events(server.model(), GOING_ON)

    end = End(EndReason.COMPLETE, prompt_tokens=12, answer_tokens=3, load_seconds=1.5, writing_seconds=0.5)
    assert answer == [Text("lo"), Thinking("Hm."), Text(" there"), end]
    assert paths(server) == ["/api/show", "/api/generate"]
    options = {"num_ctx": 4096, "num_predict": 20, "min_p": 0.05}
    assert server.body() == {"model": MODEL, "prompt": PROMPT, "raw": True, "stream": True, "options": options}


@pytest.mark.parametrize(("given", "sent"), [("300", 300.0), ("5m", "5m"), ("-1", -1.0)])
async def test_how_long_the_model_stays_loaded_is_said_as_in_a_chat(given: str, sent: object) -> None:
    server = script(shown(), streaming(last()))

    await events(server.model(), replace(GOING_ON, keep_alive=given))

    assert server.body()["keep_alive"] == sent


async def test_it_may_be_cut_off_again() -> None:
    answer = await events(script(shown(), streaming(line("lo"), last("length"))).model(), GOING_ON)

    assert isinstance(answer[-1], End)
    assert answer[-1].reason is EndReason.LENGTH


IMAGE = Message(Role.USER, "What is it?", (Image("a.png", b"png"),))


@pytest.mark.parametrize(
    ("reply", "messages"),
    [
        (shown(template="{{ .Prompt }}"), GOING_ON.messages),
        (shown(template=None), GOING_ON.messages),
        (shown(capabilities=["completion", "tools"]), GOING_ON.messages),
        (shown(capabilities=["completion", "thinking"]), GOING_ON.messages),
        (shown(renderer="chatml-2"), GOING_ON.messages),
        (shown(messages=[{"role": "user", "content": "An example."}]), GOING_ON.messages),
        (shown(), GOING_ON.messages[1:]),
        (shown(), (GOING_ON.messages[0], IMAGE, GOING_ON.messages[-1])),
    ],
    ids=["other", "none", "tools", "thinks", "renderer", "examples", "no system message", "image"],
)
async def test_where_the_prompt_is_not_certain_it_is_a_chat(
    reply: httpx.Response, messages: tuple[Message, ...]
) -> None:
    goes_first = [reply] if messages[0].role is Role.SYSTEM and IMAGE not in messages else []
    server = script(*goes_first, streaming(CHAT_LAST))

    await events(server.model(), replace(GOING_ON, messages=messages))

    assert paths(server)[-1] == "/api/chat"
    assert [message["content"] for message in server.body()["messages"]] == [message.content for message in messages]


async def test_an_answer_from_its_beginning_is_a_chat_and_asks_for_no_template() -> None:
    server = script(streaming(CHAT_LAST))

    await events(server.model())

    assert paths(server) == ["/api/chat"]


async def test_the_template_is_asked_for_together_with_the_details() -> None:
    server = script(shown(), streaming(last()))
    model = server.model()
    await model.details(MODEL)

    await events(model, GOING_ON)

    assert paths(server) == ["/api/show", "/api/generate"]


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([shown(), refusing(404, "model 'tiny:1b' not found")], ModelNotFound),
        ([refusing(404, "model 'tiny:1b' not found")], ModelNotFound),
        ([shown(), streaming(line("lo"), {"error": "an unknown trouble"})], ModelFailed),
        ([shown(), streaming(line("lo"))], StreamBroken),
    ],
    ids=["gone since", "gone", "error line", "no last line"],
)
async def test_trouble_is_told_as_in_a_chat(replies: list[httpx.Response], error: type[ModelError]) -> None:
    with pytest.raises(error):
        await events(script(*replies).model(), GOING_ON)


async def test_a_server_that_refused_is_asked_again() -> None:
    server = script(shown(), refusing(503, "busy"), streaming(line("lo"), last()))

    assert (await events(server.model(), GOING_ON))[0] == Text("lo")
    assert server.slept == [0.25]


async def test_what_stands_still_is_given_up() -> None:
    async def behave(visit: Visit) -> None:
        if "/api/show" in visit.head:
            shows = ndjson({"capabilities": ["completion"], "template": CHATML})
            await visit.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(shows), shows)
        else:
            await visit.send(HEAD, chunk(ndjson(line("lo"))))
            await visit.left.wait()

    async with serving(behave, TimeLimits(first=30, between=0.2)) as model:
        answer = model.chat(GOING_ON)
        assert await anext(answer) == Text("lo")
        with pytest.raises(ModelStalled, match="stood still"):
            await anext(answer)
