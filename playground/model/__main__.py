"""`python -m playground.model`: the demo model on a port of this machine, until SIGTERM or SIGINT.

As soon as it serves, one line of JSON goes to stdout: {"host": "http://127.0.0.1:PORT", "model": "smollm2:135m"}.
Everything else goes to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from playground.model.card import ModelCard
from playground.model.download import DownloadError, model_file
from playground.model.engine import Engine, EngineError
from playground.model.gguf import NotAModelError
from playground.model.ollama import application

_LAST_WORDS = 0.3
"""Seconds that answers have to end in, at the end of all."""


def main(arguments: list[str] | None = None) -> int:
    """Serve, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_serve(options))
    except (DownloadError, NotAModelError, EngineError) as wrong:
        sys.stderr.write(f"{wrong}\n")
    except OSError as wrong:
        sys.stderr.write(f"The demo model can't be served: {wrong}.\n")
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    return os.EX_UNAVAILABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m playground.model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="the port; default: any free one")
    parser.add_argument("--model-file", type=Path, metavar="PATH", help="a model in GGUF; default: one is downloaded")
    return parser


async def _serve(options: argparse.Namespace) -> int:
    """Serve until the task is cancelled, which is what every way to end comes down to."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    end = task.cancel if task else loop.stop
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    file = options.model_file or await model_file()
    card, engine = await asyncio.to_thread(lambda: (ModelCard.of(file), Engine(file)))
    # aiohttp takes 0 for "as long as they like".
    runner = web.AppRunner(application(card, engine), handler_cancellation=True, shutdown_timeout=0.05)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", options.port).start()
        print(json.dumps({"host": f"http://127.0.0.1:{runner.addresses[0][1]}", "model": card.name}), flush=True)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        await _close(engine)
    return 0


async def _close(engine: Engine) -> None:
    """End the engine's threads, or else the process with them: a slow machine may read a prompt for long."""
    try:
        async with asyncio.timeout(_LAST_WORDS):
            await asyncio.to_thread(engine.close)
    except TimeoutError:
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
