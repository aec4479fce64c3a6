"""Runs the bot: signals, the database, and Discord again and again while it can't be reached."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import aiohttp
import discord

from bot import health
from bot.assembly import build_model, build_services
from bot.calendar import Calendar
from bot.client import Bot, Services
from bot.config import Settings
from bot.errors import SettingError
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, open_database
from bot.storage.migrations import migrate
from bot.storage.privacy import SqlPrivacy
from bot.storage.settings import SqlSettings
from bot.storage.sole import only_bot

log = logging.getLogger(__name__)

COGS = (
    "cogs.chat",
    "cogs.gone",
    "cogs.catching_up",
    "cogs.answers",
    "cogs.persona",
    "cogs.settings",
    "cogs.models",
    "cogs.history",
    "cogs.limits",
    "cogs.privacy",
    "cogs.thoughts",
    "cogs.details",
    "cogs.quoting",
    "cogs.threads",
)

STOPPING = (signal.SIGTERM, signal.SIGINT)
"""Signals that tell the bot to stop."""

FIRST_RETRY = 2.0
LONGEST_RETRY = 60.0
"""Seconds between two attempts to reach Discord; each is twice the one before."""

REFUSED = "DISCORD_TOKEN is refused by Discord: copy it again from the developer portal, under Bot > Reset Token."
CLOSED = {
    4004: REFUSED,
    4011: (
        "DISCORD_TOKEN is of a bot in more servers than Discord lets one connection serve (2,500), "
        "and this bot has one only: take it out of some, or run it as another application."
    ),
}
"""Why Discord closed the gateway, by its codes for what no second try mends."""

LOCKS_END = 7.0
"""Seconds after which a bot that is being stopped waits for no lock on the database: the last words come after that."""


def build_bot(settings: Settings, services: Services) -> Bot:
    """The bot, not yet connected."""
    return Bot(services=services, cogs=COGS, message_content=settings.message_content_intent)


async def migrate_only(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    async with await open_database(settings.database_url) as database:
        await database.check()
        result = await migrate(database)
    log.info("The database is at schema %s (it was %s)", result.new, result.old or "blank")


async def run(settings: Settings, environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises SettingError where Discord refuses the token or an intent, StorageError where the database can't be used.
    """
    with _told_to_stop() as stopping:
        await _run(settings, environment, stopping)
    log.info("Stopped")


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """Is set by the signals that tell the bot to stop; further ones change nothing until the process has ended."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(stopping.set)

    # Not `loop.add_signal_handler`: when the loop closes, it gives the signals their defaults back, and one that comes
    # then kills the process before it could say that all is well.
    for number in STOPPING:
        signal.signal(number, stop)
    try:
        yield stopping
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)


async def _run(settings: Settings, environment: Mapping[str, str], stopping: asyncio.Event) -> None:
    async with build_model(settings) as model, await open_database(settings.database_url) as database:
        with only_bot(database.file):
            calendar = Calendar()

            def new_bot() -> Bot:
                # Its services are its own: they end with it, and take no more questions then.
                services = build_services(
                    settings, database=database, model=model, environment=environment, calendar=calendar
                )
                return build_bot(settings, services)

            if await _prepared(database, stopping):
                await _serve(settings, new_bot, stopping, database)


async def _prepared(database: Database, stopping: asyncio.Event) -> bool:
    """Bring the database into order; False where the bot is told to stop meanwhile."""
    preparing = asyncio.create_task(_prepare(database))
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({preparing, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if preparing.done():
        await preparing
        return True
    database.hurry(0)
    preparing.cancel()
    await asyncio.gather(preparing, return_exceptions=True)
    return False


async def _prepare(database: Database) -> None:
    await database.check()
    await migrate(database)
    await SqlConversations(database).purge()
    await SqlPrivacy(database, SqlSettings(database)).finish_deleting()


async def _serve(settings: Settings, new_bot: Callable[[], Bot], stopping: asyncio.Event, database: Database) -> None:
    """Connect, again and again while Discord can't be reached, until told to stop."""
    stop = asyncio.create_task(stopping.wait())
    retry = FIRST_RETRY
    try:
        while not stopping.is_set():
            bot = new_bot()
            connected = asyncio.create_task(_connected(bot, settings.discord_token.get_secret_value()))
            await asyncio.wait({connected, stop}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.is_set():
                database.hurry(LOCKS_END)
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
        raise SettingError(REFUSED) from error
    except discord.ConnectionClosed as error:
        if (sentence := CLOSED.get(error.code)) is None:
            raise
        raise SettingError(sentence) from error
    except discord.PrivilegedIntentsRequired as error:
        raise SettingError(
            "MESSAGE_CONTENT_INTENT is true, but the intent is switched off in Discord's developer portal: "
            "switch it on there, under Bot > Message Content Intent, or set the variable to false."
        ) from error
    finally:
        heartbeat.cancel()
