"""`python -m playground.demo`: the real bot in a browser, in a simulated Discord, with a tiny model where no Ollama is.

Everything is kept in one folder, so that the next start goes on where this one ended.
"""

import argparse
import asyncio
import errno
import os
import secrets
import signal
import socket
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from playground.bot_process import BotFailedError, BotProcess
from playground.discord import Intent, LoopbackDiscord, Settings
from playground.discord.keeper import Keeper
from playground.discord.snapshot import Snapshot, UnreadableSnapshotError
from playground.home import Home, HomeTakenError
from playground.model import serving
from playground.model.choice import NoModelError
from playground.model.download import DownloadError
from playground.model.process import ModelFailedError
from playground.model.serving import Served
from playground.model.tap import Tap
from playground.page import About, Page
from playground.page.gauges import Gauges
from playground.scene import furnish
from playground.supervisor import Supervisor
from playground.terminal import say, telling

_FOLDER = Path("data") / "demo"
_PORT = 8765
_LARGEST_PORT = 65535
_FAILED = 1
# Ctrl+C ends the demo within two seconds: a bot in the middle of an answer is killed, and mends it when it is back.
_BOT_MAY_TAKE = 1.2


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, run the demo until Ctrl+C, and return the exit code."""
    options = parser().parse_args(arguments)
    try:
        asyncio.run(_run(options))
    except (NoModelError, DownloadError) as missing:
        sys.stderr.write(f"{missing}\n")
        return os.EX_UNAVAILABLE
    except (HomeTakenError, ModelFailedError, BotFailedError, OSError) as failure:
        sys.stderr.write(f"{failure}\n")
        return _FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("Stopped.")
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m playground.demo", description=__doc__)
    serving.add_options(parser)
    parser.add_argument("--port", type=_port, default=_PORT, help=f"the port of the page; default: {_PORT}")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help=f"where all is kept; default: {_FOLDER}")
    parser.add_argument("--fresh", action="store_true", help="forget what was kept, and begin anew")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    return parser


def _ends() -> Iterator[signal.Signals]:
    """Ctrl+C, an operator, and a terminal window that is closed, unless nohup is to keep us going then."""
    yield from (signal.SIGINT, signal.SIGTERM)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 (any free one) to {_LARGEST_PORT}, not {text}")
    return number


async def _run(options: argparse.Namespace) -> None:
    task = asyncio.current_task()
    if task:
        for number in _ends():
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    home = Home(options.folder.absolute())
    with home.taken(fresh=options.fresh):
        async with AsyncExitStack() as stack:
            async with telling("Looking for Ollama"):
                choice = await serving.chosen(options)
            model = await stack.enter_async_context(serving.served(choice, home.folder))
            page = await _open(stack, home, model, options.port)
            home.remember(url=page.url, token=page.token)
            say(_of_the_model(model), f"Open {page.url}", f"Ctrl+C ends it; everything is kept in {options.folder}.")
            if not options.no_browser and _has_screen():
                await asyncio.to_thread(webbrowser.open, page.url)
            await asyncio.Event().wait()


async def _open(stack: AsyncExitStack, home: Home, model: Served, port: int) -> Page:
    """Start everything behind the page, and then the page; `stack` ends it all in the opposite order."""
    # A token that others know would let any page in the browser log in as the bot, and read along.
    # The bot may read what a question replies to, as with the intent that people can switch on.
    settings = Settings(token=secrets.token_urlsafe(32), privileged_intents=Intent.MESSAGE_CONTENT)
    discord = await stack.enter_async_context(LoopbackDiscord(settings))
    await stack.enter_async_context(Keeper(discord, _furnished(discord, home)))
    tap = await stack.enter_async_context(Tap(model.host))
    bot = BotProcess(
        discord,
        home.folder,
        ollama_host=tap.url,
        ollama_model=model.model,
        environment={**model.settings, "MESSAGE_CONTENT_INTENT": "true"},
        stop_timeout=_BOT_MAY_TAKE,
    )
    supervisor = Supervisor(bot, cut=discord.cut_off, report=say)
    stack.push_async_callback(supervisor.stop)
    async with telling("Starting the bot"):
        await supervisor.start()
    about = About(model.model, model.embedded, _of_the_model(model))
    gauges = Gauges(discord, tap)
    page = Page(discord, about=about, bot=supervisor, gauges=gauges, port=_usable(port), token=home.token())
    return await stack.enter_async_context(page)


def _furnished(discord: LoopbackDiscord, home: Home) -> Snapshot:
    """Let the team be as it was, or begin with a new one."""
    snapshot = Snapshot(home.discord)
    try:
        known = snapshot.restore(discord)
    except UnreadableSnapshotError as damaged:
        say(str(damaged))
        known = False
    if not known:
        furnish(discord)
    return snapshot


def _usable(port: int) -> int:
    """Return the port, or 0 for any other where another program has it."""
    with socket.socket() as probe:
        # As the server will: connections of an earlier demo that are not quite over are no reason to move.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as failure:
            if failure.errno != errno.EADDRINUSE:
                raise
            say(f"Port {port} is taken by another program, so the page gets another one.")
            return 0
    return port


def _of_the_model(model: Served) -> str:
    if model.file:
        return f"The model {model.model} of {model.file.name} answers here."
    if model.embedded:
        habits = "it is quick, makes things up, and often ignores its persona"
        return f"A tiny demo model answers here, {model.model}: {habits}."
    return f'The model {model.model} of your Ollama answers here; make demo ARGS="--model NAME" takes another one.'


def _has_screen() -> bool:
    """Whether a browser can open a window: one that runs in the terminal would take it over."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
