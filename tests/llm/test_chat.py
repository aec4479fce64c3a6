from __future__ import annotations

import base64
import gzip
import logging
from contextlib import aclosing
from dataclasses import replace
from itertools import count, pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.messages import EndReason, Image, Message, Role
from bot.chat.model import End, LanguageModel, ModelEvent, Text, Thinking
from bot.errors import ModelBusy, ModelError, ModelFailed, ModelUnreachable, StreamBroken

from .scripted import ASKED, LAST, MODEL, Pieces, events, gather, line, ndjson, refusing, script, streaming, text_of


async def test_an_answer_arrives_as_events_and_ends_with_the_models_own_figures() -> None:
    server = script(streaming(line("Hel"), line("lo"), LAST))

    answer = await events(server.model())

    end = End(EndReason.COMPLETE, prompt_tokens=12, answer_tokens=3, load_seconds=1.5)
    assert answer == [Text("Hel"), Text("lo"), end]


async def test_blank_lines_that_keep_a_connection_alive_are_no_trouble() -> None:
    body = Pieces([ndjson(line("Hel")), b"\n", b"\r\n" + ndjson(line("lo")), b"\n" + ndjson(LAST), b"\n"])

    answer = await events(script(httpx.Response(200, stream=body)).model())

    assert [event for event in answer if isinstance(event, Text)] == [Text("Hel"), Text("lo")]


async def test_thoughts_are_told_apart_from_the_answer() -> None:
    server = script(streaming(line(thinking="Hm."), line("Yes", thinking="So."), LAST))

    assert (await events(server.model()))[:-1] == [Thinking("Hm."), Thinking("So."), Text("Yes")]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", EndReason.COMPLETE),
        ("", EndReason.COMPLETE),
        ("load", EndReason.COMPLETE),
        ("length", EndReason.LENGTH),
    ],
)
async def test_ollamas_word_for_the_end_becomes_a_reason(word: str, reason: EndReason) -> None:
    server = script(streaming(line("x", done=True, done_reason=word)))

    assert await events(server.model()) == [Text("x"), End(reason)]


async def test_images_go_with_their_message_in_base64() -> None:
    server = script(streaming(LAST))
    seen = Message(Role.USER, "Which?", (Image("cat.png", b"a cat"), Image("dog.png", b"\xff\xd8")))

    await events(server.model(), replace(ASKED, messages=(Message(Role.SYSTEM, "Be kind."), seen)))

    encoded = [base64.b64encode(image.data).decode() for image in seen.images]
    assert server.body()["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Which?", "images": encoded},
    ]


async def test_the_request_carries_everything_that_was_asked_and_nothing_more() -> None:
    server = script(streaming(LAST))

    await events(server.model())

    assert server.body() == {
        "model": MODEL,
        "stream": True,
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello?"}],
        "options": {"num_ctx": 4096, "num_predict": 20, "min_p": 0.05},
        "tools": [],
    }


@pytest.mark.parametrize("think", [True, False, "high"])
async def test_think_is_sent_where_it_is_given(think: bool | str) -> None:
    server = script(streaming(LAST))

    await events(server.model(), replace(ASKED, think=think))

    assert server.body()["think"] == think


@pytest.mark.parametrize(("given", "sent"), [("5m", "5m"), ("0", 0), ("-1", -1), ("300", 300)])
async def test_keep_alive_in_seconds_goes_as_a_number(given: str, sent: str | float) -> None:
    server = script(streaming(LAST))

    await events(server.model(), replace(ASKED, keep_alive=given))

    assert server.body()["keep_alive"] == sent


async def test_credentials_go_to_the_server_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = script(refusing(500, "broken"))

    with pytest.raises(ModelFailed) as caught:
        await events(server.model())

    sent = base64.b64decode(server.requests[0].headers["Authorization"].removeprefix("Basic "))
    assert sent == b"bob:swordfish"
    assert "swordfish" not in caplog.text + str(caught.value)


async def test_a_path_prefix_is_kept() -> None:
    server = script(streaming(LAST))

    await events(server.model("https://ollama.example/gpu/"))

    assert str(server.requests[0].url) == "https://ollama.example/gpu/api/chat"


async def test_the_log_tells_of_the_request_but_not_of_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    await events(script(streaming(line("Good morning"), LAST)).model())

    assert MODEL in caplog.text
    assert "min_p" in caplog.text
    assert not [word for word in ("kind", "Hello", "morning") if word in caplog.text]


@pytest.mark.parametrize("lines", [(), (line("Once upon"),)])
async def test_a_stream_without_its_last_line_is_not_an_answer(lines: tuple[object, ...]) -> None:
    seen: list[ModelEvent] = []

    with pytest.raises(StreamBroken, match="broke off"):
        await gather(seen, script(streaming(*lines)).model())

    assert seen == [Text("Once upon")][: len(lines)]


async def test_what_comes_after_the_last_line_no_longer_matters() -> None:
    body = Pieces([ndjson(line("x"), LAST), b"garbage\n"], httpx.ReadError("gone"))

    answer = await events(script(httpx.Response(200, stream=body)).model())

    assert text_of(answer) == "x"


@pytest.mark.parametrize("refusal", [httpx.ConnectError("refused"), refusing(503, "server busy, please try again.")])
async def test_a_refused_request_is_made_again(refusal: httpx.Response | Exception) -> None:
    server = script(refusal, refusal, streaming(line("x"), LAST))

    answer = await events(server.model())

    assert text_of(answer) == "x"
    assert server.slept == [0.25, 1.0]


@pytest.mark.parametrize(
    ("refusal", "error"),
    [(httpx.ConnectError("refused"), ModelUnreachable), (refusing(503, "server busy"), ModelBusy)],
)
async def test_after_the_third_refusal_it_gives_up(refusal: httpx.Response | Exception, error: type[Exception]) -> None:
    server = script(refusal)

    with pytest.raises(error):
        await events(server.model())

    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.ConnectTimeout("slow"),
        refusing(500, "boom"),
        streaming(line("x"), {"error": "server busy"}),
        httpx.Response(200, stream=Pieces([ndjson(line("x"))], httpx.ConnectError("odd"))),
    ],
)
async def test_nothing_is_asked_twice_that_ollama_may_have_begun(trouble: httpx.Response | Exception) -> None:
    server = script(trouble)

    with pytest.raises(ModelError):
        await events(server.model())

    assert len(server.requests) == 1
    assert server.slept == []


@pytest.mark.parametrize("separator", ["\u0085", "\u2028", "\u2029", "\u000b", "\u001c", "\r\n"])
async def test_characters_that_httpx_takes_for_ends_of_lines_reach_the_reader(separator: str) -> None:
    answer = await events(script(streaming(line(f"a{separator}b"), LAST)).model())

    assert text_of(answer) == f"a{separator}b"


_pieces_of_text = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u0085\u2028\u2029\u00c2\u00e2é🙂\n")),
    max_size=6,
)


@given(texts=_pieces_of_text, cuts=st.lists(st.integers(0, 2000), max_size=30))
async def test_an_answer_is_the_same_wherever_the_network_cuts_it(texts: list[str], cuts: list[int]) -> None:
    data = ndjson(*map(line, texts), LAST)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]

    answer = await events(script(httpx.Response(200, stream=Pieces(pieces))).model())

    assert answer[:-1] == [Text(text) for text in texts if text]


async def test_an_answer_may_come_byte_by_byte() -> None:
    text = "a\u0085\u2028\u2029Âéâ€🙂"
    pieces = [bytes([byte]) for byte in ndjson(line(text), LAST)]

    assert text_of(await events(script(httpx.Response(200, stream=Pieces(pieces))).model())) == text


async def test_a_compressed_body_is_left_alone() -> None:
    """Even where its bytes look like one of the characters that are escaped in a plain one."""
    bodies = ((str(n), gzip.compress(ndjson(line(str(n)), LAST), mtime=0)) for n in count())
    text, body = next((text, body) for text, body in bodies if b"\xc2\x85" in body)
    server = script(httpx.Response(200, stream=Pieces([body]), headers={"Content-Encoding": "gzip"}))

    assert text_of(await events(server.model())) == text
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


async def test_closing_an_answer_closes_its_response_before_anything_else_happens() -> None:
    body = Pieces([ndjson(line("Once ")), ndjson(LAST)])
    answer = script(httpx.Response(200, stream=body)).model().chat(ASKED)
    await anext(answer)
    assert not body.closed

    await answer.aclose()

    assert body.closed


async def test_it_is_the_language_model_that_the_core_asks_for() -> None:
    model: LanguageModel = script(streaming(LAST)).model()

    async with aclosing(model.chat(ASKED)) as answer:
        assert isinstance(await anext(answer), End)
