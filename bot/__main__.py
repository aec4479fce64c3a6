"""`python -m bot`: reads the settings and starts what was asked for."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from bot import health, logs
from bot.chat.parameters import operator_defaults
from bot.config import read_environment, read_settings
from bot.errors import LlampostError, SettingError, StorageError, explain
from bot.llm.address import parse_host

if TYPE_CHECKING:
    from bot.doctor import Finding

_T = TypeVar("_T")

EXIT_FAILED = 1
EXIT_DATABASE = 74
"""EX_IOERR of sysexits: the database can't be used."""
EXIT_SETTING = 78
"""EX_CONFIG of sysexits: a setting is missing or wrong."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Every expected failure is one sentence on stderr."""
    command = _parser().parse_args(argv).command
    if command == "health":
        return 0 if health.is_alive() else EXIT_FAILED
    try:
        return _with_settings(command)
    except SettingError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTING
    except StorageError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_DATABASE
    except LlampostError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001  # the log has the traceback, the operator reads a sentence
        sys.stderr.write(f"{explain(error)}\n")
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Llampost: your own Ollama models in your Discord channels.",
        epilog="Exit status: 0 all well, 1 failed, 74 the database can't be used, 78 a setting is missing or wrong.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="run",
        choices=("run", "migrate", "check", "health"),
        help="run the bot (default); only migrate the database; check everything that it needs; "
        "tell whether a bot here is alive (for container health checks)",
    )
    return parser


def _with_settings(command: str) -> int:
    environment = read_environment()
    settings = read_settings(environment, token_needed=command != "check")
    operator_defaults(environment)
    parse_host(settings.ollama_host)
    secrets = [secret for secret in (settings.discord_token.get_secret_value(),) if secret]
    logs.configure("ERROR" if command == "check" else settings.log_level, settings.log_format, secrets)
    # Not before the settings are known to be sound: the ollama library reads OLLAMA_HOST while it is being imported.
    from bot import app, doctor  # noqa: PLC0415

    match command:
        case "migrate":
            _run(app.migrate_only(settings))
        case "check":
            return _run(_report(doctor.examine(settings)))
        case _:
            _run(app.run(settings, environment))
    return 0


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    """Like asyncio.run, but on uvloop, on which the bot takes less of the processor; Windows has none."""
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop  # noqa: PLC0415  # health, which runs often, does without

    return uvloop.run(work)


async def _report(findings: AsyncIterable[Finding]) -> int:
    status = 0
    async for finding in findings:
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()
        if not finding.ok:
            status = EXIT_FAILED
    return status


if __name__ == "__main__":
    sys.exit(main())
