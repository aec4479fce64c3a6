"""What httpx promises is kept by the transport below it: addresses, proxies, and errors by their type."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

import aiohttp
import httpx
import pytest

from bot.errors import ModelUnreachable, StreamBroken
from bot.llm.ollama import OllamaModel, connect
from bot.llm.transport import environment_proxy, in_httpx

from .scripted import HEAD, LAST, Visit, chunk, events, line, listening, ndjson, text_of

NOT_THERE = "http://ollama.example:8080"
ANSWER = (HEAD, chunk(ndjson(line("Once "), LAST)), chunk(b""))


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of whoever runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def at_once(_: float) -> None:
    """No pause before asking again."""


async def answer(visit: Visit) -> None:
    await visit.send(*ANSWER)


@asynccontextmanager
async def at(behave: Callable[[Visit], Awaitable[None]], host: str = "{}") -> AsyncIterator[OllamaModel]:
    async with listening(behave) as port, connect(host.format(f"127.0.0.1:{port}")) as model:
        yield model


async def test_credentials_and_what_httpx_sets_reach_the_server() -> None:
    heads: list[str] = []

    async def behave(visit: Visit) -> None:
        heads.append(visit.head)
        await answer(visit)

    async with at(behave, "http://bob:swordfish@{}/gpu") as model:
        assert text_of(await events(model)) == "Once "

    [head] = heads
    assert head.startswith("POST /gpu/api/chat HTTP/1.1\r\n")
    assert f"authorization: basic {base64.b64encode(b'bob:swordfish').decode()}".lower() in head.lower()
    assert "accept-encoding: identity\r\n" in head.lower()


async def test_a_redirect_is_not_followed() -> None:
    visits: list[Visit] = []

    async def elsewhere(visit: Visit) -> None:
        visits.append(visit)

    async with listening(elsewhere) as port:

        async def behave(visit: Visit) -> None:
            location = f"Location: http://127.0.0.1:{port}/api/chat".encode()
            await visit.send(b"HTTP/1.1 307 Temporary Redirect\r\n", location, b"\r\nContent-Length: 0\r\n\r\n")

        async with at(behave) as model:
            with pytest.raises(ModelUnreachable, match="sends the bot to another address"):
                await events(model)

    assert visits == []


async def test_another_machine_is_reached_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[str] = []

    async def behave(visit: Visit) -> None:
        heads.append(visit.head)
        await answer(visit)

    async with listening(behave) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{port}")
        async with connect(NOT_THERE) as model:
            assert text_of(await events(model)) == "Once "

    [head] = heads
    assert head.startswith(f"POST {NOT_THERE}/api/chat HTTP/1.1\r\n")
    assert f"proxy-authorization: basic {base64.b64encode(b'user:pass').decode()}".lower() in head.lower()


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, NOT_THERE, None),
        ({"HTTP_PROXY": "http://proxy:3128"}, NOT_THERE, "http://proxy:3128"),
        ({"http_proxy": "proxy:3128"}, NOT_THERE, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, NOT_THERE, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://ollama.example", "http://proxy:3128"),
        ({"ALL_PROXY": "http://proxy:3128"}, NOT_THERE, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "localhost,.example"}, NOT_THERE, None),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, NOT_THERE, None),
    ],
)
def test_a_proxy_is_found_as_other_programs_find_it(
    variables: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert environment_proxy(url) == proxy


async def test_a_proxy_that_is_not_there_is_told() -> None:
    async with listening(answer) as port:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        async with connect(NOT_THERE) as model:
            with pytest.raises(ModelUnreachable, match=f"does not answer at {NOT_THERE}"):
                await events(model)


async def test_a_host_name_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    async with connect(NOT_THERE, sleep=at_once) as model:
        with pytest.raises(ModelUnreachable, match=f"The host name in {NOT_THERE} is not known"):
            await events(model)


async def test_a_server_without_tls_is_told() -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"https://127.0.0.1:{port}", sleep=at_once) as model:
            with pytest.raises(ModelUnreachable, match=r"No secure connection to .* \(TLS\)"):
                await events(model)


@pytest.mark.parametrize("head", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"])
async def test_what_is_no_http_is_a_broken_answer(head: bytes) -> None:
    async def behave(visit: Visit) -> None:
        await visit.send(head)

    async with at(behave) as model:
        with pytest.raises(StreamBroken):
            await events(model)


EXPECTED: dict[type[Exception], type[httpx.TransportError]] = {
    aiohttp.ClientConnectionError: httpx.ReadError,
    aiohttp.ClientOSError: httpx.ReadError,
    aiohttp.ClientConnectionResetError: httpx.ReadError,
    aiohttp.ClientConnectorError: httpx.ConnectError,
    aiohttp.ClientConnectorDNSError: httpx.ConnectError,
    aiohttp.ClientConnectorSSLError: httpx.ConnectError,
    aiohttp.ClientConnectorCertificateError: httpx.ConnectError,
    aiohttp.ServerFingerprintMismatch: httpx.ConnectError,
    aiohttp.ConnectionTimeoutError: httpx.ConnectTimeout,
    aiohttp.SocketTimeoutError: httpx.ReadTimeout,
    aiohttp.ServerTimeoutError: httpx.ReadTimeout,
    aiohttp.ServerDisconnectedError: httpx.RemoteProtocolError,
    aiohttp.ClientPayloadError: httpx.RemoteProtocolError,
    aiohttp.ClientResponseError: httpx.RemoteProtocolError,
    aiohttp.ClientProxyConnectionError: httpx.ProxyError,
    aiohttp.ClientHttpProxyError: httpx.ProxyError,
    aiohttp.InvalidURL: httpx.UnsupportedProtocol,
    aiohttp.ClientError: httpx.ReadError,
}


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_each_error_of_aiohttp_becomes_the_one_that_httpx_would_raise(kind: type[Exception]) -> None:
    # Their constructors want parts of a connection that there is not.
    error = type("Nearer", (kind,), {"__init__": lambda _: None, "__str__": lambda _: "x"})()

    with pytest.raises(httpx.TransportError) as caught, in_httpx():
        raise error

    assert type(caught.value) is EXPECTED[kind]
    assert caught.value.__cause__ is error
