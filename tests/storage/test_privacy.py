"""Everything about a person is found, counted, exported and deleted, whatever table it is in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.chat.messages import Author, EndReason, Image, OpenAnswer, Place, Receipt
from bot.chat.privacy import NOBODY, Spot
from bot.chat.scopes import Scope, ScopeKind
from bot.storage import privacy as module
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database
from bot.storage.open_answers import SqlOpenAnswers
from bot.storage.personas import SqlPersonas
from bot.storage.privacy import SqlPrivacy, theirs
from bot.storage.schema import metadata, usage
from bot.storage.settings import SqlSettings
from bot.storage.state import SqlState

from .conftest import Clock

ANNA = Author(1_234_567_890_123_456_789, "Anna Nocturna")
BERND = Author(1_234_567_890_123_456_780, "Bernd")
GUILD, CHANNEL, DIRECT = 1_100_000_000_000_000_007, 1_100_000_000_000_000_010, 1_100_000_000_000_000_030
HERE, ALONE, DM = Place(CHANNEL, GUILD), Place(CHANNEL, GUILD, owner_id=ANNA.id), Place(DIRECT)
WORDS, PICTURE = "periwinkle", b"\x89periwinkle\x00"
RECEIPT = Receipt("tiny:1b", "assistant", 0, {"seed": 7})

ID, NAME, SAID, PLACE = "a person's id", "a person's name", "what a person said or was told", "a place"
TEAMS, OURS = "what belongs to a server, whoever wrote it", "nothing about a person"

HOLDS = {
    "settings": {
        "scope_kind": OURS,
        "scope_id": ID,
        "key": OURS,
        "guild_id": OURS,
        "value": TEAMS,
        "changed_by_id": ID,
        "changed_by_name": NAME,
    },
    "changes": {
        "scope_kind": OURS,
        "scope_id": ID,
        "guild_id": OURS,
        "key": OURS,
        "old": TEAMS,
        "new": TEAMS,
        "changed_by_id": ID,
        "changed_by_name": NAME,
    },
    "personas": {"guild_id": OURS, "name": TEAMS, "name_key": TEAMS},
    "persona_versions": {"prompt": TEAMS, "author_id": ID, "author_name": NAME},
    "conversations": {"channel_id": PLACE, "guild_id": OURS, "parent_id": OURS, "owner_id": ID},
    "messages": {
        "role": OURS,
        "author_id": ID,
        "author_name": NAME,
        "content": SAID,
        "end_reason": OURS,
        "tokenizer": OURS,
    },
    "receipts": {
        "model": OURS,
        "digest": OURS,
        "persona": OURS,
        "options": OURS,
        "sources": OURS,
        "keep_alive": OURS,
        "think": OURS,
        "prompt_digest": OURS,
    },
    "thoughts": {"content": SAID},
    "images": {"name": SAID, "content": SAID},
    "discord_messages": {"discord_id": OURS},
    "open_answers": {
        "channel_id": PLACE,
        "guild_id": OURS,
        "parent_id": OURS,
        "key": OURS,
        "discord_id": OURS,
        "asked_in": OURS,
        "interaction_id": OURS,
        "author_id": ID,
        "author_name": NAME,
        "header": SAID,
        "question": SAID,
        "persona": OURS,
    },
    "people": {"person_id": ID},
    "usage": {"person_id": ID, "tokens": OURS},
    "state": {"key": OURS, "value": OURS},
}
"""What each column holds that is wide enough for a person's id or words."""


@pytest.fixture
def settings(database: Database, clock: Clock) -> SqlSettings:
    return SqlSettings(database, clock)


@pytest.fixture
def memory(database: Database, clock: Clock) -> SqlConversations:
    return SqlConversations(database, clock)


@pytest.fixture
def privacy(database: Database, settings: SqlSettings, clock: Clock) -> SqlPrivacy:
    return SqlPrivacy(database, settings, clock)


async def ask(memory: SqlConversations, place: Place, author: Author, words: str, *images: Image) -> int:
    question_id, answer_id, _ = await memory.begin(place, author, words, images)
    await memory.shown_as(question_id, 1_300_000_000_000_000_000 + question_id)
    await memory.shown_as(answer_id, 1_300_000_000_000_000_000 + answer_id)
    await memory.finish(answer_id, f"You said {words}", EndReason.COMPLETE, RECEIPT, thoughts=f"They say {words}")
    return question_id


@pytest.fixture
async def lived(database: Database, settings: SqlSettings, memory: SqlConversations, privacy: SqlPrivacy) -> None:
    """Anna did everything that leaves a row anywhere, among others who did the same."""
    server, personas = Scope(ScopeKind.SERVER, GUILD), SqlPersonas(database, settings)
    await SqlState(database).set("commands:1", "digest")
    for person, words in ((ANNA, WORDS), (BERND, "gravel"), (ANNA, WORDS), (BERND, "gravel")):
        own = Scope(ScopeKind.PERSON, person.id)
        await settings.change(own, {"quiet": "on"}, guild_id=None, by=person)
        await settings.change(server, {"top_k": str(len(words))}, guild_id=GUILD, by=person)
        await personas.save(GUILD, "pirate", f"Speak like {len(words)} pirates.", by=person)
        await ask(memory, HERE, person, words, Image(f"{words}.jpg", words.encode()))
        await ask(memory, replace(HERE, owner_id=person.id), person, words)
    await settings.change(server, {"memory": "person"}, guild_id=GUILD, by=ANNA)
    await settings.change(Scope(ScopeKind.CHANNEL, DIRECT), {"seed": "1"}, guild_id=None, by=ANNA)
    await ask(memory, DM, ANNA, WORDS, Image("periwinkle.png", PICTURE))
    await SqlOpenAnswers(database).open(OpenAnswer(place=DM, opened_at=privacy._now()))
    for person, words in ((ANNA, WORDS), (BERND, "gravel")):
        header = f"{person.name} asked: {words}"
        waiting = OpenAnswer(place=HERE, opened_at=privacy._now(), asker=person, question=words, header=header)
        await SqlOpenAnswers(database).open(waiting)
    await privacy.tell(ANNA.id)
    row = {"person_id": ANNA.id, "day": privacy._now().date(), "tokens": 5}
    await database.write(lambda connection: connection.execute(sa.insert(usage), row).rowcount)


def cells(file: Path) -> dict[str, set[object]]:
    """Every value in every column, as another program sees them."""
    with closing(sqlite3.connect(file)) as connection:
        return {
            f"{table.name}.{column.name}": {
                value
                for (value,) in connection.execute(f"SELECT {column.name} FROM {table.name}")  # noqa: S608
            }
            for table in metadata.sorted_tables
            for column in table.c
        }


def is_about_anna(value: object, kind: str) -> bool:
    match kind:
        case "a person's id":
            return value == ANNA.id
        case "a person's name":
            return value == ANNA.name
        case "a place":
            return value == DIRECT
    return WORDS in value if isinstance(value, str) else isinstance(value, bytes) and WORDS.encode() in value


def test_it_is_known_of_every_column_whether_it_is_about_a_person() -> None:
    """A new table or column belongs into HOLDS here, and what is about a person into `theirs` and `delete`."""
    wide = (sa.BigInteger, sa.Text, sa.JSON, sa.LargeBinary)
    rows_own = {"id", "head_id", "window_start_id", "copied_from", "window_start", "answer_id"}

    def is_wide(column: sa.Column[Any]) -> bool:
        kind = getattr(column.type, "impl_instance", column.type)
        return isinstance(kind, wide) and not column.foreign_keys and column.name not in rows_own

    found = {table.name: {column.name for column in table.c if is_wide(column)} for table in metadata.sorted_tables}
    assert found == {table: set(columns) for table, columns in HOLDS.items()}


def test_every_table_says_which_rows_are_about_a_person() -> None:
    assert set(theirs(1)) == set(metadata.sorted_tables)


@pytest.mark.usefixtures("lived")
async def test_the_story_reaches_every_column_that_can_be_about_a_person(file: Path) -> None:
    """Else the tests below would show nothing."""
    found = cells(file)
    for table, columns in HOLDS.items():
        for column, kind in columns.items():
            if kind in {ID, NAME, SAID, PLACE}:
                assert any(is_about_anna(value, kind) for value in found[f"{table}.{column}"]), f"{table}.{column}"


@pytest.mark.usefixtures("lived")
async def test_an_export_has_every_row_about_a_person_and_none_about_others_alone(
    privacy: SqlPrivacy, file: Path
) -> None:
    exported = await privacy.rows(ANNA.id)
    files = {stored.name: stored.content async for stored in privacy.files(ANNA.id)}

    assert set(exported) == set(HOLDS) - {"state"}
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        for table in metadata.sorted_tables:
            rows = connection.execute(f"SELECT * FROM {table.name}")  # noqa: S608
            there = {tuple(row[key.name] for key in table.primary_key): row for row in rows}
            given = {
                tuple(str(row[key.name]) for key in table.primary_key): row for row in exported.get(table.name, ())
            }
            for key, row in there.items():
                about = any(is_about_anna(row[name], kind) for name, kind in HOLDS[table.name].items() if kind != TEAMS)
                assert not about or tuple(map(str, key)) in given, f"{table.name} {key}"
            for row in given.values():
                assert set(row) - {"file"} == {one.name for one in table.c if not isinstance(one.type, sa.LargeBinary)}
    assert BERND.name not in str(exported)
    assert "gravel" not in str(exported)
    assert sorted(row["file"] for row in exported["images"]) == sorted(files)
    assert sorted(files.values()) == sorted([WORDS.encode(), WORDS.encode(), PICTURE])
    assert {row["author_id"] for row in exported["messages"]} == {str(ANNA.id), None}


@pytest.mark.usefixtures("lived")
async def test_deleting_leaves_nothing_in_any_table_nor_in_the_files(
    privacy: SqlPrivacy, settings: SqlSettings, memory: SqlConversations, file: Path
) -> None:
    await settings.values([Scope(ScopeKind.PERSON, ANNA.id)])  # they are kept in memory from now on
    traces = (ANNA.name.encode(), WORDS.encode(), ANNA.id.to_bytes(8), DIRECT.to_bytes(8))
    files = [file, file.with_name(f"{file.name}-wal")]
    assert all(any(trace in one.read_bytes() for one in files) for trace in traces)

    assert await privacy.delete(ANNA.id) == 10

    for column, values in cells(file).items():
        table, name = column.split(".")
        kind = HOLDS[table].get(name, OURS)
        assert not any(is_about_anna(value, kind) for value in values), column
    assert not [trace for one in files for trace in traces if trace in one.read_bytes()]
    assert await settings.values([Scope(ScopeKind.PERSON, ANNA.id)]) == {}
    assert await privacy.rows(ANNA.id) == {}
    assert [message.content for message in await memory.branch(HERE)] == ["gravel", "You said gravel"] * 2
    assert await memory.branch(ALONE) == await memory.branch(DM) == []


@pytest.mark.usefixtures("lived")
async def test_deleting_one_persons_data_leaves_everybody_elses_as_it_was(
    privacy: SqlPrivacy, settings: SqlSettings, database: Database, file: Path
) -> None:
    before = await privacy.rows(BERND.id)

    await privacy.delete(ANNA.id)

    after = await privacy.rows(BERND.id)
    first, *later = before["messages"]
    assert first["parent_id"] is not None, "Bernd went on from what Anna had asked"
    by_id = {row["id"]: row for row in after["messages"]}
    assert [{**by_id[row["id"]], "parent_id": row["parent_id"]} for row in before["messages"]] == list(
        before["messages"]
    )
    assert later
    assert {name: rows for name, rows in after.items() if name not in {"messages", "conversations"}} == {
        name: rows for name, rows in before.items() if name not in {"messages", "conversations"}
    }
    server = Scope(ScopeKind.SERVER, GUILD)
    assert [change.changed_by for change in await settings.changes(server, limit=9, keys=["top_k"])] == [
        BERND,
        NOBODY,
        BERND,
        NOBODY,
    ]
    [persona] = await SqlPersonas(database, settings).library(GUILD)
    assert (persona.prompt, persona.version) == ("Speak like 6 pirates.", 4)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.usefixtures("lived")
async def test_a_report_counts_what_is_there(privacy: SqlPrivacy, clock: Clock) -> None:
    report = await privacy.report(ANNA.id)

    assert (report.questions, report.answers, report.images) == (5, 5, 3)
    assert (report.settings, report.changes, report.personas) == (3, 7, 2)
    assert report.since == clock.now
    assert report.opted_out_at is None
    assert list(report.spots) == [Spot(CHANNEL, GUILD, 4), Spot(DIRECT, None, 1)]


async def test_of_somebody_unknown_nothing_is_kept(privacy: SqlPrivacy) -> None:
    report = await privacy.report(ANNA.id)

    assert report.is_empty
    assert await privacy.rows(ANNA.id) == {}
    assert [file async for file in privacy.files(ANNA.id)] == []
    assert await privacy.delete(ANNA.id) == 0
    assert await privacy.rows(ANNA.id) == {}


async def test_that_somebody_opted_out_survives_the_deletion(privacy: SqlPrivacy, memory: SqlConversations) -> None:
    await ask(memory, HERE, ANNA, WORDS)
    await privacy.choose(ANNA.id, opted_out=True)

    assert await privacy.delete(ANNA.id) == 2

    assert await privacy.opted_out() == {ANNA.id}
    [row] = (await privacy.rows(ANNA.id))["people"]
    assert row["leaving_at"] is None
    assert list(await privacy.rows(ANNA.id)) == ["people"]


async def test_who_opts_out_is_told_once_more_and_who_comes_back_is_not(privacy: SqlPrivacy, clock: Clock) -> None:
    await privacy.tell(ANNA.id)
    await privacy.choose(ANNA.id, opted_out=True)
    gone = await privacy.person(ANNA.id)
    await privacy.choose(ANNA.id, opted_out=False)
    back = await privacy.person(ANNA.id)

    assert (gone.told_at, gone.opted_out_at) == (None, clock.now)
    assert (back.told_at, back.opted_out_at) == (clock.now, None)
    assert await privacy.opted_out() == set()


async def test_a_deletion_that_a_crash_broke_off_is_finished_at_the_next_start(
    privacy: SqlPrivacy, memory: SqlConversations, database: Database, clock: Clock
) -> None:
    for _ in range(module.BATCH + 1):
        await ask(memory, HERE, ANNA, WORDS)
    await database.write(module._begin_to_forget, ANNA.id, clock.now)
    await database.write(module._forget_some, ANNA.id)
    assert (await privacy.report(ANNA.id)).questions == 1

    await privacy.finish_deleting()

    assert await privacy.rows(ANNA.id) == {}


async def test_an_image_that_goes_while_it_is_exported_is_left_out(
    privacy: SqlPrivacy, memory: SqlConversations
) -> None:
    for number in range(2):
        await ask(memory, HERE, ANNA, WORDS, Image(f"{number}.jpg", b"x"))
    files = privacy.files(ANNA.id)
    first = await anext(files)
    await privacy.delete(ANNA.id)

    assert first.content == b"x"
    assert [file async for file in files] == []
