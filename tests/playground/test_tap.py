"""The bot's own client through the tap: what it gets is what it would get without, and all of it is on record."""

import asyncio
import base64
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.chat.messages import Message, Role
from bot.chat.model import End, ModelEvent
from bot.errors import ModelError, ModelNotFound, ModelUnreachable, StreamBroken
from bot.llm.ollama import OllamaModel, connect
from playground.model.exchange import Exchange
from playground.model.tap import Tap
from tests.fake_ollama import MODEL, FakeOllama
from tests.llm.scripted import ASKED, HEAD, LAST, Visit, chunk, events, gather, line, listening, ndjson, text_of
from tests.llm.test_live import HOST, unavailable
from tests.llm.test_live import MODEL as REAL_MODEL


@pytest.fixture
def ollama() -> FakeOllama:
    return FakeOllama()


@asynccontextmanager
async def tapped(host: str) -> AsyncIterator[tuple[Tap, OllamaModel]]:
    async with Tap(host) as tap, connect(tap.url) as model:
        yield tap, model


@asynccontextmanager
async def behind(
    behave: Callable[[Visit], Awaitable[None]], host: str = "{}"
) -> AsyncIterator[tuple[Tap, OllamaModel]]:
    async with listening(behave) as port, tapped(host.format(f"127.0.0.1:{port}")) as both:
        yield both


def only(tap: Tap, state: str) -> Exchange:
    """The one exchange, which ended so."""
    [exchange] = tap.exchanges
    assert exchange.state == state
    return exchange


async def test_a_chat_is_recorded_as_the_model_got_it_and_as_it_answered(ollama: FakeOllama) -> None:
    async with ollama.serving() as host, tapped(host) as (tap, model):
        assert text_of(await events(model)) == "Hello there."

        exchange = only(tap, "done")

    assert (exchange.number, exchange.model, exchange.question) == (1, MODEL, "Hello?")
    assert {
        "model": MODEL,
        "messages": exchange.messages,
        "options": exchange.options,
    } | exchange.other == ollama.asked[0]
    assert exchange.messages[0] == {"role": "system", "content": "Be kind."}
    assert exchange.options["min_p"] == 0.05
    assert exchange.tokens == ["Hello ", "there."]
    assert exchange.text == "Hello there."
    assert exchange.prompt_tokens == 13
    assert exchange.first_token_at is not None
    assert exchange.began <= exchange.first_token_at


async def test_an_answer_that_goes_on_is_recorded_with_the_whole_prompt(ollama: FakeOllama) -> None:
    ollama.models[MODEL]["template"] = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}assistant: "
    ollama.answer = ["lo ", "there."]

    async with ollama.serving() as host, tapped(host) as (tap, model):
        went_on = replace(ASKED, messages=(*ASKED.messages, Message(Role.ASSISTANT, "Hel")))
        assert text_of(await events(model, went_on)) == "lo there."

        exchange = only(tap, "done")

    prompt = "system: Be kind.\nuser: Hello?\nassistant: Hel"
    assert exchange.messages == [{"role": "prompt", "content": prompt}]
    assert exchange.question == "(the rest of an answer that was cut off)"
    assert {"model": MODEL, "prompt": prompt, "options": exchange.options} | exchange.other == ollama.went_on[0]
    assert exchange.tokens == ["lo ", "there."]
    assert exchange.prompt_tokens == 12


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}])
async def test_a_page_in_a_browser_gets_nothing_through_it(ollama: FakeOllama, header: dict[str, str]) -> None:
    async with ollama.serving() as host, Tap(host) as tap, aiohttp.ClientSession(headers=header) as session:
        async with session.get(f"{tap.url}/api/tags") as listed, session.post(f"{tap.url}/api/chat", data="x") as asked:
            assert (listed.status, asked.status) == (403, 403)

        assert not tap.exchanges


async def test_of_images_only_the_size_is_kept(ollama: FakeOllama) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "What is it?", "images": ["QUJDREVG"]}]}

    async with ollama.serving() as host, Tap(host) as tap, aiohttp.ClientSession() as session:
        async with session.post(f"{tap.url}/api/chat", json=body) as answer:
            await answer.read()

        assert ollama.asked == [body]
        assert only(tap, "done").messages == [{"role": "user", "content": "What is it?", "images": ["6 bytes"]}]


async def test_all_that_the_bot_asks_besides_goes_through(ollama: FakeOllama) -> None:
    ollama.pull = [{"status": "pulling"}, {"status": "success"}]

    async with ollama.serving() as host, tapped(host) as (tap, model):
        assert await model.version() == "0.0-fake"
        assert [summary.name for summary in await model.models()] == [MODEL]
        assert await model.loaded() == {MODEL}
        assert (await model.details(MODEL)).context_length == 8192
        assert [report.status async for report in model.pull("x")] == ["pulling", "success"]
        with pytest.raises(ModelNotFound):
            await model.details("missing:1b")

    assert not tap.exchanges


async def test_each_part_is_there_before_the_next_one_is_written() -> None:
    read = asyncio.Semaphore(0)

    async def behave(visit: Visit) -> None:
        await visit.send(HEAD)
        for word in ("one ", "two ", "three"):
            await visit.send(chunk(ndjson(line(word))))
            await read.acquire()
        await visit.send(chunk(ndjson(LAST)), chunk(b""))

    async with asyncio.timeout(5), behind(behave) as (tap, model):
        seen = []
        async for event in model.chat(ASKED):
            seen.append((text_of([event]), tap.exchanges[0].text, tap.exchanges[0].state))
            read.release()

    assert seen[:3] == [
        ("one ", "one ", "writing"),
        ("two ", "one two ", "writing"),
        ("three", "one two three", "writing"),
    ]


async def test_a_response_keeps_its_status_headers_and_bytes() -> None:
    body = b"\x1f\x8b not really compressed"

    async def behave(visit: Visit) -> None:
        await visit.send(
            b"HTTP/1.1 418 Short And Stout\r\nContent-Encoding: gzip\r\nX-Two: 1\r\nX-Two: 2\r\n",
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        )

    async with (
        listening(behave) as port,
        Tap(f"127.0.0.1:{port}") as tap,
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.post(f"{tap.url}/any%2Fpath?a=%20b", data=b"x") as answer,
    ):
        assert (answer.status, answer.reason, await answer.read()) == (418, "Short And Stout", body)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers.getall("X-Two") == ["1", "2"]


async def test_a_request_keeps_its_path_and_headers_and_gets_the_targets_credentials() -> None:
    heads: list[str] = []

    async def behave(visit: Visit) -> None:
        heads.append(visit.head)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        listening(behave) as port,
        Tap(f"http://bob:swörd:fish@127.0.0.1:{port}/gpu") as tap,
        aiohttp.ClientSession() as session,
        session.post(f"{tap.url}/any%2Fpath?a=%20b", data=b"x", headers={"X-Own": "7"}) as answer,
    ):
        assert answer.status == 200

    [head] = heads
    assert head.startswith("POST /gpu/any%2Fpath?a=%20b HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n" in head
    assert "X-Own: 7\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head
    assert f"Authorization: Basic {base64.b64encode('bob:swörd:fish'.encode()).decode()}\r\n" in head


async def test_whoever_leaves_an_answer_makes_the_model_stop_at_once() -> None:
    visits: list[Visit] = []

    async def behave(visit: Visit) -> None:
        visits.append(visit)
        await visit.send(HEAD, chunk(ndjson(line("Once "))))
        await visit.left.wait()

    async with asyncio.timeout(5), behind(behave) as (tap, model):
        answer = model.chat(ASKED)
        await anext(answer)
        await answer.aclose()
        await visits[0].left.wait()

        assert only(tap, "cancelled").text == "Once "


async def test_whoever_leaves_before_the_first_token_makes_the_model_stop_too() -> None:
    asked: asyncio.Queue[Visit] = asyncio.Queue()

    async def behave(visit: Visit) -> None:
        asked.put_nowait(visit)
        await visit.left.wait()

    async with asyncio.timeout(5), behind(behave) as (tap, model):
        waiting = asyncio.create_task(events(model))
        visit = await asked.get()
        assert tap.exchanges[0].state == "waiting"
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        await visit.left.wait()

        assert only(tap, "cancelled").first_token_at is None


async def direct_and_tapped(
    behave: Callable[[Visit], Awaitable[None]],
) -> tuple[tuple[str, ModelError], tuple[str, ModelError], Exchange]:
    """What the bot reads and what error it raises, with and without the tap."""
    async with listening(behave) as port, tapped(f"127.0.0.1:{port}") as (tap, through):
        async with connect(f"127.0.0.1:{port}") as model:
            direct = await outcome(model)
        return direct, await outcome(through), only(tap, "failed")


async def outcome(model: OllamaModel) -> tuple[str, ModelError]:
    seen: list[ModelEvent] = []
    with pytest.raises(ModelError) as caught:
        await gather(seen, model)
    return text_of(seen), caught.value


async def broken_off(visit: Visit) -> None:
    await visit.send(HEAD, chunk(ndjson(line("Once "))))


async def ended_too_soon(visit: Visit) -> None:
    await visit.send(HEAD, chunk(ndjson(line("Once "))), chunk(b""))


async def error_in_the_middle(visit: Visit) -> None:
    await visit.send(HEAD, chunk(ndjson(line("Once "), {"error": "CUDA error: out of memory"})), chunk(b""))


async def hung_up(visit: Visit) -> None:
    """Nothing at all comes back."""


async def missing(visit: Visit) -> None:
    body = b'{"error":"model \'tiny:1b\' not found"}'
    await visit.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.mark.parametrize("behave", [broken_off, ended_too_soon, error_in_the_middle, hung_up, missing])
async def test_a_failure_looks_to_the_bot_as_it_would_without_the_tap(
    behave: Callable[[Visit], Awaitable[None]],
) -> None:
    direct, through, exchange = await direct_and_tapped(behave)

    assert through[0] == direct[0] == exchange.text
    assert type(through[1]) is type(direct[1])
    assert str(through[1]) == str(direct[1])
    assert exchange.error


async def test_an_ollama_that_is_not_there_is_said_not_to_be_there() -> None:
    async with listening(hung_up) as port:
        pass
    async with tapped(f"127.0.0.1:{port}") as (tap, model):
        with pytest.raises(ModelUnreachable, match="finds no Ollama behind it"):
            await events(model)

        assert only(tap, "failed").first_token_at is None


async def test_only_the_newest_chats_are_kept(ollama: FakeOllama) -> None:
    async with ollama.serving() as host, tapped(host) as (tap, model):
        for _ in range(52):
            await events(model)

        assert [exchange.number for exchange in tap.exchanges] == list(range(3, 53))


async def test_a_request_that_is_no_chat_is_passed_on_all_the_same() -> None:
    heads: list[str] = []

    async def behave(visit: Visit) -> None:
        heads.append(visit.head)
        await visit.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with listening(behave) as port, Tap(f"127.0.0.1:{port}") as tap, aiohttp.ClientSession() as session:
        for body in (b"no JSON", b"[1]", b'{"messages": "x"}', b'{"messages": [1]}'):
            async with session.post(f"{tap.url}/api/chat", data=body) as answer:
                assert answer.status == 400

        assert not tap.exchanges
    assert len(heads) == 4


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Certificate and key of localhost."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = ["openssl", "req", "-x509", *curve, *names, "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (nothing in it comes from outside)
    return files


async def test_https_targets_work(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"version":"9.9"}')
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        async with tapped(f"https://localhost:{port}") as (_, model):
            assert await model.version() == "9.9"


async def test_a_tap_that_closes_breaks_the_answers_under_way() -> None:
    async def behave(visit: Visit) -> None:
        await visit.send(HEAD, chunk(ndjson(line("Once "))))
        await visit.left.wait()

    async with asyncio.timeout(5), behind(behave) as (tap, model):
        answer = model.chat(ASKED)
        await anext(answer)
        await tap.__aexit__()
        with pytest.raises(StreamBroken):
            await anext(answer)


@pytest.mark.live
async def test_a_real_ollama_is_recorded_token_by_token() -> None:
    async with tapped(HOST) as (tap, model):
        try:
            await model.details(REAL_MODEL)
        except ModelError as error:
            unavailable(str(error))
        request = replace(ASKED, model=REAL_MODEL, options={"num_ctx": 2048, "num_predict": 8, "temperature": 0})
        answer = await events(model, request)

        exchange = only(tap, "done")

    [end] = [event for event in answer if isinstance(event, End)]
    assert exchange.text == text_of(answer)
    assert len(exchange.tokens) == end.answer_tokens == 8
    assert exchange.prompt_tokens == end.prompt_tokens
