"""What the model was asked and what it answers, read off the wire line by line. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import orjson

State: TypeAlias = Literal["waiting", "writing", "done", "cancelled", "failed"]
"""Waiting for the first token, writing, or how it ended: done, left by the client, or failed."""

_NAMED = {"model", "messages", "prompt", "options"}
_GOES_ON = "(the rest of an answer that was cut off)"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One /api/chat or /api/generate. Moments are those of one monotonic clock, in seconds.

    A thinking model's thoughts are no tokens here: nobody is shown them.
    """

    number: int
    began: float
    model: str
    messages: list[dict[str, Any]]
    """As they were sent, but with the sizes of images in place of the images; a whole prompt is one message."""
    options: dict[str, Any]
    other: dict[str, Any]
    """All other fields of the request."""
    at: datetime = field(default_factory=_now)
    tokens: list[str] = field(default_factory=list)
    state: State = "waiting"
    error: str = ""
    first_token_at: float | None = None
    last_token_at: float | None = None
    prompt_tokens: int | None = None
    """What the model counted; known when it is done."""
    _rest: bytes = b""

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self.tokens)

    @property
    def question(self) -> str:
        """The newest message of a user; of a whole prompt nobody knows where that is, but what it is for."""
        if any(message.get("role") == "prompt" for message in self.messages):
            return _GOES_ON
        asked = (message.get("content", "") for message in reversed(self.messages) if message.get("role") == "user")
        return str(next(asked, ""))

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in {"waiting", "writing"}

    @property
    def tokens_per_second(self) -> float | None:
        """The pace from the first token to the newest; None before there are two."""
        if self.first_token_at is None or self.last_token_at is None or self.last_token_at <= self.first_token_at:
            return None
        return (len(self.tokens) - 1) / (self.last_token_at - self.first_token_at)

    def take(self, data: bytes, at: float) -> None:
        """Take a part of the response's body, cut anywhere, that came at a moment."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._read(line, at)

    def end(self, at: float) -> None:
        """Note that the response is complete; without the model's last line it failed."""
        self._read(self._rest, at)
        self.close("failed", "The stream ended without its last line.")

    def close(self, state: State, error: str = "") -> None:
        """Note how it ended; what is over stays as it is."""
        if not self.is_over:
            self.state, self.error = state, error

    def _read(self, line: bytes, at: float) -> None:
        fields = _object(line)
        if error := fields.get("error"):
            self.close("failed", str(error))
        message = fields.get("message")
        token = message.get("content") if isinstance(message, Mapping) else fields.get("response")
        if token:
            self._write(str(token), at)
        if fields.get("done"):
            self.prompt_tokens = fields.get("prompt_eval_count")
            self.close("done")

    def _write(self, token: str, at: float) -> None:
        self.tokens.append(token)
        self.last_token_at = at
        if self.first_token_at is None:
            self.first_token_at, self.state = at, "writing"


def begin(number: int, body: bytes, began: float) -> Exchange | None:
    """Read a request; None where it is none that a model could be asked."""
    fields = _object(body)
    prompt = fields.get("prompt")
    messages = [{"role": "prompt", "content": prompt}] if isinstance(prompt, str) else fields.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return None
    return Exchange(
        number=number,
        began=began,
        model=str(fields.get("model") or ""),
        messages=[_without_images(message) for message in messages],
        options=fields.get("options") or {},
        other={name: value for name, value in fields.items() if name not in _NAMED},
    )


def _without_images(message: dict[str, Any]) -> dict[str, Any]:
    """Say how large its images are instead of keeping them: they may be megabytes, and are sent again each time."""
    images = message.get("images")
    if not isinstance(images, list):
        return message
    return message | {"images": [f"{len(str(image)) * 3 // 4} bytes" for image in images]}


def _object(line: bytes) -> dict[str, Any]:
    """Read JSON leniently: whoever listens in has no say in what is sent."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
