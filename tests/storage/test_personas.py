import pytest

from bot.chat.messages import Author
from bot.chat.personas import Persona
from bot.chat.scopes import Change, Scope, ScopeKind
from bot.storage.database import Database
from bot.storage.personas import SqlPersonas
from bot.storage.settings import SqlSettings

from .conftest import Clock

ANNA, BERND = Author(1, "Anna"), Author(2, "Bernd")
GUILD, OTHER = 7, 8
SERVER = Scope(ScopeKind.SERVER, GUILD)


def channel(number: int) -> Scope:
    return Scope(ScopeKind.CHANNEL, number)


@pytest.fixture
def personas(database: Database, settings: SqlSettings, clock: Clock) -> SqlPersonas:
    return SqlPersonas(database, settings, clock)


@pytest.fixture
def settings(database: Database, clock: Clock) -> SqlSettings:
    return SqlSettings(database, clock)


async def test_a_library_is_empty_at_first(personas: SqlPersonas) -> None:
    assert await personas.library(GUILD) == []
    assert await personas.find(GUILD, "Pirate") is None
    assert await personas.delete(GUILD, "Pirate", by=ANNA) == []


async def test_a_persona_is_found_whatever_the_case(personas: SqlPersonas, clock: Clock) -> None:
    saved = await personas.save(GUILD, "Straße", "You are a road.", by=ANNA)
    assert saved == Persona("Straße", "You are a road.", 1, ANNA, clock.now)
    assert await personas.find(GUILD, "STRASSE") == saved
    assert await personas.library(GUILD) == [saved]


async def test_saving_again_adds_a_version_and_the_same_prompt_adds_none(
    personas: SqlPersonas, settings: SqlSettings, clock: Clock
) -> None:
    began = clock.now
    first = await personas.save(GUILD, "Pirate", "Arr.", by=ANNA)
    time = clock.go_on()
    assert await personas.save(GUILD, "pirate", "Arr.", by=BERND) == first
    second = await personas.save(GUILD, "PIRATE", "Arr!", by=BERND)
    assert second == Persona("Pirate", "Arr!", 2, BERND, time)
    assert await personas.find(GUILD, "pirate") == second
    assert await personas.library(GUILD) == [second]
    assert await settings.changes(SERVER, limit=9) == [
        Change(SERVER, "persona:Pirate", "Arr.", "Arr!", BERND, time),
        Change(SERVER, "persona:Pirate", None, "Arr.", ANNA, began),
    ]


async def test_the_library_is_sorted_by_name_and_belongs_to_one_server(personas: SqlPersonas) -> None:
    for guild, name in ((GUILD, "zebra"), (GUILD, "Bear"), (GUILD, "ant"), (OTHER, "Bear")):
        await personas.save(guild, name, f"{name} of {guild}", by=ANNA)
    assert [persona.name for persona in await personas.library(GUILD)] == ["ant", "Bear", "zebra"]
    assert await personas.delete(GUILD, "bear", by=ANNA) == []
    assert [persona.prompt for persona in await personas.library(OTHER)] == ["Bear of 8"]


async def test_deleting_takes_every_choice_in_the_server_along(
    personas: SqlPersonas, settings: SqlSettings, clock: Clock
) -> None:
    await personas.save(GUILD, "Pirate", "Arr.", by=ANNA)
    await personas.save(GUILD, "Pirate", "Arr!", by=ANNA)
    for scope, guild, name in (
        (channel(1), GUILD, "pirate"),
        (channel(2), GUILD, "Parrot"),
        (channel(3), OTHER, "Pirate"),
        (channel(4), GUILD, "PIRATE"),
        (SERVER, GUILD, "Pirate"),
    ):
        await settings.change(scope, {"persona": name, "model": "pirate"}, guild_id=guild, by=ANNA)
    time = clock.go_on()
    assert await personas.delete(GUILD, "piRate", by=BERND) == [channel(1), channel(4), SERVER]
    assert await personas.find(GUILD, "Pirate") is None
    scopes = [channel(1), channel(2), channel(3), channel(4), SERVER]
    left = await settings.values(scopes)
    assert [left[scope].get("persona") is None for scope in scopes] == [True, False, False, True, True]
    assert all(left[scope]["model"].value == "pirate" for scope in scopes)
    assert (await settings.changes(channel(4), limit=1)) == [Change(channel(4), "persona", "PIRATE", None, BERND, time)]
    assert (await settings.changes(SERVER, limit=2)) == [
        Change(SERVER, "persona", "Pirate", None, BERND, time),
        Change(SERVER, "persona:Pirate", "Arr!", None, BERND, time),
    ]
    assert (await personas.save(GUILD, "Pirate", "Back.", by=ANNA)).version == 1


async def test_a_channel_with_the_servers_id_is_told_from_the_server(
    personas: SqlPersonas, settings: SqlSettings
) -> None:
    """The first channel of a server of 2016 or before has its id."""
    await personas.save(GUILD, "Pirate", "Arr.", by=ANNA)
    await settings.change(channel(GUILD), {"persona": "Pirate"}, guild_id=GUILD, by=ANNA)
    assert await personas.delete(GUILD, "Pirate", by=ANNA) == [channel(GUILD)]
