"""`python -m bot check`: says of everything that the bot needs, in one line each, how it is and what helps."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import discord

from bot.assembly import build_model
from bot.calendar import Calendar
from bot.chat.models import same_model
from bot.config import Settings
from bot.delivery.calls import trace
from bot.errors import DatabaseMissing, LlampostError, SettingError
from bot.llm.ollama import OllamaModel
from bot.storage.database import open_database
from bot.storage.migrations import schema_state

log = logging.getLogger(__name__)

_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    ok: bool
    words: str
    """How it is; where it is not well also what helps."""

    def __str__(self) -> str:
        """The line."""
        return f"{'ok  ' if self.ok else 'FAIL'}  {self.subject}: {self.words}"


async def examine(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Every finding, one after the other."""
    async for finding in _discord(settings):
        yield finding
    try:
        model = build_model(settings)
    except SettingError as error:
        yield Finding("Ollama", ok=False, words=str(error))
    else:
        async with model:
            async for finding in _ollama(settings, model):
                yield finding
    yield await _guarded("Database", lambda: _database(settings))


async def _discord(settings: Settings) -> AsyncGenerator[Finding, None]:
    if not settings.discord_token.get_secret_value():
        cure = "DISCORD_TOKEN is not set. Put your bot's token into the file .env, a copy of .env.example; see README."
        yield Finding("Discord token", ok=False, words=cure)
        return
    calendar = Calendar()
    client = discord.Client(intents=discord.Intents(guilds=True), http_trace=trace(calendar.heard))
    try:
        await client.login(settings.discord_token.get_secret_value())
    except discord.LoginFailure:
        cure = "Discord refuses DISCORD_TOKEN. Copy it again from the developer portal, under Bot > Reset Token."
        yield Finding("Discord token", ok=False, words=cure)
        return
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.debug("Discord can't be reached", exc_info=error)
        cure = "Discord can't be reached. Check this machine's connection, DNS and firewall, then try again."
        yield Finding("Discord token", ok=False, words=cure)
        return
    finally:
        await client.close()
    yield Finding("Discord token", ok=True, words=f"accepted, the bot is {client.user}")
    yield _intents(settings, client.application)
    if complaint := calendar.complaint:
        yield Finding("Clock", ok=False, words=complaint)


def _intents(settings: Settings, application: discord.AppInfo | None) -> Finding:
    flags = application.flags if application else discord.ApplicationFlags()
    granted = flags.gateway_message_content or flags.gateway_message_content_limited
    if settings.message_content_intent and not granted:
        cure = (
            "MESSAGE_CONTENT_INTENT is true, but the intent is off at Discord. Switch it on in the developer portal, "
            "under Bot > Message Content Intent, or set the variable to false."
        )
        return Finding("Discord intents", ok=False, words=cure)
    if settings.message_content_intent:
        return Finding("Discord intents", ok=True, words="Message Content is granted")
    return Finding("Discord intents", ok=True, words="none needed; replies count when their ping is on")


async def _ollama(settings: Settings, model: OllamaModel) -> AsyncGenerator[Finding, None]:
    try:
        version = await model.version()
    except LlampostError:
        yield Finding("Ollama", ok=False, words=f"no answer at {model.address}.{_docker_advice(model.address)}")
        return
    yield Finding("Ollama", ok=True, words=f"version {version} answers at {model.address}")
    yield await _guarded("Default model", lambda: _default_model(settings, model))


def _docker_advice(address: str) -> str:
    """The usual mistake: inside a container 127.0.0.1 is the container, not the machine."""
    if urlsplit(address).hostname not in {"127.0.0.1", "localhost", "::1"}:
        return ""
    inside = any(mark.exists() for mark in _CONTAINER_MARKS)
    begin = "The bot runs in a container, where" if inside else "If the bot runs in a container:"
    return (
        f" {begin} this address means the container itself. Set OLLAMA_HOST to http://ollama:11434 "
        "(a service named ollama in compose.yaml) or http://host.docker.internal:11434 (Ollama on the machine itself, "
        "started with OLLAMA_HOST=0.0.0.0)."
    )


async def _default_model(settings: Settings, model: OllamaModel) -> Finding:
    name = settings.ollama_model
    models = await model.models()
    if any(same_model(known.name, name) for known in models):
        return Finding("Default model", ok=True, words=f"{name} is there")
    there = ", ".join(known.name for known in models) or "none"
    cure = f"{name} is not there. Run `ollama pull {name}`, or set OLLAMA_MODEL to one that is: {there}."
    return Finding("Default model", ok=False, words=cure)


async def _database(settings: Settings) -> Finding:
    try:
        async with await open_database(settings.database_url, create=False) as database:
            await database.check()
            await database.ping()
            state = await schema_state(database)
    except DatabaseMissing:
        return Finding("Database", ok=True, words="not there yet; the first start makes it")
    if state.current is None:
        return Finding("Database", ok=True, words="writable and still blank; the first start fills it")
    if not state.is_newest:
        cure = f"writable, but at schema {state.current}. Run `python -m bot migrate` (every start does it too)."
        return Finding("Database", ok=False, words=cure)
    return Finding("Database", ok=True, words=f"writable, at the newest schema {state.newest}")


async def _guarded(subject: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except LlampostError as error:
        return Finding(subject, ok=False, words=str(error))
