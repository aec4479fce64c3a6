"""The one place where the troubles of ollama and httpx become errors that people may read.

The libraries' own text, and Ollama's, is logged but never shown: it names paths, and what a proxy says instead
may be anything.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import httpx
import ollama
import pydantic

from bot.errors import ModelBusy, ModelError, ModelFailed, ModelStalled, ModelUnreachable, StreamBroken
from bot.llm.replies import BUSY, CHECK, FAILED, from_reply

__all__ = ["Action", "Call", "ended_early", "may_retry", "translated"]

log = logging.getLogger(__name__)

_LOGGED_CHARACTERS = 500


Action = Literal["chat", "pull", "read"]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked of Ollama, so that an error can name it."""

    address: str
    """Without credentials."""
    action: Action = "read"
    model: str = ""
    limit: float = 0
    """The time limit that holds now, in seconds."""
    started: bool = False
    """Whether a part of the answer has come already."""


@contextmanager
def translated(call: Call) -> Iterator[None]:
    """Raise a ModelError for whatever comes out of the libraries; put it round their calls only."""
    try:
        yield
    except ModelError:
        raise
    except Exception as exc:
        error = _explain(exc, call)
        log.warning(
            "%s of %r at %s failed (%s): %s", call.action, call.model, call.address, type(error).__name__, _for_log(exc)
        )
        raise error from exc


def may_retry(exc: Exception) -> bool:
    """Whether Ollama certainly did not begin to work, so that asking again can't double an answer."""
    if isinstance(exc, ollama.ResponseError):
        return exc.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    # Streaming lets httpx's error through, everything else raises the built-in one (ollama 0.6.3).
    return isinstance(exc, httpx.ConnectError) or type(exc) is ConnectionError


def ended_early(call: Call) -> ModelError:
    """The error for a stream that ends cleanly, but without the last line that makes it complete."""
    log.warning("%s of %r at %s ended without its last line", call.action, call.model, call.address)
    return _broken(call)


def _explain(exc: Exception, call: Call) -> ModelError:
    if isinstance(exc, ollama.ResponseError):
        return from_reply(exc.status_code, str(exc.error), model=call.model, address=call.address)
    for types, outcome in _BY_TYPE:
        if isinstance(exc, types):
            return outcome(exc, call)
    return _failed(exc, call)


def _unreachable(exc: Exception, call: Call) -> ModelError:
    causes = list(_causes(exc))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return ModelUnreachable(f"The host name in {call.address} is not known. {CHECK}")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return ModelUnreachable(f"No secure connection to {call.address} is possible (TLS). {CHECK}")
    return ModelUnreachable(
        f"Ollama does not answer at {call.address}. Ask the operator to check that it runs; "
        "`python -m bot check` tells more."
    )


def _stalled(_exc: Exception, call: Call) -> ModelError:
    if call.action == "pull":
        return ModelStalled(
            f"The download of “{call.model}” stood still for {call.limit:g} seconds. Ask for it again: it goes on "
            "where it stopped. If that does not help, ask the operator to raise OLLAMA_FIRST_TOKEN_TIMEOUT."
        )
    if call.action == "read":
        return ModelStalled(
            f"Ollama at {call.address} took longer than {call.limit:g} seconds to answer. Try again in a minute; "
            "if that does not help, ask the operator to raise OLLAMA_STALL_TIMEOUT."
        )
    if call.started:
        return ModelStalled(
            f"The answer of “{call.model}” stood still for {call.limit:g} seconds and was given up. Ask again; "
            "if it happens often, ask the operator to raise OLLAMA_STALL_TIMEOUT."
        )
    return ModelStalled(
        f"“{call.model}” did not begin to answer within {call.limit:g} seconds. Ask again in a minute, when it may be "
        "loaded; if it happens often, ask the operator to raise OLLAMA_FIRST_TOKEN_TIMEOUT."
    )


def _broken_by(_exc: Exception, call: Call) -> ModelError:
    return _broken(call)


def _broken(call: Call) -> ModelError:
    if call.action == "pull":
        return StreamBroken(f"The download of “{call.model}” broke off. Ask for it again: it goes on where it stopped.")
    if call.action == "read":
        return ModelUnreachable(f"The connection to Ollama at {call.address} broke off. Try again. {CHECK}")
    return StreamBroken(f"The answer of “{call.model}” broke off before its end. Ask again.")


def _unreadable(_exc: Exception, call: Call) -> ModelError:
    if call.started:
        return _broken(call)
    return ModelUnreachable(f"What answers at {call.address} does not speak as Ollama does. {CHECK}")


def _busy(_exc: Exception, _call: Call) -> ModelError:
    return ModelBusy(BUSY)


def _failed(_exc: Exception, _call: Call) -> ModelError:
    return ModelFailed(FAILED)


_Outcome = Callable[[Exception, Call], ModelError]

# The first line that fits holds: subclasses stand before their bases.
_BY_TYPE: tuple[tuple[tuple[type[Exception], ...], _Outcome], ...] = (
    ((httpx.PoolTimeout,), _busy),
    ((httpx.ConnectTimeout, httpx.ConnectError, httpx.ProxyError), _unreachable),
    ((httpx.UnsupportedProtocol, httpx.InvalidURL), _unreachable),
    ((httpx.TimeoutException, TimeoutError), _stalled),
    ((httpx.TooManyRedirects, httpx.DecodingError), _unreadable),
    ((httpx.TransportError, httpx.StreamError), _broken_by),
    # ollama 0.6.3 trips over JSON that is not an object with an AttributeError or a TypeError.
    ((json.JSONDecodeError, pydantic.ValidationError, AttributeError, TypeError), _unreadable),
    ((OSError,), _unreachable),
    ((httpx.HTTPError, httpx.CookieConflict, ollama.RequestError), _failed),
)


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        # ollama raises its ConnectionError `from None`: only the context still holds the cause.
        exc = exc.__cause__ or exc.__context__


def _for_log(exc: BaseException) -> str:
    """The library's own words, without the answer that a ValidationError quotes."""
    if isinstance(exc, pydantic.ValidationError):
        text = "; ".join(f"{error['loc']}: {error['msg']}" for error in exc.errors(include_input=False))
    else:
        if type(exc) is ConnectionError:
            # In ollama's own words it always just failed; what went wrong first tells why, such as a certificate.
            *_, exc = _causes(exc)
        text = f"{type(exc).__name__}: {exc}"
    return text[:_LOGGED_CHARACTERS]
