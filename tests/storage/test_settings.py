from datetime import timedelta, timezone

import pytest
import sqlalchemy as sa

from bot.chat.messages import Author
from bot.chat.scopes import Change, Scope, ScopeKind, Setting
from bot.storage.database import Database
from bot.storage.settings import SqlSettings

from .conftest import Clock

ANNA, BERND = Author(1, "Anna"), Author(2, "Bernd")
CHANNEL, OTHER, SERVER = Scope(ScopeKind.CHANNEL, 10), Scope(ScopeKind.CHANNEL, 11), Scope(ScopeKind.SERVER, 10)
PERSON = Scope(ScopeKind.PERSON, 10)


@pytest.fixture
def settings(database: Database, clock: Clock) -> SqlSettings:
    return SqlSettings(database, clock)


async def test_nothing_is_set_at_first(settings: SqlSettings) -> None:
    assert await settings.values([CHANNEL, SERVER]) == {}
    assert await settings.values([]) == {}
    assert await settings.changes(CHANNEL, limit=5) == []


async def test_a_value_comes_back_with_who_set_it_and_when(settings: SqlSettings, clock: Clock) -> None:
    await settings.change(CHANNEL, {"temperature": "0.5", "model": "llama"}, guild_id=7, by=ANNA)
    expected = {
        CHANNEL: {"temperature": Setting("0.5", ANNA, clock.now), "model": Setting("llama", ANNA, clock.now)},
    }
    assert await settings.values([CHANNEL, SERVER]) == expected
    assert (await settings.values([CHANNEL]))[CHANNEL]["model"].changed_at.utcoffset() == timedelta(0)


async def test_scopes_do_not_see_each_other_even_with_one_id(settings: SqlSettings) -> None:
    await settings.change(CHANNEL, {"model": "a"}, guild_id=7, by=ANNA)
    await settings.change(SERVER, {"model": "b"}, guild_id=7, by=ANNA)
    await settings.change(PERSON, {"model": "c"}, guild_id=None, by=ANNA)
    found = await settings.values([CHANNEL, OTHER, SERVER, PERSON])
    assert {scope: values["model"].value for scope, values in found.items()} == {CHANNEL: "a", SERVER: "b", PERSON: "c"}
    assert [(await settings.changes(scope, limit=9))[0].new for scope in (CHANNEL, SERVER, PERSON)] == ["a", "b", "c"]


async def test_only_what_really_changes_is_stored_recorded_and_returned(settings: SqlSettings, clock: Clock) -> None:
    first = clock.now
    await settings.change(CHANNEL, {"model": "a", "seed": "1", "top_k": "5"}, guild_id=7, by=ANNA)
    second = clock.go_on()
    made = await settings.change(
        CHANNEL, {"model": "a", "seed": "2", "top_k": None, "stop": None, "top_p": "1"}, guild_id=7, by=BERND
    )
    assert made == [
        Change(CHANNEL, "seed", "1", "2", BERND, second),
        Change(CHANNEL, "top_k", "5", None, BERND, second),
        Change(CHANNEL, "top_p", None, "1", BERND, second),
    ]
    assert (await settings.changes(CHANNEL, limit=3)) == made[::-1]
    assert (await settings.values([CHANNEL]))[CHANNEL] == {
        "model": Setting("a", ANNA, first),
        "seed": Setting("2", BERND, second),
        "top_p": Setting("1", BERND, second),
    }
    assert await settings.change(CHANNEL, {"seed": "2"}, guild_id=7, by=ANNA) == []
    assert await settings.change(CHANNEL, {}, guild_id=7, by=ANNA) == []
    assert len(await settings.changes(CHANNEL, limit=100)) == 6
    assert await settings.changes(SERVER, limit=100) == []


async def test_a_direct_message_has_settings_without_a_server(settings: SqlSettings) -> None:
    await settings.change(CHANNEL, {"model": "a"}, guild_id=None, by=ANNA)
    assert (await settings.values([CHANNEL]))[CHANNEL]["model"].value == "a"


async def test_a_time_without_a_time_zone_is_a_mistake_in_our_code(database: Database, clock: Clock) -> None:
    naive = SqlSettings(database, lambda: clock.now.replace(tzinfo=None))
    with pytest.raises(sa.exc.StatementError, match="time zone"):
        await naive.change(CHANNEL, {"model": "a"}, guild_id=7, by=ANNA)
    assert await naive.values([CHANNEL]) == {}


async def test_times_are_kept_in_utc(database: Database, clock: Clock) -> None:
    tokyo = SqlSettings(database, lambda: clock.now.astimezone(timezone(timedelta(hours=9))))
    await tokyo.change(CHANNEL, {"model": "a"}, guild_id=7, by=ANNA)
    found = (await tokyo.values([CHANNEL]))[CHANNEL]["model"].changed_at
    assert (found, found.utcoffset()) == (clock.now, timedelta(0))
