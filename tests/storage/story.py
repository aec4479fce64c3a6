"""What people did with the bot, told to any version of it: each released schema keeps its own copy of it.

Before a release with a new schema, from the project's folder:

    python -m tests.storage.story > tests/storage/schemas/NEWEST_REVISION.sql

`remembered` is what every later version must find in all of these files after migrating them.
"""

import asyncio
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bot.chat.messages import Author, EndReason, Place, Receipt
from bot.chat.scopes import Scope, ScopeKind
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database, open_database
from bot.storage.migrations import migrate
from bot.storage.personas import SqlPersonas
from bot.storage.settings import SqlSettings
from bot.storage.state import SqlState

THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
GUILD, CHANNEL, THREAD = 1_200_000_000_000_000_001, 1_200_000_000_000_000_002, 1_200_000_000_000_000_003
ANNA, BERND = Author(1_200_000_000_000_000_004, "Anna Größe"), Author(1_200_000_000_000_000_005, "Bernd's 🦙")
PLACE = Place(THREAD, GUILD, CHANNEL)
RECEIPT = Receipt(
    "llama3.2:1b",
    "Pirate",
    2,
    {"seed": 7, "temperature": 0.5, "stop": ["\n\n"]},
    digest="sha256:abc",
    prompt_tokens=20,
    answer_tokens=5,
    prompt_estimate=22,
    load_seconds=0.5,
    first_text_seconds=0.75,
    total_seconds=1.5,
)


async def happen(database: Database) -> None:
    """Live through the story."""

    def now() -> datetime:
        return THEN

    settings = SqlSettings(database, now)
    personas = SqlPersonas(database, settings, now)
    await personas.save(GUILD, "Pirate", "You are a pirate.", by=ANNA)
    await personas.save(GUILD, "pirate", "You are a pirate's parrot.", by=BERND)
    channel, server = Scope(ScopeKind.CHANNEL, CHANNEL), Scope(ScopeKind.SERVER, GUILD)
    await settings.change(Scope(ScopeKind.PERSON, ANNA.id), {"quiet": "on"}, guild_id=None, by=ANNA)
    await settings.change(channel, {"persona": "Pirate", "temperature": "0.5"}, guild_id=GUILD, by=ANNA)
    await settings.change(server, {"model": "llama3.2:1b"}, guild_id=GUILD, by=BERND)
    await settings.change(channel, {"temperature": None}, guild_id=GUILD, by=BERND)
    conversations = SqlConversations(database, now)
    for question, answer, reason in (
        ("Ahoy?", "Ahoy!", EndReason.COMPLETE),
        ("Rum?", "", EndReason.FAILED),
        ("Where's the gold?\n```py\nx = '--'\n```", "In the…", EndReason.STOPPED),
    ):
        question_id, answer_id, _ = await conversations.begin(PLACE, ANNA, question)
        await conversations.shown_as(answer_id, 1_300_000_000_000_000_000 + answer_id)
        await conversations.finish(answer_id, answer, reason, RECEIPT, question_tokens=15)
        if reason is EndReason.STOPPED:
            await conversations.move_window(PLACE, question_id)
    await conversations.begin(PLACE, BERND, "Still there?")
    await SqlState(database).set("commands", "digest")


async def remembered(database: Database) -> dict[str, object]:
    """What the bot knows of the story."""
    settings, conversations = SqlSettings(database), SqlConversations(database)
    personas = SqlPersonas(database, settings)
    scopes = [Scope(ScopeKind.PERSON, ANNA.id), Scope(ScopeKind.CHANNEL, CHANNEL), Scope(ScopeKind.SERVER, GUILD)]
    return {
        "settings": await settings.values(scopes),
        "changes": [await settings.changes(scope, limit=10) for scope in scopes],
        "personas": await personas.library(GUILD),
        "branch": await conversations.branch(PLACE),
        "window": await conversations.window(PLACE),
        "count": await conversations.count(PLACE),
        "estimate": await conversations.last_estimate(RECEIPT.model),
        "running": await conversations.interrupt_running(),
        "state": await SqlState(database).get("commands"),
    }


async def _dump(file: Path) -> str:
    async with await open_database(f"sqlite+aiosqlite:///{file}") as database:
        await migrate(database)
        await happen(database)
    connection = sqlite3.connect(file)
    try:
        return "\n".join(connection.iterdump()) + "\n"
    finally:
        connection.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(asyncio.run(_dump(Path(folder, "story.db"))))
