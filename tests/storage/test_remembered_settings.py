"""Settings are read from the database once, and are never other than what is stored there."""

import asyncio
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from bot.chat.messages import Author
from bot.chat.scopes import Scope, ScopeKind
from bot.errors import StorageError
from bot.storage import settings as module
from bot.storage.database import Database
from bot.storage.personas import SqlPersonas
from bot.storage.settings import SqlSettings

ANNA = Author(1, "Anna")
CHANNEL, SERVER = Scope(ScopeKind.CHANNEL, 10), Scope(ScopeKind.SERVER, 7)


@pytest.fixture
def settings(database: Database) -> SqlSettings:
    return SqlSettings(database)


@pytest.fixture
def statements(database: Database) -> list[str]:
    """Whatever is executed, from now on."""
    noted: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        noted.append(statement)

    sa.event.listen(database._engine, "before_cursor_execute", note)
    return noted


async def model(settings: SqlSettings) -> str | None:
    found = (await settings.values([CHANNEL])).get(CHANNEL, {}).get("model")
    return None if found is None else found.value


async def choose(settings: SqlSettings, value: str | None) -> None:
    await settings.change(CHANNEL, {"model": value}, guild_id=7, by=ANNA)


async def test_a_scope_is_read_once_whether_it_has_settings_or_not(
    settings: SqlSettings, statements: list[str]
) -> None:
    await choose(settings, "a")
    first = await settings.values([CHANNEL, SERVER])
    statements.clear()
    assert await settings.values([CHANNEL, SERVER]) == await settings.values([SERVER, CHANNEL]) == first
    assert statements == []


async def test_a_change_is_seen_at_once(settings: SqlSettings) -> None:
    seen = []
    for value in ("a", "b", None, "c"):
        await choose(settings, value)
        seen.append(await model(settings))
    assert seen == ["a", "b", None, "c"]


async def test_a_change_that_fails_leaves_what_was_stored(settings: SqlSettings, database: Database) -> None:
    await choose(settings, "a")
    assert await model(settings) == "a"
    full = sa.text("PRAGMA max_page_count = 1")
    await database.write(lambda connection: connection.execute(full))
    with pytest.raises(StorageError):
        await choose(settings, "b" * 100_000)
    assert await model(settings) == "a"


async def test_a_deleted_persona_is_chosen_nowhere_any_more(settings: SqlSettings, database: Database) -> None:
    personas = SqlPersonas(database, settings)
    await personas.save(7, "Pirate", "Ahoy.", by=ANNA)
    await settings.change(CHANNEL, {"persona": "Pirate"}, guild_id=7, by=ANNA)
    assert "persona" in (await settings.values([CHANNEL]))[CHANNEL]
    await personas.delete(7, "pirate", by=ANNA)
    assert await settings.values([CHANNEL]) == {}


@pytest.mark.parametrize("cancelled", [False, True])
async def test_what_was_read_before_a_change_is_not_kept_after_it(
    settings: SqlSettings, database: Database, cancelled: bool
) -> None:
    """The reading has taken its view of the database when the change comes."""
    await choose(settings, "old")
    viewed, go_on = threading.Event(), threading.Event()

    def pause(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT settings.scope_kind") and not viewed.is_set():
            viewed.set()
            go_on.wait(10)

    sa.event.listen(database._engine, "after_cursor_execute", pause)
    reading = asyncio.create_task(model(settings))
    await asyncio.to_thread(viewed.wait)
    changing: asyncio.Task[Any] = asyncio.create_task(choose(settings, "new"))
    if cancelled:
        await asyncio.sleep(0)
        changing.cancel()
    await asyncio.gather(changing, return_exceptions=True)
    go_on.set()
    assert await reading == "old"
    assert await model(settings) == "new"


async def test_only_so_many_scopes_are_kept(settings: SqlSettings, statements: list[str]) -> None:
    scopes = [Scope(ScopeKind.PERSON, number) for number in range(module.REMEMBERED + 1)]
    for start in range(0, len(scopes), 250):
        await settings.values(scopes[start : start + 250])
    statements.clear()
    await settings.values(scopes[1:])
    assert statements == []
    await settings.values(scopes[:1])
    assert statements
