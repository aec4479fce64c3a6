"""`python -m bot backup` beside a running bot, and what the bot knows once one is put back as docs/deploy.md says."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from playground.bot_process import BotProcess

from .stage import PATIENCE, Held, Ran, Stage, answer, shows, stored

pytestmark = pytest.mark.wire

KEPT = "messages WHERE role = 'assistant' AND end_reason = 'running' AND content != ''"
INTERRUPTED = "⚠️ Interrupted by a restart of the bot. Continue goes on from here, Regenerate begins anew."
WRITTEN = r": \d+\.\d kB, conversations: {}, messages: {}, \d+\.\d seconds\n"


@asynccontextmanager
async def backing_up(stage: Stage, *arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command as another process beside the bot; it has no token."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "backup", *arguments),
        cwd=stage.folder,
        env=stage.bot(DISCORD_TOKEN="", **environment).environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def result(process: asyncio.subprocess.Process) -> Ran:
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    return Ran(await process.wait(), out.decode(), err.decode())


async def back_up(stage: Stage, *arguments: str, **environment: str) -> Ran:
    async with backing_up(stage, *arguments, **environment) as process:
        return await result(process)


def put_back(stage: Stage, backup: str) -> None:
    """The steps between stopping the bot and starting it."""
    for file in stage.folder.glob("llampost.db*"):
        file.unlink()
    shutil.copy(stage.folder / backup, stage.folder / "llampost.db")


def end_reasons(stage: Stage) -> list[str]:
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        rows = connection.execute("SELECT end_reason FROM messages WHERE role = 'assistant' ORDER BY id")
        return [reason for (reason,) in rows]


def asked(stage: Stage) -> list[str]:
    """What people say in the newest prompt."""
    return [content for role, content in stage.ollama.prompts[-1] if role == "user"]


async def test_a_backup_that_is_put_back_is_the_memory_as_it_was(stage: Stage, bot: BotProcess) -> None:
    await answer(stage.ask("First"))
    held = Held(stage.ollama, before=1)
    half = stage.mention("Second")
    await stage.reply_to(half, shows("Hello"))
    await stored(stage, 1, KEPT)

    made = await back_up(stage, "copy.db")

    assert (made.status, made.err) == (0, "")
    assert re.fullmatch("copy.db" + WRITTEN.format(1, 4), made.out)
    held.go_on()
    finished = await stage.reply_to(half)
    await answer(stage.ask("Third"))
    assert asked(stage) == ["First", "Second", "Third"]

    assert await bot.stop() == 0
    put_back(stage, "copy.db")
    await bot.start()

    # To the memory the second answer was never finished. In Discord it was, so that is left as it is.
    await stage.reply_to(stage.mention("Fourth"))
    assert asked(stage) == ["First", "Second", "Fourth"]
    await stored(stage, 0, "open_answers")
    assert end_reasons(stage) == ["complete", "interrupted", "complete"]
    assert (await stage.reply_to(half)).content == finished.content


async def test_an_answer_that_was_being_written_is_marked_as_after_a_crash(stage: Stage, bot: BotProcess) -> None:
    await answer(stage.ask("First"))
    held = Held(stage.ollama, before=1)
    half = stage.mention("Second")
    await stage.reply_to(half, shows("Hello"))
    await stored(stage, 1, KEPT)
    assert (await back_up(stage, "copy.db")).status == 0

    await bot.kill()
    await held.left()
    stage.ollama.between = None
    put_back(stage, "copy.db")
    await bot.start()

    assert (await stage.reply_to(half, shows("⚠️"))).content == f"Hello\n{INTERRUPTED}"
    await stage.reply_to(stage.mention("Third"))
    assert asked(stage) == ["First", "Second", "Third"]


async def test_a_bot_need_not_run_and_its_folder_may_have_spaces(stage: Stage) -> None:
    folder = stage.folder / "my own data"
    url = f"sqlite+aiosqlite:///{folder / 'the bot.db'}"
    async with stage.bot(DATABASE_URL=url):
        await answer(stage.ask("Hi"))

    made = await back_up(stage, "my own data/copy.db", DATABASE_URL=url)

    assert (made.status, made.err) == (0, "")
    assert re.fullmatch("my own data/copy.db" + WRITTEN.format(1, 2), made.out)
    assert sorted(path.name for path in folder.iterdir()) == ["copy.db", "the bot.db", "the bot.db.lock"]


@pytest.fixture
async def stopped(stage: Stage) -> Path:
    """The database of a bot that ran once."""
    async with stage.bot() as bot:
        await bot.stop()
    return stage.folder / "llampost.db"


async def test_what_can_not_be_done_is_a_sentence_with_a_status(stage: Stage, stopped: Path) -> None:
    (stage.folder / "there.db").touch()
    refused = await back_up(stage, "there.db")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err == "there.db exists already and was left as it is; name a file that does not exist yet.\n"

    stopped.write_text("This is no database. " * 100)  # noqa: ASYNC240  # nobody else waits here
    failed = await back_up(stage, "copy.db")
    assert (failed.status, failed.out) == (74, "")
    [line] = failed.err.splitlines()
    assert line.startswith("The file that DATABASE_URL names is not a database;")

    assert (await back_up(stage)).status == 2
    assert not (stage.folder / "copy.db").exists()


async def test_who_waits_is_told_for_what_and_gets_the_backup_once_the_lock_is_gone(
    stage: Stage, stopped: Path
) -> None:
    with closing(sqlite3.connect(stopped, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        async with backing_up(stage, "copy.db") as process:
            assert process.stderr
            assert await process.stderr.readline() == b"Opening the database\n"
            other.execute("ROLLBACK")

            made = await result(process)

    assert made.status == 0
    assert re.fullmatch("copy.db" + WRITTEN.format(0, 0), made.out)


@pytest.mark.usefixtures("in_a_terminal")
async def test_whoever_presses_ctrl_c_gets_no_backup_and_no_traceback(stage: Stage, stopped: Path) -> None:
    with closing(sqlite3.connect(stopped, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        async with backing_up(stage, "copy.db") as process:
            assert process.stderr
            await process.stderr.readline()
            process.send_signal(signal.SIGINT)

            ended = await result(process)

    assert (ended.status, ended.out, ended.err) == (130, "", "")
    assert {path.name for path in stage.folder.iterdir()} == {"llampost.db", "llampost.db.lock", "bot.log"}
