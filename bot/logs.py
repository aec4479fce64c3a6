"""One form for every log line, ours and the libraries', from which secrets are removed.

Whoever wants to log writes `log = logging.getLogger(__name__)`; structlog only renders. Fields given by `extra=`
become fields of the line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Literal
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["configure"]

_HANDLER = "llampost"

# Below these levels they log what people write (discord, aiosqlite) or a line for every request.
_AT_LEAST = {
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "asyncio": logging.INFO,
    "discord": logging.INFO,
    "httpcore": logging.INFO,
    "httpx": logging.WARNING,
}


def configure(level: str, format: Literal["text", "json"], secrets: Sequence[str]) -> None:  # noqa: A002 (LOG_FORMAT)
    """Send all logging to stderr; a second call replaces the first.

    Uncaught exceptions and warnings are logged too, since Python would print them with whatever they contain.
    """
    redact = _Redactor(secrets)
    handler = _Handler(sys.stderr)
    handler.name = _HANDLER
    handler.setFormatter(_formatter(format, redact))
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.name == _HANDLER]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, least in _AT_LEAST.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught


def _formatter(form: Literal["text", "json"], redact: _Redactor) -> logging.Formatter:
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_leftovers,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _as_text,
    ]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Name the place only: logging's own report prints the message's arguments, secrets among them."""
        problem = sys.exc_info()[0]
        self.stream.write(
            f"A line from {record.pathname}:{record.lineno} could not be logged: {problem and problem.__name__}\n"
        )


class _Redactor:
    """A processor that takes secrets out of every text in the line, traceback included.

    It must run after exceptions are rendered and before the line is: JSON would write a secret in another form.
    """

    # Three base64url parts: the bot's id, a time, a signature. Looser than detect-secrets' pattern (24-26, 6, 27),
    # since Discord has made ids and signatures longer before.
    _TOKEN = re.compile(r"(?<![\w-])[\w-]{23,}+\.[\w-]{6,7}+\.[\w-]{27,}", re.ASCII)
    _CREDENTIALS = re.compile(r"(?<=://)[^\s/?#]*@")
    # The token of an interaction or a webhook, good for anyone who has it.
    _PATH_TOKEN = re.compile(r"(?<=/)(webhooks|interactions)/(\d+)/[\w-]+", re.ASCII)

    def __init__(self, secrets: Sequence[str]) -> None:
        given = {secret.strip() for secret in secrets} - {""}
        forms = {form for secret in given for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {self._text(str(key)): self._value(value) for key, value in event.items()}

    def _value(self, value: object) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self._text(value)
            case Mapping():
                return {self._text(str(key)): self._value(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._value(item) for item in value]
            case _:
                return self._text(repr(value))

    def _text(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub("[secret]", text)
        text = self._TOKEN.sub("[token]", text)
        text = self._CREDENTIALS.sub("[credentials]@", text)
        return self._PATH_TOKEN.sub(r"\1/\2/[token]", text)


def _forms(secret: str) -> set[str]:
    """The ways in which a secret gets into a text: as it is, in a URL, in JSON, in the repr of what contains it."""
    written = [repr(secret)[1:-1], ascii(secret)[1:-1], repr(secret.encode(errors="replace"))[2:-1]]
    # A repr escapes a single quote only where the whole text has both kinds.
    quoted = [form.replace("\\'", "'").replace("'", "\\'") for form in written]
    in_json = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    return {secret, quote(secret, safe="", errors="replace"), *written, *quoted, *in_json}


def _without_leftovers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Formatters of other handlers leave two attributes on the record, which then look like somebody's fields."""
    return {key: value for key, value in event.items() if key not in {"message", "asctime"}}


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Time, level, logger and message in one line; only a traceback or a stack may follow it."""
    below = [str(event.pop(name)) for name in ("exception", "stack") if name in event]
    time, level, name = event.pop("timestamp"), event.pop("level"), event.pop("logger")
    line = f"{time} {level.upper():<8} {name}: {event.pop('event')}"
    fields = "".join(f" {key}={value!r}" for key, value in event.items())
    return "\n".join([_one_line(line + fields), *below])


def _one_line(text: str) -> str:
    """Without control characters, so that nobody's name can forge a line or colour a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _log_uncaught(kind: type[BaseException], exc: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, exc, traceback)
    else:
        logging.getLogger("bot").critical("Stopped by an error that nobody handled", exc_info=(kind, exc, traceback))
