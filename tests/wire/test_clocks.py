"""What a bot deletes, and what it says, on a machine whose clock is a year ahead of Discord's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from playground.discord import Settings

from .stage import Stage, answer, staged, stored

pytestmark = pytest.mark.wire

YEAR = timedelta(days=365)


def created(stage: Stage) -> list[datetime]:
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        rows = connection.execute("SELECT created_at FROM messages ORDER BY id")
        return [datetime.fromisoformat(moment).replace(tzinfo=UTC) for (moment,) in rows]


def grow_older(stage: Stage, days: int) -> None:
    """Let the first question and its answer have been given so many days earlier."""
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection, connection:
        its = "strftime('%Y-%m-%d %H:%M:%f000', created_at, ?)"
        connection.execute(f"UPDATE messages SET created_at = {its} WHERE id <= 2", [f"-{days} days"])  # noqa: S608  # our own words


async def test_a_machine_whose_clock_is_a_year_ahead_deletes_by_discords_clock(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(clock_behind=YEAR)) as stage:
        async with stage.bot(RETENTION_DAYS="30") as bot:
            await answer(stage.ask("First"))
            await answer(stage.ask("Second"))
            assert bot.log().count("The bot goes by Discord's clock.") == 1
        for moment in created(stage):
            assert abs(moment - (datetime.now(UTC) - YEAR)) < timedelta(minutes=1)
        grow_older(stage, 29)
        async with stage.bot(RETENTION_DAYS="30"):
            await answer(stage.ask("Third"))
        assert len(created(stage)) == 6

        grow_older(stage, 2)
        async with stage.bot(RETENTION_DAYS="30") as bot:
            await stored(stage, 4, "messages")
            await answer(stage.ask("Fourth"))
            assert [content for role, content in stage.ollama.prompts[-1] if role == "user"] == [
                "Second",
                "Third",
                "Fourth",
            ]
            assert "2 messages were kept for long enough" in bot.log()


async def test_a_check_says_that_the_clock_is_wrong(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(clock_behind=YEAR)) as stage:
        ran = await stage.run("check")

    [line] = [line for line in ran.out.splitlines() if "Clock" in line]
    assert line.startswith("FAIL  Clock: This machine's clock says 20")
    assert line.endswith("set this machine's right.")
    assert ran.status == 1
