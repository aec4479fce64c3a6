"""What a start says of a database that can't be trusted, and what answers say that meet damage on their way."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playground.bot_process import BotProcess

from .stage import Held, Stage, answer, is_finished, shows, stored

pytestmark = pytest.mark.wire

EXIT_DATABASE = 74
DAMAGED = "The database in DATABASE_URL is damaged; put the newest backup in its place."
TAKEN = "Another bot runs on the database in DATABASE_URL; stop it, or give this one a database of its own."
FOOTER = "-# tiny:1b · assistant"


def database(stage: Stage) -> Path:
    return stage.folder / "llampost.db"


def damage(file: Path, *, root: str) -> None:
    """Overwrite the page at which a table begins."""
    with closing(sqlite3.connect(file)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [root])
        [(size,)] = connection.execute("PRAGMA page_size")
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xa5" * size)


async def fill(stage: Stage) -> None:
    """Let a bot remember something, and end."""
    async with stage.bot():
        await answer(stage.ask("First"))
        await answer(stage.ask("Second"))


async def refused(stage: Stage) -> str:
    """What a start says that fails, and that it leaves the file as it is."""
    before = await asyncio.to_thread(database(stage).read_bytes)
    ran = await stage.run("run")
    assert (ran.status, ran.out) == (EXIT_DATABASE, "")
    assert "Traceback" not in ran.err
    assert await asyncio.to_thread(database(stage).read_bytes) == before
    return ran.err.splitlines()[-1]


@pytest.mark.parametrize("table", ["messages", "settings", "receipts"])
async def test_a_start_refuses_a_damaged_database_and_leaves_it_as_it_is(stage: Stage, table: str) -> None:
    await fill(stage)
    damage(database(stage), root=table)

    assert await refused(stage) == DAMAGED
    check = await stage.run("check")
    assert f"FAIL  Database: {DAMAGED}" in check.out.splitlines()


async def test_a_start_refuses_a_file_that_is_cut_off(stage: Stage) -> None:
    await fill(stage)
    with database(stage).open("r+b") as raw:
        raw.truncate(database(stage).stat().st_size // 2)

    assert await refused(stage) == DAMAGED


async def test_a_start_refuses_a_file_that_is_no_database(stage: Stage) -> None:
    database(stage).write_text("Dear diary, this is not a database. " * 500)

    assert (
        await refused(stage)
        == "The file that DATABASE_URL names is not a database; name another file, or move it away."
    )


async def test_of_a_log_that_is_torn_everything_before_the_tear_is_there(stage: Stage, bot: BotProcess) -> None:
    await answer(stage.ask("First"))
    await stored(stage, 1, "messages WHERE end_reason = 'complete' AND role = 'assistant'")
    log = stage.folder / "llampost.db-wal"
    intact = log.stat().st_size
    await answer(stage.ask("Second"))
    await bot.kill()
    with log.open("r+b") as raw:
        raw.seek(intact + 100)
        raw.write(b"\xa5" * 4096)

    await bot.start()
    await answer(stage.ask("Third"))

    said = [content for role, content in stage.ollama.prompts[-1] if role == "user"]
    assert said == ["First", "Third"]
    with closing(sqlite3.connect(database(stage))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_an_answer_that_meets_damage_is_shown_to_its_end_and_says_so(stage: Stage, bot: BotProcess) -> None:
    await answer(stage.ask("First"))
    held = Held(stage.ollama, before=1)
    second = stage.mention("Second")
    await stage.reply_to(second, shows("Hello"))
    await stored(stage, 1, "open_answers WHERE discord_id IS NOT NULL")
    with closing(sqlite3.connect(database(stage))) as connection:
        # Only what is in the file itself can be damaged there.
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    damage(database(stage), root="receipts")
    held.go_on()

    shown = await stage.reply_to(second)

    assert shown.content == f"Hello there.\n⚠️ This question and its answer are not remembered. {DAMAGED}\n{FOOTER}"
    assert "Traceback" not in bot.log()
    assert bot.log().count(DAMAGED) == 1
    third = await stage.ask("Third").message(is_finished)
    assert "Hello there." in third.content
    assert DAMAGED in third.content
    await bot.stop()
    assert await refused(stage) == DAMAGED


async def test_a_second_bot_on_the_same_database_is_refused_and_the_first_goes_on(
    stage: Stage, bot: BotProcess
) -> None:
    ran = await stage.run("run")

    assert (ran.status, ran.out) == (EXIT_DATABASE, "")
    assert ran.err.splitlines()[-1] == TAKEN
    await answer(stage.ask("First"))
    for command in ("migrate", "check"):
        beside = await stage.run(command)
        assert beside.status == 0, beside.err
    await bot.kill()
    await bot.start()
    await answer(stage.ask("Second"))
    async with stage.bot(DATABASE_URL=f"sqlite+aiosqlite:///{stage.folder}/other.db"):
        pass
