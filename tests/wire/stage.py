"""What the wire tests act on: a loopback Discord, a scripted Ollama, the bot's process, and a line that can be cut."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playground.bot_process import BotProcess
from playground.discord import (
    Actor,
    Asked,
    ChannelHandle,
    Event,
    EventKind,
    GuildHandle,
    LoopbackDiscord,
    Message,
    Settings,
)
from playground.transcript import is_status, last_line
from tests.fake_ollama import MODEL, FakeOllama

PATIENCE = 30.0
"""Seconds for what takes one; the machine may be busy."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One Discord with one server and Anna in it, one Ollama, and a folder for what the bot keeps."""

    discord: LoopbackDiscord
    guild: GuildHandle
    channel: ChannelHandle
    anna: Actor
    ollama: FakeOllama
    ollama_host: str
    folder: Path

    def bot(self, **environment: str) -> BotProcess:
        """A bot that is not started yet."""
        return BotProcess(
            self.discord,
            self.folder,
            ollama_host=self.ollama_host,
            ollama_model=MODEL,
            environment=environment,
            start_timeout=PATIENCE,
        )

    async def run(self, command: str, without: Iterable[str] = (), /, **environment: str) -> Ran:
        """Run one of the bot's commands to its end."""
        left_out = set(without)
        given = {name: value for name, value in self.bot(**environment).environment.items() if name not in left_out}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "playground.launch",
            self.discord.url,
            command,
            cwd=self.folder,
            env=given,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        return Ran(await process.wait(), out.decode(), err.decode())

    def ask(self, prompt: str, **options: object) -> Asked:
        """Anna uses /ask."""
        return self.anna.slash(self.channel, "ask", prompt=prompt, **options)

    def mention(self, text: str) -> Message:
        """Anna mentions the bot."""
        return self.anna.say(self.channel, text, mention_bot=True)

    async def reply_to(self, question: Message, fits: Callable[[Message], object] | None = None) -> Message:
        """A state of the bot's reply to a message; by default the finished one."""
        fits = fits or is_finished
        event = await self.discord.wait_for(
            lambda event: event.message and event.message.reply_to == question.id and fits(event.message),
            timeout=PATIENCE,
        )
        assert event.message
        return event.message

    async def said(self, channel: ChannelHandle, fits: Callable[[Message], object]) -> Message:
        """A state of any of the bot's messages in a channel."""
        event = await self.discord.wait_for(
            lambda event: (
                event.message
                and event.message.channel_id == channel.id
                and event.message.author_id == self.discord.settings.bot_id
                and fits(event.message)
            ),
            timeout=PATIENCE,
        )
        assert event.message
        return event.message

    async def deleted(self, *messages: Message) -> None:
        """Each of these messages is gone."""
        for message in messages:
            await self.discord.wait_for(_deletes(message.id), timeout=PATIENCE)


def _deletes(message_id: int) -> Callable[[Event], bool]:
    return lambda event: bool(
        event.kind is EventKind.MESSAGE_DELETE and event.message and event.message.id == message_id
    )


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that ended."""

    status: int
    out: str
    err: str


@asynccontextmanager
async def staged(folder: Path, settings: Settings | None = None) -> AsyncIterator[Stage]:
    """Set everything up."""
    ollama = FakeOllama()
    async with LoopbackDiscord(settings) as discord, ollama.serving() as host:
        guild = discord.add_guild("Demo")
        yield Stage(discord, guild, guild.add_channel("general"), guild.add_member("Anna"), ollama, host, folder)


async def stored(stage: Stage, count: int, what: str) -> None:
    """So many rows are in the bot's database, FROM a table WHERE something holds.

    Rows come some milliseconds after what they are about can be seen in Discord, and nothing else tells of them.
    """
    async with asyncio.timeout(PATIENCE):
        with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
            while connection.execute(f"SELECT count(*) FROM {what}").fetchone() != (count,):  # noqa: ASYNC110, S608  # our own words
                await asyncio.sleep(0.01)


def is_finished(message: Message) -> bool:
    """Whether the bot writes no more here, however it ended."""
    line = last_line(message)
    return bool(line) and not message.thinking and not is_status(line) and (MODEL in line or "⚠️" in line)


async def answer(asked: Asked) -> Message:
    """The finished answer to a slash command, if it has one page."""
    return await asked.message(is_finished, timeout=PATIENCE)


def shows(text: str) -> Callable[[Message], bool]:
    """Whether a message holds a text."""
    return lambda message: text in message.content


class Held:
    """A model that stops before one of its tokens until it may go on, and knows when nobody listens any more."""

    def __init__(self, ollama: FakeOllama, *, before: int) -> None:
        self._before = before
        self._reached: asyncio.Queue[None] = asyncio.Queue()
        self._go_on = asyncio.Event()
        self._left = asyncio.Event()
        ollama.between = self.hold

    def hold(self, index: int) -> Coroutine[Any, Any, None] | None:
        """For `FakeOllama.between`; the newest one made is put there by itself."""
        return self._wait() if index == self._before else None

    async def _wait(self) -> None:
        self._reached.put_nowait(None)
        try:
            await self._go_on.wait()
        except asyncio.CancelledError:
            self._left.set()
            raise

    async def reached(self) -> None:
        """Once per answer that is held."""
        async with asyncio.timeout(PATIENCE):
            await self._reached.get()

    def go_on(self) -> None:
        """Hold nothing any more."""
        self._go_on.set()

    async def left(self, *, within: float = 5.0) -> None:
        """The stream's other end was closed."""
        async with asyncio.timeout(within):
            await self._left.wait()


class Line:
    """A connection between the bot and Ollama that can be cut, unplugged, and made to carry something else."""

    def __init__(self, host: str) -> None:
        at = urlsplit(host)
        self._there = at.hostname, at.port
        self._server: asyncio.Server | None = None
        self._port = 0
        self._downstream: set[asyncio.StreamWriter] = set()

    @property
    def host(self) -> str:
        """For OLLAMA_HOST."""
        return f"http://127.0.0.1:{self._port}"

    async def plug_in(self, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections, each time on the same port."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port, ssl=tls)
        self._port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """Refuse connections, and cut those that there are."""
        if self._server:
            self._server.close()
            self.cut()
            await self._server.wait_closed()

    def cut(self) -> None:
        """End all connections without a word."""
        for writer in self._downstream:
            writer.transport.abort()

    def inject(self, body: bytes) -> None:
        """Put something into the body of every answer that is being streamed."""
        for writer in self._downstream:
            writer.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._there)
        self._downstream.add(writer)
        ways = [asyncio.create_task(_pump(reader, there_writer)), asyncio.create_task(_pump(there_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._downstream.discard(writer)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.transport.abort()
            there_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def line_to(host: str, *, plugged_in: bool = True) -> AsyncIterator[Line]:
    """A line that is taken away in the end."""
    line = Line(host)
    async with AsyncExitStack() as stack:
        await line.plug_in()
        stack.push_async_callback(line.unplug)
        if not plugged_in:
            await line.unplug()
        yield line


def forgotten(discord: LoopbackDiscord) -> None:
    """An outage after which Discord knows no session any more."""
    discord.gateway.forget_sessions()
    discord.gateway.drop()


def paced(ollama: FakeOllama, *, rate: float) -> None:
    """Let the model write so many tokens a second."""
    ollama.between = lambda _: asyncio.sleep(1 / rate)


def numbered(count: int) -> list[str]:
    """Tokens that can be told apart, so that a lost or a doubled one is found."""
    return [f"w{number:03} " for number in range(count)]


def in_pieces(text: str, length: int) -> list[str]:
    """A text as tokens of so many characters."""
    return [text[at : at + length] for at in range(0, len(text), length)]


def pages(channel: ChannelHandle) -> list[Message]:
    """The bot's public messages in a channel, oldest first."""
    return [one for one in channel.messages() if one.author_id == channel.discord.settings.bot_id]


def frames(discord: LoopbackDiscord, message_id: int) -> list[str]:
    """Every state of a message, in order."""
    kinds = {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE}
    return [
        event.message.content
        for event in discord.events
        if event.kind in kinds and event.message and event.message.id == message_id
    ]
