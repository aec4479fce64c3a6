"""Requests to Ollama's routes, read as strictly as Ollama does, with its own words for what is wrong."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import orjson

_T = TypeVar("_T")

# What a JSON value is called by Go, in whose words Ollama complains.
_JSON_NAMES: dict[type, str] = {
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_GO_NAMES: dict[type, str] = {str: "string", bool: "bool", list: "[]api.Message", dict: "map[string]interface {}"}
_DURATION = re.compile(r"-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+|-?\d+(\.\d+)?|")
_NAME = re.compile(r"(?:library/)?(?P<model>[\w.-]+)(?::(?P<tag>[\w.-]+))?|[\w.-]+(?:/[\w.-]+){1,2}(?::[\w.-]+)?")


class RefusedError(Exception):
    """A request gets no answer but this status and these words."""

    def __init__(self, words: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The body of /api/chat."""

    model: str
    messages: list[dict[str, str]]
    options: Mapping[str, object]
    streams: bool
    thinks: bool
    has_images: bool
    has_tools: bool
    has_format: bool
    unloads: bool


def read_body(data: bytes, go_type: str) -> dict[str, Any]:
    """A body that is a JSON object. Raises RefusedError."""
    if not data:
        raise RefusedError("missing request body")
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as wrong:
        raise RefusedError(f"invalid JSON: {wrong}") from wrong
    if not isinstance(body, dict | None):
        raise RefusedError(f"json: cannot unmarshal {_JSON_NAMES[type(body)]} into Go value of type api.{go_type}")
    return body or {}


def read_model(body: Mapping[str, Any], go_type: str) -> str:
    """The model's name as it was given, from either of the fields that Ollama reads. Raises RefusedError."""
    return _field(body, "model", str, "", go_type) or _field(body, "name", str, "", go_type)


def canonical(name: str) -> str:
    """A name as Ollama compares it: in small letters, without its own library, and with a tag; empty for no name."""
    if not (found := _NAME.fullmatch(name)):
        return ""
    return f"{found['model']}:{found['tag'] or 'latest'}".lower() if found["model"] else name.lower()


def read_chat(data: bytes) -> ChatRequest:
    """The request for an answer. Raises RefusedError."""
    body = read_body(data, "ChatRequest")
    messages = _field(body, "messages", list, [])
    keep_alive = body.get("keep_alive")
    if not isinstance(keep_alive, int | float | None) and not _DURATION.fullmatch(str(keep_alive)):
        raise RefusedError(f'time: invalid duration "{keep_alive}"')
    return ChatRequest(
        model=read_model(body, "ChatRequest"),
        messages=[_message(message) for message in messages],
        options=_field(body, "options", dict, {}),
        streams=_field(body, "stream", bool, default=True),
        thinks=_thinks(body.get("think")),
        has_images=any(_images(message) for message in messages),
        has_tools=bool(body.get("tools")),
        has_format=bool(body.get("format")),
        unloads=keep_alive == 0,
    )


def _field(body: Mapping[str, Any], name: str, kind: type[_T], default: _T, go_type: str = "ChatRequest") -> _T:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        field = f"Go struct field {go_type}.{name} of type {_GO_NAMES[kind]}"
        raise RefusedError(f"json: cannot unmarshal {_JSON_NAMES[type(value)]} into {field}")
    return value


def _message(message: object) -> dict[str, str]:
    if not isinstance(message, dict):
        raise RefusedError(f"json: cannot unmarshal {_JSON_NAMES[type(message)]} into Go value of type api.Message")
    return {name: _field(message, name, str, "", "ChatRequest.messages") for name in ("role", "content")}


def _images(message: Mapping[str, Any]) -> bool:
    images = message.get("images") or []
    try:
        for image in images:
            base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError, TypeError) as wrong:
        raise RefusedError("illegal base64 data at input byte 0") from wrong
    return bool(images)


def _thinks(think: object) -> bool:
    """A level of thinking is a wish to think, too."""
    if think is None or isinstance(think, bool):
        return bool(think)
    if think in ("low", "medium", "high", "max"):
        return True
    raise RefusedError(
        f'invalid think value: {orjson.dumps(think).decode()} (must be "high", "medium", "low", "max", true, or false)'
    )
