"""The whole bot with a real model: its process on a loopback Discord, a recording proxy between it and Ollama."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientTimeout, web

from bot.chat.models import same_model
from playground.bot_process import BotProcess
from playground.discord import Actor, Asked, ChannelHandle, GuildHandle, LoopbackDiscord, Message, Permission
from playground.model.choice import NoModelError, find_model
from playground.transcript import is_status, last_line

HOST = os.environ.get("OLLAMA_HOST") or "http://127.0.0.1:11434"
MODEL = os.environ.get("OLLAMA_MODEL") or "smollm2:135m"
REQUIRED = os.environ.get("LLAMPOST_LIVE") == "required"
PATIENCE = 120.0
"""Seconds for an answer; the machine may be slow, and others may use the model."""


class Recorder:
    """Passes every request on to Ollama as it is, and keeps what the model was asked."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.asked: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        """Set when the bot leaves a stream before its end."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port; yields the address for OLLAMA_HOST."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path == "/api/chat":
            self.asked.append(json.loads(body))
        async with (
            ClientSession(timeout=ClientTimeout(total=None)) as session,
            session.request(request.method, self._host + request.path, data=body) as answer,
        ):
            response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            except (asyncio.CancelledError, ConnectionError):
                # Leaving the block closes the connection to Ollama too, which frees the model.
                self.left.set()
                raise
        return response


@dataclass(frozen=True, slots=True)
class Class:
    """Where lessons take place: Anna may manage the channels, and each lesson has a fresh one."""

    discord: LoopbackDiscord
    guild: GuildHandle
    anna: Actor
    bot: BotProcess
    ollama: Recorder
    channel: ChannelHandle

    def in_a_fresh_channel(self) -> Class:
        """The same people where nothing is set and nothing remembered."""
        return replace(self, channel=self.guild.add_channel("lesson"))

    async def set(self, **parameters: object) -> None:
        """Anna sets parameters of this channel."""
        for name, value in parameters.items():
            asked = self.anna.slash(self.channel, "settings set", parameter=name, value=str(value))
            assert f"`{name}` is **" in (await asked.message()).content

    def ask(self, prompt: str, **options: object) -> Asked:
        """Anna uses /ask."""
        return self.anna.slash(self.channel, "ask", prompt=prompt, **options)

    async def answer(self, prompt: str, **options: object) -> str:
        """The text of an answer that has one page."""
        return text_of(await finished(self.ask(prompt, **options)))


def is_finished(message: Message) -> bool:
    """Whether the bot writes no more here."""
    return MODEL in last_line(message) and not is_status(last_line(message))


async def finished(asked: Asked) -> Message:
    """The whole answer."""
    return await asked.message(is_finished, timeout=PATIENCE)


def text_of(message: Message) -> str:
    """What the model wrote."""
    assert "⚠️" not in message.content, message.content
    return "\n".join(line for line in message.content.splitlines() if not line.startswith("-# "))


def states(discord: LoopbackDiscord, fits: Callable[[Message], bool]) -> list[Message]:
    """All states of a message, in order."""
    return [event.message for event in discord.events if event.message and fits(event.message)]


def _absent(why: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(f"LLAMPOST_LIVE=required, but: {why}")
    pytest.skip(why)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole_class(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Class]:
    """One bot for all lessons."""
    try:
        found = await find_model(HOST, None)
    except NoModelError as error:
        _absent(str(error))
    ollama = Recorder(found.host.rstrip("/"))
    async with LoopbackDiscord() as discord, ollama.serving() as host:
        if not any(same_model(name, MODEL) for name in await _models(host)):
            _absent(f"The Ollama at {HOST} has no model {MODEL}; get it with `ollama pull {MODEL}`.")
        guild = discord.add_guild("School")
        anna = guild.add_member("Anna", permissions=Permission.MANAGE_CHANNELS)
        folder = tmp_path_factory.mktemp("bot")
        async with BotProcess(discord, folder, ollama_host=host, ollama_model=MODEL) as bot:
            yield Class(discord, guild, anna, bot, ollama, guild.add_channel("general"))
        assert discord.rate_limit_hits == 0
        assert discord.unknown_routes == []


async def _models(host: str) -> list[str]:
    async with ClientSession() as session, session.get(f"{host}/api/tags") as answer:
        return [model["name"] for model in (await answer.json())["models"]]


@pytest.fixture
def lesson(whole_class: Class) -> Class:
    return whole_class.in_a_fresh_channel()
