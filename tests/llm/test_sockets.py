"""What only a real connection shows: it drops, it stalls, it is closed. Everything stays on the loopback interface."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from socket import SO_LINGER, SOL_SOCKET
from struct import pack

import pytest

from bot.chat.model import End, ModelEvent, Text
from bot.errors import ModelStalled, ModelUnreachable, StreamBroken
from bot.llm.ollama import TimeLimits, connect

from .scripted import ASKED, HEAD, LAST, Visit, chunk, events, gather, line, ndjson, serving, text_of

PATIENT = TimeLimits(connect=5, first=30, between=30)
HURRIED = TimeLimits(connect=5, first=0.05, between=30)
ONCE = chunk(ndjson(line("Once ")))


async def test_an_answer_comes_through_a_socket() -> None:
    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, ONCE, chunk(ndjson(line("upon"), LAST)), chunk(b""))

    async with serving(behave, PATIENT) as model:
        answer = await events(model)

    assert text_of(answer) == "Once upon"
    assert isinstance(answer[-1], End)


async def test_each_piece_is_there_as_soon_as_it_is_sent() -> None:
    go_on = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, ONCE)
        await go_on.wait()
        await visit.send(chunk(ndjson(LAST)), chunk(b""))

    async with serving(behave, PATIENT) as model, aclosing(model.chat(ASKED)) as answer:
        first = await anext(answer)
        go_on.set()
        last = await anext(answer)

    assert first == Text("Once ")
    assert isinstance(last, End)


async def test_a_connection_dropped_in_the_middle_keeps_what_came() -> None:
    seen: list[ModelEvent] = []

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, ONCE)

    async with serving(behave, PATIENT) as model:
        with pytest.raises(StreamBroken):
            await gather(seen, model)

    assert seen == [Text("Once ")]


async def test_a_connection_reset_in_the_middle_keeps_what_came() -> None:
    came = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, ONCE)
        await came.wait()
        # With no time to linger the system sends a reset instead of an orderly end.
        visit.writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))

    async with serving(behave, PATIENT) as model, aclosing(model.chat(ASKED)) as answer:
        assert await anext(answer) == Text("Once ")
        came.set()
        with pytest.raises(StreamBroken):
            await anext(answer)


async def test_a_connection_dropped_before_the_answer_is_not_tried_again() -> None:
    visits = []

    async def behave(visit: Visit) -> None:
        visits.append(visit)

    async with serving(behave, PATIENT) as model:
        with pytest.raises(StreamBroken):
            await events(model)

    assert len(visits) == 1


@pytest.mark.parametrize("head", [b"", HEAD])
async def test_a_first_word_that_never_comes_is_waited_for_no_longer_than_the_limit(head: bytes) -> None:
    left = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.send(head)
        await visit.left.wait()
        left.set()

    async with serving(behave, HURRIED) as model:
        with pytest.raises(ModelStalled, match=r"0\.05 seconds.*OLLAMA_FIRST_TOKEN_TIMEOUT"):
            await events(model)
        await left.wait()


async def test_a_first_word_may_take_longer_than_the_next_ones() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def behave(visit: Visit) -> None:
        asked.set()
        await go_on.wait()
        await visit.send(HEAD, chunk(ndjson(LAST)), chunk(b""))

    async with serving(behave, TimeLimits(first=30, between=0.05)) as model:
        answer = asyncio.create_task(events(model))
        await asked.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(answer), 0.1)
        go_on.set()
        assert isinstance((await answer)[-1], End)


async def test_a_stall_in_the_middle_is_given_up_and_the_connection_closed() -> None:
    left = asyncio.Event()
    seen: list[ModelEvent] = []

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, ONCE)
        await visit.left.wait()
        left.set()

    async with serving(behave, TimeLimits(first=30, between=0.05)) as model:
        with pytest.raises(ModelStalled, match=r"0\.05 seconds.*OLLAMA_STALL_TIMEOUT"):
            await gather(seen, model)
        await left.wait()

    assert seen == [Text("Once ")]


async def test_a_reader_may_take_longer_than_the_limits() -> None:
    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, ONCE, chunk(ndjson(LAST)), chunk(b""))

    async with serving(behave, TimeLimits(first=30, between=0.05)) as model, aclosing(model.chat(ASKED)) as answer:
        await anext(answer)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.1)
        assert isinstance(await anext(answer), End)


async def test_closing_an_answer_closes_the_connection_though_the_generator_is_kept() -> None:
    left = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, ONCE)
        await visit.left.wait()
        left.set()

    async with serving(behave, PATIENT) as model:
        answer = model.chat(ASKED)
        await anext(answer)
        await answer.aclose()
        await left.wait()
        assert [event async for event in answer] == []


@pytest.mark.parametrize("sent", [(), (HEAD, ONCE)])
async def test_cancelling_the_reader_closes_the_connection(sent: tuple[bytes, ...]) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.send(*sent)
        asked.set()
        await visit.left.wait()
        left.set()

    async with serving(behave, PATIENT) as model:
        reader = asyncio.create_task(events(model))
        await asked.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await left.wait()


async def test_closing_a_download_closes_the_connection() -> None:
    left = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, chunk(ndjson({"status": "pulling aa", "digest": "aa", "total": 9})))
        await visit.left.wait()
        left.set()

    async with serving(behave, PATIENT) as model:
        async with aclosing(model.pull("a:1")) as progress:
            assert (await anext(progress)).total == 9
        await left.wait()


async def test_one_client_carries_many_answers_at_once() -> None:
    everybody = asyncio.Barrier(8)

    async def behave(visit: Visit) -> None:
        await everybody.wait()
        await visit.send(HEAD, ONCE, chunk(ndjson(LAST)), chunk(b""))

    async with serving(behave, PATIENT) as model:
        answers = await asyncio.gather(*(events(model) for _ in range(8)))

    assert [text_of(answer) for answer in answers] == ["Once "] * 8


async def test_nobody_listening_is_told_after_three_tries() -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

    async with connect(f"127.0.0.1:{port}", sleep=sleep) as model:
        with pytest.raises(ModelUnreachable, match=f"does not answer at http://127.0.0.1:{port}"):
            await model.version()

    assert len(slept) == 2


async def test_a_local_ollama_is_asked_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, chunk(ndjson(LAST)), chunk(b""))

    async with serving(behave, PATIENT) as model:
        assert isinstance((await events(model))[-1], End)
