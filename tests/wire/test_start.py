"""How the bot starts, and what it says where it can't."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Settings as BotSettings
from playground.bot_process import BotFailedError
from playground.discord import EventKind, Intent, LoopbackDiscord, Settings

from .stage import PATIENCE, Held, Ran, Stage, answer, shows, staged

pytestmark = pytest.mark.wire

EXIT_DATABASE = 74
EXIT_SETTING = 78


def only_sentence(ran: Ran) -> str:
    """What a failed start says, which is nothing but one sentence (a log may come before it)."""
    assert ran.out == ""
    *log, sentence = ran.err.splitlines()
    assert all(" INFO " in line for line in log)
    return sentence


async def test_a_wrong_token_is_one_sentence(stage: Stage) -> None:
    wrong = stage.discord.token[:-1] + "x"

    ran = await stage.run("run", DISCORD_TOKEN=wrong)

    assert ran.status == EXIT_SETTING
    assert only_sentence(ran).startswith("DISCORD_TOKEN is refused by Discord: copy it again from the developer portal")
    assert wrong not in ran.err


async def test_an_intent_that_is_switched_off_is_one_sentence(stage: Stage) -> None:
    ran = await stage.run("run", MESSAGE_CONTENT_INTENT="true")

    assert ran.status == EXIT_SETTING
    assert only_sentence(ran).startswith("MESSAGE_CONTENT_INTENT is true, but the intent is switched off")
    await stage.discord.wait_for(lambda event: event.kind is EventKind.SESSION_REFUSED)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(4004, "DISCORD_TOKEN is refused by Discord: copy it again"), (4011, "DISCORD_TOKEN is of a bot in more servers")],
    ids=["the token was reset", "too many servers for one connection"],
)
async def test_a_gateway_that_is_closed_for_good_is_one_sentence(stage: Stage, code: int, sentence: str) -> None:
    held = Held(stage.ollama, before=1)
    async with stage.bot() as bot:
        question = stage.mention("Why?")
        await held.reached()
        await stage.reply_to(question, shows("Hello"))

        stage.discord.gateway.drop(code)

        assert await asyncio.wait_for(bot.exited(), PATIENCE) == EXIT_SETTING
        assert bot.log().splitlines()[-1].startswith(sentence)
        assert "Traceback" not in bot.log()
        assert "Interrupted by a restart" in (await stage.reply_to(question)).content


async def test_a_start_that_fails_is_noticed_by_who_started_it(stage: Stage) -> None:
    with pytest.raises(BotFailedError, match=r"exit code 78(?s:.*)DISCORD_TOKEN is refused"):
        await stage.bot(DISCORD_TOKEN="wrong").start()


@asynccontextmanager
async def slammed_door(port: int) -> AsyncIterator[asyncio.Queue[None]]:
    """Somebody who hangs up on all callers."""
    called: asyncio.Queue[None] = asyncio.Queue()

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.put_nowait(None)
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, "127.0.0.1", port):
        yield called


async def test_a_discord_that_is_not_there_yet_is_waited_for(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    later = LoopbackDiscord(Settings(port=port))
    later.url = f"http://127.0.0.1:{port}"
    guild = later.add_guild("Demo")
    stage = replace(stage, discord=later, guild=guild, channel=guild.add_channel(), anna=guild.add_member("Anna"))
    bot = stage.bot()
    async with slammed_door(port) as called:
        starting = asyncio.create_task(bot.start())
        for _ in range(3):  # aiohttp itself may try a second time at once
            await called.get()

    async with later:
        await starting

        assert "Discord can't be reached" in bot.log()
        assert "Trying again in 2 s." in bot.log()
        assert "Traceback" not in bot.log()
        # It is as well as one that came up at the first try.
        assert (await answer(stage.ask("Hi"))).content == "-# Anna asked: Hi\nHello there.\n-# tiny:1b · assistant"
        assert await bot.stop() == 0


async def test_a_discord_that_fails_at_first_is_asked_again(stage: Stage) -> None:
    stage.discord.faults.fail("GET", "/oauth2/applications/@me", status=500, times=2)
    async with stage.bot():
        await answer(stage.ask("Hi"))


async def test_a_newer_database_is_left_alone(stage: Stage) -> None:
    assert (await stage.run("migrate")).status == 0
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    ran = await stage.run("run")

    assert ran.status == EXIT_DATABASE
    assert "was written by a newer version of the bot" in only_sentence(ran)
    assert stage.discord.calls == type(stage.discord.calls)()


async def test_a_database_folder_that_cannot_be_written_to_is_one_sentence(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shut")
    (folder / "file").touch()

    ran = await stage.run("run", DATABASE_URL=f"sqlite+aiosqlite:///{folder}/file/llampost.db")

    assert ran.status == EXIT_DATABASE
    assert "DATABASE_URL can't be created" in only_sentence(ran)


async def test_a_read_only_database_folder_is_one_sentence(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "shut"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("whoever runs this may write everywhere, as root may")

    ran = await stage.run("run", DATABASE_URL=f"sqlite+aiosqlite:///{folder}/llampost.db")

    assert ran.status == EXIT_DATABASE
    assert "check that the bot may write to it and to its folder" in only_sentence(ran)


async def test_a_file_that_is_no_database_is_one_sentence(stage: Stage) -> None:
    (stage.folder / "llampost.db").write_text("no database at all" * 100)

    ran = await stage.run("run")

    assert ran.status == EXIT_DATABASE
    assert "is not a database" in only_sentence(ran)


async def test_a_sound_installation_passes_the_check(stage: Stage) -> None:
    await stage.run("migrate")

    ran = await stage.run("check")

    assert [line[:4] for line in ran.out.splitlines()] == ["ok  "] * 5, ran.out
    assert (ran.status, ran.err) == (0, "")
    assert stage.discord.unknown_routes == []


async def test_a_check_while_the_bot_runs_disturbs_nothing(stage: Stage) -> None:
    async with stage.bot():
        ran = await stage.run("check")
        assert ran.status == 0, ran.out
        await answer(stage.ask("Hi"))


async def test_a_check_of_a_new_installation_names_what_is_missing(stage: Stage) -> None:
    ran = await stage.run("check", DISCORD_TOKEN="wrong", OLLAMA_MODEL="nope", MESSAGE_CONTENT_INTENT="true")

    assert ran.status == 1
    failures = [line for line in ran.out.splitlines() if line.startswith("FAIL")]
    assert [line.split(":")[0] for line in failures] == ["FAIL  Discord token", "FAIL  Default model"]
    assert "`ollama pull nope`" in failures[1]


async def test_a_granted_intent_passes_the_check(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(privileged_intents=Intent.MESSAGE_CONTENT)) as stage:
        await stage.run("migrate", MESSAGE_CONTENT_INTENT="true")

        ran = await stage.run("check", MESSAGE_CONTENT_INTENT="true")

    assert "Message Content is granted" in ran.out
    assert ran.status == 0


async def test_health_follows_the_bot(stage: Stage, tmp_path: Path) -> None:
    assert (await stage.run("health", TMPDIR=str(tmp_path))).status == 1


WRONG = {
    "OLLAMA_NUM_CTX": "many",
    "MAX_PARALLEL_ANSWERS": "0",
    "MAX_WAITING_QUESTIONS": "-1",
    "MESSAGE_CONTENT_INTENT": "perhaps",
    "OLLAMA_FIRST_TOKEN_TIMEOUT": "0",
    "OLLAMA_STALL_TIMEOUT": "soon",
    "MAX_FILE_BYTES": "1 MB",
    "MAX_ANSWER_MESSAGES": "21",
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
    "LIMIT_QUESTIONS_PER_MINUTE": "-1",
    "LIMIT_TOKENS_PER_DAY": "many",
    "RETENTION_DAYS": "-1",
}
ANYTHING_GOES = {"DISCORD_TOKEN", "OLLAMA_HOST", "OLLAMA_MODEL", "DATABASE_URL", "OLLAMA_PULL_ALLOW"}
"""Texts, which are found wrong only later."""


def test_every_setting_is_tried() -> None:
    assert {name.upper() for name in BotSettings.model_fields} == WRONG.keys() | ANYTHING_GOES


async def test_every_wrong_setting_is_named_at_once(stage: Stage) -> None:
    ran = await stage.run("run", **WRONG)

    assert (ran.status, ran.out) == (EXIT_SETTING, "")
    assert {line.split()[0] for line in ran.err.splitlines()} == WRONG.keys()
    assert all(line.endswith(".") for line in ran.err.splitlines())


async def test_a_missing_token_is_one_sentence(stage: Stage) -> None:
    for ran in (await stage.run("run", ["DISCORD_TOKEN"]), await stage.run("run", DISCORD_TOKEN=" ")):
        assert (ran.status, ran.out) == (EXIT_SETTING, "")
        [sentence] = ran.err.splitlines()
        assert sentence.startswith("DISCORD_TOKEN is not set: put it into .env or the environment.")


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("OLLAMA_HOST", "http://:port", EXIT_SETTING),
        ("OLLAMA_HOST", "ftp://example.com", EXIT_SETTING),
        ("OLLAMA_TEMPERATURE", "hot", EXIT_SETTING),
        ("OLLAMA_STOP", "|", EXIT_SETTING),
        ("DATABASE_URL", "llampost.db", EXIT_SETTING),
        ("DATABASE_URL", "sqlite+aiosqlite://", EXIT_SETTING),
        ("DATABASE_URL", "postgresql+nothing://u:geheim@h/d", EXIT_SETTING),
    ],
)
async def test_a_wrong_text_is_one_sentence(stage: Stage, name: str, value: str, status: int) -> None:
    ran = await stage.run("run", **{name: value})

    assert (ran.status, ran.out) == (status, "")
    [sentence] = ran.err.splitlines()
    assert name in sentence
    assert "geheim" not in sentence


async def test_an_unset_setting_has_its_default(stage: Stage) -> None:
    ran = await stage.run("check", ["DATABASE_URL", "OLLAMA_MODEL"])

    assert "llama3.2 is not there" in ran.out
    assert "Database: not there yet" in ran.out


async def test_the_file_env_counts_less_than_the_environment(stage: Stage) -> None:
    (stage.folder / ".env").write_text(f"DISCORD_TOKEN={stage.discord.token}\nOLLAMA_MODEL=from-the-file\n")

    ran = await stage.run("check", ["DISCORD_TOKEN"])
    assert "ok    Discord token: accepted" in ran.out
    assert "tiny:1b is there" in ran.out

    ran = await stage.run("check", ["OLLAMA_MODEL"])
    assert "from-the-file is not there" in ran.out
