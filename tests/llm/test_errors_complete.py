"""Nothing that ollama or httpx raise gets past bot.llm: a new class in either fails here until it is thought about."""

from __future__ import annotations

import inspect
import ssl
from types import ModuleType

import anyio
import httpx
import ollama
import pytest

from bot.errors import ModelBusy, ModelError, ModelFailed, ModelStalled, ModelUnreachable, StreamBroken
from bot.llm.errors import Call, translated

ANSWERING = Call("http://127.0.0.1:11434", "chat", "tiny:1b", limit=60, started=True)

EXPECTED: dict[type[Exception], type[ModelError]] = {
    httpx.CloseError: StreamBroken,
    httpx.ConnectError: ModelUnreachable,
    httpx.ConnectTimeout: ModelUnreachable,
    httpx.CookieConflict: ModelFailed,
    httpx.DecodingError: StreamBroken,
    httpx.HTTPError: ModelFailed,
    httpx.HTTPStatusError: ModelFailed,
    httpx.InvalidURL: ModelUnreachable,
    httpx.LocalProtocolError: StreamBroken,
    httpx.NetworkError: StreamBroken,
    httpx.PoolTimeout: ModelBusy,
    httpx.ProtocolError: StreamBroken,
    httpx.ProxyError: ModelUnreachable,
    httpx.ReadError: StreamBroken,
    httpx.ReadTimeout: ModelStalled,
    httpx.RemoteProtocolError: StreamBroken,
    httpx.RequestError: ModelFailed,
    httpx.RequestNotRead: StreamBroken,
    httpx.ResponseNotRead: StreamBroken,
    httpx.StreamClosed: StreamBroken,
    httpx.StreamConsumed: StreamBroken,
    httpx.StreamError: StreamBroken,
    httpx.TimeoutException: ModelStalled,
    httpx.TooManyRedirects: StreamBroken,
    httpx.TransportError: StreamBroken,
    httpx.UnsupportedProtocol: ModelUnreachable,
    httpx.WriteError: StreamBroken,
    httpx.WriteTimeout: ModelStalled,
    ollama.RequestError: ModelFailed,
    ollama.ResponseError: ModelFailed,
}

ALSO = [
    ConnectionError("x"),
    TimeoutError(),
    OSError(5, "x"),
    ssl.SSLError("x"),
    anyio.BrokenResourceError(),
    anyio.ClosedResourceError(),
    RuntimeError("Cannot send a request, as the client has been closed."),
    RecursionError("JSON too deep"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    KeyError("x"),
]


def exceptions_of(module: ModuleType) -> set[type[Exception]]:
    public = (getattr(module, name) for name in dir(module) if not name.startswith("_"))
    return {item for item in public if inspect.isclass(item) and issubclass(item, Exception)}


def descendants(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(descendants(child) for child in kind.__subclasses__()))


def made(kind: type[Exception]) -> Exception:
    """An instance, whatever its constructor demands."""
    error = kind.__new__(kind, "x")
    if isinstance(error, ollama.ResponseError | ollama.RequestError):
        error.error = "x"
    if isinstance(error, ollama.ResponseError):
        error.status_code = -1
    return error


def test_every_exception_of_both_libraries_is_thought_about() -> None:
    roots = exceptions_of(httpx) | exceptions_of(ollama)

    assert set(EXPECTED) == set().union(*map(descendants, roots))


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_every_exception_of_both_libraries_becomes_one_of_ours(kind: type[Exception]) -> None:
    with pytest.raises(ModelError) as caught, translated(ANSWERING):
        raise made(kind)

    assert type(caught.value) is EXPECTED[kind]
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize("error", ALSO, ids=repr)
@pytest.mark.parametrize("action", ["chat", "pull", "read"])
@pytest.mark.parametrize("started", [True, False])
def test_what_else_comes_from_below_becomes_one_of_ours(error: Exception, action: str, started: bool) -> None:
    call = Call("http://127.0.0.1:11434", action, "tiny:1b", 60, started)  # type: ignore[arg-type]  # parametrized

    with pytest.raises(ModelError), translated(call):
        raise error


def test_our_own_errors_pass_unchanged() -> None:
    ours = ModelBusy("wait")

    with pytest.raises(ModelBusy) as caught, translated(ANSWERING):
        raise ours

    assert caught.value is ours


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_failure_passes_unchanged(kind: type[BaseException]) -> None:
    with pytest.raises(kind), translated(ANSWERING):
        raise kind
