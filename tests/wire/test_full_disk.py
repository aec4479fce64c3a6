"""What people read and what is kept where the disk that holds the database is really full."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from playground.bot_process import BotProcess
from playground.discord import Message, Permission

from .disk import SmallDisk, small_disk
from .stage import Held, Stage, answer, shows, stored

pytestmark = pytest.mark.wire

LATE = "This answer could not be remembered when it ended, and I keep trying until it is."
FULL = "The disk that holds the database in DATABASE_URL is full; make room on it."
FOOTER = "-# tiny:1b · assistant"
EXIT_DATABASE = 74
OLDEST = Path(__file__).parents[1] / "storage" / "schemas" / "0001.sql"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
async def bot(stage: Stage, disk: SmallDisk) -> AsyncIterator[BotProcess]:
    async with stage.bot(DATABASE_URL=url(disk)) as bot:
        yield bot


def url(disk: SmallDisk) -> str:
    return f"sqlite+aiosqlite:///{disk.folder}/llampost.db"


def remembered(disk: SmallDisk) -> list[tuple[str, str]]:
    """What is said and why it ended; the database must be sound."""
    with closing(sqlite3.connect(disk.folder / "llampost.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT content, end_reason FROM messages ORDER BY id").fetchall()


def prompt(stage: Stage) -> list[str]:
    """What people and the model say in the newest prompt."""
    return [content for role, content in stage.ollama.prompts[-1] if role != "system"]


def complaints(bot: BotProcess) -> list[str]:
    return [line for line in bot.log().splitlines() if " ERROR " in line or "Traceback" in line]


async def test_a_question_that_finds_the_disk_full_is_answered_and_told_that_it_is_not_remembered(
    stage: Stage, bot: BotProcess, disk: SmallDisk
) -> None:
    await answer(stage.ask("First"))
    disk.fill()

    second = await stage.reply_to(stage.mention("Second"))
    third = await stage.reply_to(stage.mention("Third"))

    for message in (second, third):
        assert message.content == f"Hello there.\n⚠️ This question and its answer are not remembered. {FULL}\n{FOOTER}"
    assert prompt(stage) == ["First", "Hello there.", "Third"]
    disk.make_room()
    assert (await stage.reply_to(stage.mention("Fourth"))).content == f"Hello there.\n{FOOTER}"
    assert prompt(stage) == ["First", "Hello there.", "Fourth"]
    assert [line.partition("trouble: ")[2] for line in complaints(bot)] == [FULL]


async def test_an_answer_that_ends_on_a_full_disk_is_remembered_once_there_is_room(
    stage: Stage, bot: BotProcess, disk: SmallDisk
) -> None:
    held = Held(stage.ollama, before=1)
    first = stage.mention("First")
    await stage.reply_to(first, shows("Hello"))
    disk.fill()
    held.go_on()

    shown = await stage.reply_to(first)
    text = f"Hello there.\n⚠️ {LATE} {FULL}\n{FOOTER}"
    assert shown.content == text
    disk.make_room()
    await stage.reply_to(stage.mention("Second"))

    assert prompt(stage) == ["First", "Hello there.", "Second"]
    assert [line.partition("trouble: ")[2] for line in complaints(bot)] == [FULL]


async def test_an_answer_that_could_not_be_stored_is_stored_when_the_bot_is_stopped_at_the_latest(
    stage: Stage, bot: BotProcess, disk: SmallDisk
) -> None:
    held = Held(stage.ollama, before=1)
    first = stage.mention("First")
    await stage.reply_to(first, shows("Hello"))
    disk.fill()
    held.go_on()
    await stage.reply_to(first)

    disk.make_room()
    assert await bot.stop() == 0

    assert remembered(disk) == [("First", "complete"), ("Hello there.", "complete")]


async def test_what_a_bot_could_not_store_to_its_end_counts_as_interrupted_after_that(
    stage: Stage, bot: BotProcess, disk: SmallDisk
) -> None:
    await answer(stage.ask("First"))
    held = Held(stage.ollama, before=1)
    second = stage.mention("Second")
    await stage.reply_to(second, shows("Hello"))
    await stored(replace(stage, folder=disk.folder), 1, "messages WHERE content = 'Hello '")
    disk.fill()
    held.go_on()
    await stage.reply_to(second)

    assert await bot.stop() == 0
    assert "The ends of 1 answers are lost to the memory" in bot.log()
    disk.make_room()
    await bot.start()
    await stage.reply_to(stage.mention("Third"))

    assert prompt(stage) == ["First", "Hello there.", "Second", "Hello ", "Third"], "what was stored before is there"
    assert ("Hello ", "interrupted") in remembered(disk)


async def test_settings_and_deletions_say_that_the_disk_is_full_and_work_once_it_is_not(
    stage: Stage, bot: BotProcess, disk: SmallDisk
) -> None:
    boss = stage.guild.add_member("Boss", permissions=Permission.MANAGE_CHANNELS)
    await answer(stage.ask("First"))
    disk.fill()

    async def set_seed() -> Message:
        return await boss.slash(stage.channel, "settings set", parameter="seed", value="7").message()

    async def delete_all(done: str) -> None:
        asked = await stage.anna.slash(stage.channel, "privacy delete").message(lambda it: bool(it.components))
        stage.anna.click(asked, "Delete everything")
        await stage.said(stage.channel, shows(done))

    assert (await set_seed()).content == FULL
    await delete_all("That did not work.")
    await stage.said(stage.channel, shows(FULL))
    disk.make_room()
    assert "seed" in (await set_seed()).content
    await delete_all("Everything about you is deleted, 2 messages among it.")
    assert remembered(disk) == []
    assert [line.partition("trouble: ")[2] for line in complaints(bot)] == [FULL]


async def test_a_first_start_without_room_is_a_sentence_and_works_once_there_is_some(
    stage: Stage, disk: SmallDisk
) -> None:
    disk.fill()

    ran = await stage.run("run", DATABASE_URL=url(disk))

    assert (ran.status, ran.out) == (EXIT_DATABASE, "")
    assert ran.err.splitlines()[-1] == FULL
    disk.make_room()
    async with stage.bot(DATABASE_URL=url(disk)):
        await answer(stage.ask("Hi"))


async def test_an_update_without_room_is_a_sentence_and_leaves_the_older_database_as_it_was(
    stage: Stage, disk: SmallDisk
) -> None:
    file = disk.folder / "llampost.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(OLDEST.read_text())
    disk.fill()
    before = file.read_bytes()

    ran = await stage.run("run", DATABASE_URL=url(disk))

    assert (ran.status, ran.err) == (EXIT_DATABASE, f"{FULL}\n")
    assert file.read_bytes()[100:] == before[100:]  # what comes before that is the header: it uses a log from now on
    disk.make_room()
    async with stage.bot(DATABASE_URL=url(disk)):
        await answer(stage.ask("Hi"))


async def test_the_disk_may_be_full_at_every_moment_of_many_answers_and_nothing_stored_is_lost(
    stage: Stage, bot: BotProcess, disk: SmallDisk
) -> None:
    kept = []
    for number in range(12):
        if number % 2:
            disk.fill()
        shown = await stage.reply_to(stage.mention(f"Question {number}"))
        assert shown.content.startswith("Hello there.\n")
        if number % 2:
            disk.make_room()
        else:
            kept.append(f"Question {number}")
    assert await bot.stop() == 0

    assert [content for content, reason in remembered(disk) if content.startswith("Question")] == kept
