"""`python -m playground.ask "PROMPT"`: one question to the real bot in a simulated Discord, edit by edit."""

import argparse
import asyncio
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from playground.bot_process import BotFailedError, BotProcess
from playground.discord import Actor, ChannelHandle, Event, EventKind, LoopbackDiscord, Message, Settings, Watch
from playground.discord.errors import RefusedByClientError
from playground.model import serving
from playground.model.choice import NoModelError
from playground.model.download import DownloadError
from playground.model.process import ModelFailedError
from playground.model.serving import Served
from playground.terminal import say, tell, telling
from playground.transcript import Transcript, failed, is_footer, is_status, last_line

_FAILED = 1
_INTERRUPTED = 130
_REPEAT = 5.0
# An answer without a footer, such as an error, is taken for whole when nothing has changed for so long.
_QUIET = 4.0
_GIVE_UP = 300.0
_LOG_LINES = 20
_SHOWN = (EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, ask, and return the exit code."""
    options = parser().parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except (NoModelError, DownloadError) as missing:
        sys.stderr.write(f"{missing}\n")
        return os.EX_UNAVAILABLE
    except RefusedByClientError as refusal:
        sys.stderr.write(f"Discord would not send this: {refusal}\n")
        return _FAILED
    except (BotFailedError, ModelFailedError) as failure:
        sys.stderr.write(f"{failure}\n")
        return _FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("Stopped.\n")
        return _INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m playground.ask", description=__doc__)
    parser.add_argument("prompt", help="the question")
    parser.add_argument("--persona", help="the persona that answers")
    parser.add_argument("--private", action="store_true", help="ask for an answer that only the asker sees")
    serving.add_options(parser)
    return parser


async def _run(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task:
        # A bot that is left alone would try to reconnect for ever.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with telling("Looking for Ollama"):
        choice = await serving.chosen(options)
    with tempfile.TemporaryDirectory(prefix="llampost-") as name:
        folder = Path(name)
        async with serving.served(choice, folder) as model:
            return await ask_in(folder, model, options)


async def ask_in(folder: Path, model: Served, options: argparse.Namespace) -> int:
    """Ask a bot that keeps its data in `folder`."""
    async with LoopbackDiscord(Settings(token=secrets.token_urlsafe(32))) as discord:
        guild = discord.add_guild("Demo")
        general, anna = guild.add_channel("general"), guild.add_member("Anna")
        bot = BotProcess(discord, folder, ollama_host=model.host, ollama_model=model.model, environment=model.settings)
        async with telling("Starting the bot"):
            await bot.start()
        try:
            return await _ask(discord, general, anna, bot, options)
        finally:
            async with telling("Stopping the bot"):
                await bot.stop()


async def _ask(
    discord: LoopbackDiscord,
    channel: ChannelHandle,
    anna: Actor,
    bot: BotProcess,
    options: argparse.Namespace,
) -> int:
    model = bot.environment["OLLAMA_MODEL"]
    given = {"prompt": options.prompt, "persona": options.persona, "private": options.private or None}
    say(f"Anna in #{channel.model.name}: /ask {options.prompt}   (model {model})")
    transcript = Transcript()
    messages: dict[int, Message] = {}
    started = last = time.monotonic()
    async with discord.watch() as events:
        anna.slash(channel, "ask", **{name: value for name, value in given.items() if value is not None})
        async with aclosing(_frames(events, bot, model, discord.settings.bot_id)) as frames:
            async for message, at in frames:
                messages[message.id] = message
                last = at
                say(*(f"{at - started:7.2f} s  {line}" for line in transcript.lines(message)))
    answer = [messages[one] for one in sorted(messages)]
    say("", *(message.content for message in answer), "")
    seconds = f"{last - started:.1f} s, {transcript.edits} edits, {discord.rate_limit_hits} rate-limit hits"
    if failed(answer) or not answer or discord.unknown_routes:
        say(f"failed after {seconds}", *discord.unknown_routes, *bot.log().splitlines()[-_LOG_LINES:])
        return _FAILED
    say(f"done in {seconds}")
    return 0


async def _frames(
    events: Watch, bot: BotProcess, model: str, bot_id: int
) -> AsyncGenerator[tuple[Message, float], None]:
    """Yield each state of the bot's messages with its time, until the answer is whole or the bot is gone."""
    newest: Message | None = None
    waited = 0.0
    gone = asyncio.create_task(bot.exited())
    coming = asyncio.create_task(_next(events))
    try:
        while True:
            patience = _REPEAT if newest is None or _goes_on(newest) else _QUIET
            done, _ = await asyncio.wait({coming, gone}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if coming in done:
                event = coming.result()
                coming = asyncio.create_task(_next(events))
                if event.message and event.kind in _SHOWN and event.message.author_id == bot_id:
                    newest, waited = event.message, 0.0
                    yield newest, event.at
                    if is_footer(last_line(newest), model):
                        return
            elif gone in done:
                raise BotFailedError(bot.told(f"The bot ended with exit code {gone.result()}."))
            elif newest and not _goes_on(newest):
                return
            else:
                waited += patience
                _wait_on(bot, waited)
    finally:
        gone.cancel()
        coming.cancel()
        await asyncio.gather(gone, coming, return_exceptions=True)


async def _next(events: Watch) -> Event:
    return await anext(events)


def _wait_on(bot: BotProcess, waited: float) -> None:
    if waited >= _GIVE_UP:
        raise BotFailedError(bot.told(f"Nothing new for {_GIVE_UP:.0f} s."))
    tell(f"Waiting for the answer… {waited:.0f} s")


def _goes_on(message: Message) -> bool:
    return message.thinking or is_status(last_line(message))


if __name__ == "__main__":
    sys.exit(main())
