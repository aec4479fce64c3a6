"""The only place that builds concrete parts and puts them together."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import discord

from bot import health
from bot.chat.assistant import Assistant
from bot.chat.display import Displays
from bot.chat.history import History
from bot.chat.memory import ConversationStore
from bot.chat.model import LanguageModel
from bot.chat.models import Models
from bot.chat.parameters import operator_defaults
from bot.chat.personas import Personas
from bot.chat.preferences import Preferences
from bot.chat.profiles import Profiles
from bot.chat.turns import Turns
from bot.client import Bot, Services
from bot.config import Settings
from bot.delivery.budgets import Budgets
from bot.delivery.calls import Caller
from bot.delivery.deliveries import Deliveries
from bot.delivery.live_answer import PLACEHOLDER_AFTER
from bot.errors import SettingError
from bot.files.reader import FileReader
from bot.llm.ollama import OllamaModel, TimeLimits, connect
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, open_database
from bot.storage.migrations import migrate
from bot.storage.open_messages import SqlOpenMessages
from bot.storage.personas import SqlPersonas
from bot.storage.settings import SqlSettings
from bot.storage.state import SqlState
from bot.ui.attachments import Attachments

log = logging.getLogger(__name__)

COGS = ("cogs.chat", "cogs.gone", "cogs.persona", "cogs.settings", "cogs.models", "cogs.history")

FIRST_RETRY = 2.0
LONGEST_RETRY = 60.0
"""Seconds between two attempts to reach Discord; each is twice the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds without a word from the model: until a placeholder is shown, and until people are told what goes on."""

    placeholder_after: float = PLACEHOLDER_AFTER
    patience: float = 2.0


USUAL_TIMING = Timing()


def build_model(settings: Settings) -> OllamaModel:
    """The Ollama server of the settings. Raises SettingError for an address that is none."""
    limits = TimeLimits(first=settings.ollama_first_token_timeout, between=settings.ollama_stall_timeout)
    return connect(settings.ollama_host, limits)


def build_services(
    settings: Settings,
    *,
    database: Database,
    model: LanguageModel,
    environment: Mapping[str, str],
    budgets: Budgets | None = None,
    timing: Timing = USUAL_TIMING,
) -> Services:
    """Everything that cogs call, on these parts. Raises SettingError for a wrong default of a parameter."""
    memory, open_messages = SqlConversations(database), SqlOpenMessages(database)
    stored = SqlSettings(database)
    personas = Personas(SqlPersonas(database, stored))
    displays = Displays(settings=stored, max_messages=settings.max_answer_messages)
    defaults = operator_defaults(environment)
    profiles = Profiles(settings=stored, personas=personas, model=settings.ollama_model, defaults=defaults)
    assistant = _build_assistant(settings, model, profiles, memory, timing)
    return Services(
        deliveries=Deliveries(
            assistant=assistant,
            display=displays.resolve,
            memory=memory,
            open_messages=open_messages,
            placeholder_after=timing.placeholder_after,
        ),
        caller=Caller(budgets or Budgets()),
        profiles=profiles,
        displays=displays,
        preferences=Preferences(settings=stored, personas=personas),
        personas=personas,
        models=Models(model=model, pull_allowed=settings.ollama_pull_allow),
        history=History(memory),
        memory=memory,
        open_messages=open_messages,
        state=SqlState(database),
        attachments=_build_attachments(settings),
        num_ctx=settings.ollama_num_ctx,
    )


def _build_attachments(settings: Settings) -> Attachments:
    reader = FileReader(max_text_bytes=settings.max_file_bytes)
    return Attachments(reader=reader, max_text_bytes=settings.max_file_bytes)


def _build_assistant(
    settings: Settings, model: LanguageModel, profiles: Profiles, memory: ConversationStore, timing: Timing
) -> Assistant:
    return Assistant(
        model=model,
        profiles=profiles,
        memory=memory,
        turns=Turns(parallel=settings.max_parallel_answers, waiting=settings.max_waiting_questions),
        num_ctx=settings.ollama_num_ctx,
        patience=timing.patience,
    )


def build_bot(settings: Settings, services: Services) -> Bot:
    """The bot, not yet connected."""
    return Bot(services=services, cogs=COGS, message_content=settings.message_content_intent)


async def migrate_only(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    async with await open_database(settings.database_url) as database:
        result = await migrate(database)
    log.info("The database is at schema %s (it was %s)", result.new, result.old or "blank")


async def run(settings: Settings, environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises SettingError where Discord refuses the token or an intent, StorageError where the database can't be used.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with build_model(settings) as model, await open_database(settings.database_url) as database:
        await migrate(database)
        await SqlConversations(database).purge()

        def new_bot() -> Bot:
            # Its services are its own: they end with it, and take no more questions then.
            services = build_services(settings, database=database, model=model, environment=environment)
            return build_bot(settings, services)

        await _serve(settings, new_bot, stopping)
    log.info("Stopped")


async def _serve(settings: Settings, new_bot: Callable[[], Bot], stopping: asyncio.Event) -> None:
    """Connect, again and again while Discord can't be reached, until told to stop."""
    stop = asyncio.create_task(stopping.wait())
    retry = FIRST_RETRY
    try:
        while not stopping.is_set():
            bot = new_bot()
            connected = asyncio.create_task(_connected(bot, settings.discord_token.get_secret_value()))
            await asyncio.wait({connected, stop}, return_when=asyncio.FIRST_COMPLETED)
            await bot.close()
            if stopping.is_set():
                # discord.py may be sleeping before its next try to connect.
                connected.cancel()
                await asyncio.gather(connected, return_exceptions=True)
                return
            try:
                await connected
                retry = FIRST_RETRY
            except (OSError, aiohttp.ClientError, discord.DiscordServerError, discord.GatewayNotFound) as error:
                log.warning("Discord can't be reached (%s). Trying again in %.0f s.", _reason(error), retry)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), retry)
                retry = min(retry * 2, LONGEST_RETRY)
    finally:
        stop.cancel()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _connected(bot: Bot, token: str) -> None:
    heartbeat = asyncio.create_task(health.beat(lambda: bot.is_ready() and not bot.is_closed()))
    try:
        await bot.start(token)
    except discord.LoginFailure as error:
        raise SettingError(
            "DISCORD_TOKEN is refused by Discord: copy it again from the developer portal, under Bot > Reset Token."
        ) from error
    except discord.PrivilegedIntentsRequired as error:
        raise SettingError(
            "MESSAGE_CONTENT_INTENT is true, but the intent is switched off in Discord's developer portal: "
            "switch it on there, under Bot > Message Content Intent, or set the variable to false."
        ) from error
    finally:
        heartbeat.cancel()
