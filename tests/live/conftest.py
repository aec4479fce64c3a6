"""The whole bot with a real model: its process on a loopback Discord, a recording proxy between it and Ollama."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import NoReturn

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from bot.chat.models import same_model
from playground.bot_process import BotProcess
from playground.discord import Actor, Asked, ChannelHandle, GuildHandle, LoopbackDiscord, Message, Permission
from playground.model.choice import NoModelError, find_model
from playground.model.exchange import Exchange
from playground.model.tap import Tap
from playground.transcript import is_status, last_line

HOST = os.environ.get("OLLAMA_HOST") or "http://127.0.0.1:11434"
MODEL = os.environ.get("OLLAMA_MODEL") or "smollm2:135m"
REQUIRED = os.environ.get("LLAMPOST_LIVE") == "required"
PATIENCE = 120.0
"""Seconds for an answer; the machine may be slow, and others may use the model."""


@dataclass(frozen=True, slots=True)
class Class:
    """Where lessons take place: Anna may manage the channels, and each lesson has a fresh one."""

    discord: LoopbackDiscord
    guild: GuildHandle
    anna: Actor
    bot: BotProcess
    tap: Tap
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

    @property
    def last(self) -> Exchange:
        """What the model was asked last."""
        return self.tap.exchanges[-1]

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


async def said(lesson: Class, fits: Callable[[Message], object]) -> Message:
    """A state of any message of the bot's in the lesson's channel."""
    event = await lesson.discord.wait_for(
        lambda event: event.message and event.message.channel_id == lesson.channel.id and fits(event.message),
        timeout=PATIENCE,
    )
    assert event.message
    return event.message


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
    async with LoopbackDiscord() as discord, Tap(found.host) as tap:
        if not any(same_model(name, MODEL) for name in await _models(tap.url)):
            _absent(f"The Ollama at {HOST} has no model {MODEL}; get it with `ollama pull {MODEL}`.")
        guild = discord.add_guild("School")
        anna = guild.add_member("Anna", permissions=Permission.MANAGE_CHANNELS)
        folder = tmp_path_factory.mktemp("bot")
        async with BotProcess(discord, folder, ollama_host=tap.url, ollama_model=MODEL) as bot:
            yield Class(discord, guild, anna, bot, tap, guild.add_channel("general"))
        assert discord.rate_limit_hits == 0
        assert discord.unknown_routes == []


async def _models(host: str) -> list[str]:
    async with ClientSession() as session, session.get(f"{host}/api/tags") as answer:
        return [model["name"] for model in (await answer.json())["models"]]


@pytest.fixture
def lesson(whole_class: Class) -> Class:
    return whole_class.in_a_fresh_channel()
