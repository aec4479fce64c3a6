from __future__ import annotations

import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.logs import _Redactor, configure

PASSWORD = "sword\"f'ish\\ü"
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4" + ".Gabcd-." + "x_" * 19
log = logging.getLogger("bot.test")
Form = Literal["text", "json"]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.excepthook
    level = root.level
    named = {name: logging.getLogger(name).level for name in ("aiosqlite", "asyncio", "discord", "httpcore", "httpx")}
    yield
    for handler in [handler for handler in root.handlers if handler.name == "llampost"]:
        root.removeHandler(handler)
    sys.excepthook = hook
    root.setLevel(level)
    for name, before in named.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def fields(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = lines(capsys)
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_of_text_has_time_level_logger_message_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "text", [])

    log.warning("%d pages", 3, extra={"guild": 7})

    (line,) = lines(capsys)
    when, rest = line.split(" ", 1)
    assert when.endswith("Z")
    assert rest == "WARNING  bot.test: 3 pages guild=7"


def test_a_line_of_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json", [])

    log.info("Zażółć\n%s", "x", extra={"guild": 7})

    found = fields(capsys)
    assert found.pop("timestamp").endswith("Z")
    assert found == {"level": "info", "logger": "bot.test", "event": "Zażółć\nx", "guild": 7}


def test_a_traceback_is_a_field_in_json_and_follows_the_line_in_text(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("json", "text"):
        configure("INFO", form, [])
        try:
            _fail("dragons")
        except ValueError:
            log.exception("It broke")

    in_json, head, *below = lines(capsys)
    assert json.loads(in_json)["exception"].startswith("Traceback")
    assert "dragons" in json.loads(in_json)["exception"]
    assert head.endswith("bot.test: It broke")
    assert below[0].startswith("Traceback")
    assert below[-1] == "ValueError: dragons"


@pytest.mark.parametrize("name", ["discord.client", "aiohttp.access", "bot.llm.ollama"])
def test_every_library_speaks_in_the_same_form(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json", [])

    logging.getLogger(name).info("hello")

    assert fields(capsys)["logger"] == name


def test_configuring_again_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    configure("DEBUG", "text", [])
    configure("debug", "json", [])

    log.debug("once")

    assert fields(capsys)["event"] == "once"


def test_another_handler_adds_no_fields(capsys: pytest.CaptureFixture[str]) -> None:
    other = logging.StreamHandler(io.StringIO())
    other.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(other)
    configure("INFO", "json", [])

    log.info("hello")

    assert set(fields(capsys)) == {"event", "level", "logger", "timestamp"}


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "text", [])

    log.info("quiet")

    assert lines(capsys) == []


@pytest.mark.parametrize("name", ["discord.gateway", "discord.http", "aiosqlite", "httpcore.http11"])
def test_libraries_that_log_what_people_write_do_not_at_debug(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("DEBUG", "text", [])

    logging.getLogger(name).debug("content")

    assert lines(capsys) == []


def test_warnings_and_uncaught_errors_are_logged_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json", [PASSWORD])

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(f"odd {PASSWORD}", stacklevel=1)
    error = ValueError(PASSWORD)
    sys.excepthook(ValueError, error, None)

    first, second = map(json.loads, lines(capsys))
    assert (first["logger"], second["level"]) == ("py.warnings", "critical")
    assert "odd [secret]" in first["event"]
    assert second["exception"] == "ValueError: [secret]"


def test_an_interrupt_is_not_an_error_to_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "text", [])

    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)

    assert lines(capsys) == ["KeyboardInterrupt"]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("secret", [PASSWORD, TOKEN, "http://bob:swordfish@h/", "/api/webhooks/1/ab-c_swordfish"])
def test_no_part_of_a_line_lets_a_secret_out(form: Form, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("DEBUG", form, [PASSWORD, "", " "])
    things = {"plain": secret, "deep": {secret: [(secret, {secret}), ValueError(secret)]}, "bytes": secret.encode()}

    log.info("said %s and %r", secret, secret, extra=things)
    log.info(f"={secret},", stack_info=True)  # noqa: G004 (a message may be made anyhow)
    try:
        try:
            _fail(secret)
        except ValueError as error:
            raise RuntimeError([secret]) from error
    except RuntimeError:
        log.exception("It broke")

    said = capsys.readouterr().err
    assert "[" in said
    for hidden in ("sword", TOKEN, TOKEN[25:]):
        assert hidden not in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_that_can_not_be_made_is_reported_without_its_arguments(
    form: Form, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own raise
    configure("INFO", form, [PASSWORD])

    log.info("%d", PASSWORD)

    (line,) = lines(capsys)
    assert "test_logs.py" in line
    assert line.endswith("could not be logged: TypeError")


def test_a_message_can_not_forge_a_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "text", [])

    log.info("name: %s", "x\n2026 ERROR bot: \x1b[31mhacked\u2028")

    (line,) = lines(capsys)
    assert line.endswith(r"name: x\n2026 ERROR bot: \x1b[31mhacked\u2028")


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:11434/api/chat",
        "mail me@example.org, see http://h/?q=a@b",
        "gpt-oss:20b 1.2.3",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.abc.def",
        "0d8863b0621a38dc1dbad86afa11163509e027dc31a844252470146fa373bef4",
        "tests/chat/test_window.py::test_a.b",
    ],
)
def test_harmless_texts_stay_as_they_are(text: str) -> None:
    assert _Redactor(["hunter2"])._text(text) == text


@pytest.mark.parametrize(("first", "second", "third"), [(24, 6, 27), (26, 6, 38), (24, 7, 40)])
def test_tokens_of_every_age_are_known(first: int, second: int, third: int) -> None:
    token = f"M{'T' * (first - 1)}.{'G' * second}.{'-a' * third}"[: first + second + third + 2]

    assert _Redactor([])._text(f"login({token!r})") == "login('[token]')"


@given(before=st.text(), secret=st.text(min_size=4).filter(str.strip), after=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_is_removed_from_any_text(before: str, secret: str, after: str) -> None:
    redacted = _Redactor([secret])._text(f"{before}{secret}{after}")

    assert secret.strip() not in redacted or secret.strip() in f"{before}[secret]{after}"


def test_a_long_text_costs_no_more_than_its_length() -> None:
    """A pattern that tries every start would take minutes for these."""
    redact = _Redactor([])
    begun = time.process_time()

    for text in ("a" * 1_000_000, "a." * 500_000, "http://" * 150_000, "/webhooks/1" * 100_000):
        redact._text(text)

    assert time.process_time() - begun < 10


def _fail(text: str) -> None:
    raise ValueError(text)
