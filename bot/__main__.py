"""`python -m bot`: reads the settings and starts what was asked for."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import deque
from collections.abc import AsyncIterable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

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
"""EX_IOERR of sysexits: the database can't be used, or its backup can't be written."""
EXIT_SETTING = 78
"""EX_CONFIG of sysexits: a setting is missing or wrong."""
EXIT_INTERRUPTED = 130
"""As shells say of what Ctrl+C ended."""

TELL_SECONDS = 2.0
"""Whoever waits for a backup is told this often what it is doing."""

_BESIDE_THE_BOT = {"check", "backup"}
"""Commands that need no token, and whose own words are all that people want to read."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Every expected failure is one sentence on stderr."""
    arguments = _parser().parse_args(argv)
    if arguments.command == "health":
        return 0 if health.is_alive() else EXIT_FAILED
    try:
        return _with_settings(arguments)
    except SettingError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTING
    except StorageError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_DATABASE
    except LlampostError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the log has the traceback, the operator reads a sentence
        sys.stderr.write(f"{explain(error)}\n")
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Llampost: your own Ollama models in your Discord channels.",
        epilog="Exit status: 0 all well, 1 failed, 2 no such command, 74 the database can't be used or its backup "
        "can't be written, 78 a setting is missing or wrong, 130 interrupted.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    commands.add_parser("run", help="run the bot (default)")
    commands.add_parser("migrate", help="only migrate the database")
    commands.add_parser("check", help="check everything that the bot needs")
    backup = commands.add_parser("backup", help="copy the database, also while the bot runs")
    backup.add_argument("file", metavar="FILE", type=Path, help="where the copy goes; must not exist yet")
    commands.add_parser("health", help="tell whether a bot here is alive (for container health checks)")
    parser.set_defaults(command="run")
    return parser


def _with_settings(arguments: argparse.Namespace) -> int:
    command: str = arguments.command
    environment = read_environment()
    settings = read_settings(environment, token_needed=command not in _BESIDE_THE_BOT)
    operator_defaults(environment)
    parse_host(settings.ollama_host)
    secrets = [secret for secret in (settings.discord_token.get_secret_value(),) if secret]
    logs.configure("ERROR" if command in _BESIDE_THE_BOT else settings.log_level, settings.log_format, secrets)
    # Not before the settings are known to be sound: the ollama library reads OLLAMA_HOST while it is being imported.
    from bot import app, doctor  # noqa: PLC0415

    match command:
        case "migrate":
            _run(app.migrate_only(settings))
        case "backup":
            _run(_back_up(settings.database_url, arguments.file))
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


async def _back_up(url: str, file: Path) -> None:
    # health, which runs often, does without them.
    import humanize  # noqa: PLC0415

    from bot.storage.backup import back_up  # noqa: PLC0415

    begun = time.monotonic()
    newest: deque[str] = deque(maxlen=1)
    telling = asyncio.create_task(_tell(newest))
    try:
        made = await back_up(url, file, newest.append)
    finally:
        telling.cancel()
    counts = f"conversations: {made.conversations}, messages: {made.messages}"
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{file}: {humanize.naturalsize(made.size)}, {counts}, {seconds:.1f} seconds\n")


async def _tell(newest: deque[str]) -> NoReturn:
    while True:
        await asyncio.sleep(TELL_SECONDS)
        sys.stderr.write(f"{newest[-1]}\n")


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
