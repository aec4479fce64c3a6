from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import doctor, health
from bot.__main__ import EXIT_DATABASE, EXIT_FAILED, EXIT_SETTING, main
from bot.config import Settings, read_settings
from bot.storage.database import open_database
from bot.storage.migrations import migrate
from playground.discord import Intent, LoopbackDiscord
from playground.discord import Settings as DiscordSettings
from playground.launch import discord_at
from tests.fake_ollama import MODEL, FakeOllama

ROOT = Path(__file__).parents[1]
NOBODY = "http://127.0.0.1:9"
"""An address at which nothing answers."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "llampost.db"


@pytest.fixture
def environment(tmp_path: Path, file: Path) -> dict[str, str]:
    """All that a bot needs, and nothing of whoever runs the tests."""
    measuring = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return measuring | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path),
        "DISCORD_TOKEN": "secret-token",
        "DATABASE_URL": f"sqlite+aiosqlite:///{file}",
        "OLLAMA_HOST": NOBODY,
        "OLLAMA_MODEL": MODEL,
    }


@pytest.fixture
def alone(tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """This process in the place of the bot's, for what ends before anything is started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return monkeypatch


@dataclass(frozen=True)
class Ran:
    """One run of the bot's command line."""

    status: int
    out: str
    err: str


async def run(arguments: Sequence[str], environment: dict[str, str], folder: Path) -> Ran:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ran(await process.wait(), out.decode(), err.decode())


WRONG = [
    ("OLLAMA_NUM_CTX", "3", "OLLAMA_NUM_CTX has a value that is not allowed."),
    ("OLLAMA_TEMPERATURE", "-1", "OLLAMA_TEMPERATURE takes a number from 0 to 2, not “-1”."),
    ("OLLAMA_HOST", "ftp://x", "OLLAMA_HOST is not an address"),
    ("LOG_LEVEL", "LOUD", "LOG_LEVEL has a value that is not allowed."),
]
NO_TOKEN = ("DISCORD_TOKEN", "", "DISCORD_TOKEN is not set: put it into .env or the environment.")
FAULTS = [(command, *fault) for command in ("run", "migrate", "check", "backup copy.db") for fault in WRONG]
FAULTS += [(command, *NO_TOKEN) for command in ("run", "migrate")]


@pytest.mark.parametrize(("command", "variable", "value", "sentence"), FAULTS)
def test_a_missing_or_wrong_setting_is_one_sentence_and_nothing_is_begun(
    command: str,
    variable: str,
    value: str,
    sentence: str,
    *,
    alone: pytest.MonkeyPatch,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone.setitem(os.environ, variable, value)

    assert main(command.split()) == EXIT_SETTING
    captured = capsys.readouterr()
    [line] = captured.err.splitlines()
    assert (captured.out, line.startswith(sentence)) == ("", True)
    assert ("secret-token" in line, file.exists()) == (False, False)


def test_a_setting_may_stand_in_the_file_beside_the_bot(
    alone: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("OLLAMA_TOP_P=5\n")

    assert main(["run"]) == EXIT_SETTING
    assert capsys.readouterr().err.startswith("OLLAMA_TOP_P takes a number from 0 to 1, not “5”.")


def test_an_unknown_command_is_answered_with_all_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["dance"])

    assert caught.value.code == 2
    assert "'run', 'migrate', 'check', 'backup', 'health'" in capsys.readouterr().err


def test_health_needs_no_settings(alone: pytest.MonkeyPatch) -> None:
    alone.delitem(os.environ, "DISCORD_TOKEN")

    assert main(["health"]) == EXIT_FAILED
    health.sign_of_life().touch()
    assert main(["health"]) == 0


async def test_a_missing_token_ends_the_process_with_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    del environment["DISCORD_TOKEN"]

    ran = await run(["bot"], environment, tmp_path)

    assert ran.status == EXIT_SETTING == 78
    assert ran.err == (
        "DISCORD_TOKEN is not set: put it into .env or the environment. "
        "It is the token of your Discord application's bot.\n"
    )


async def test_migrate_makes_the_database_and_does_it_again_without_harm(
    environment: dict[str, str], tmp_path: Path, file: Path
) -> None:
    first = await run(["bot", "migrate"], environment, tmp_path)
    second = await run(["bot", "migrate"], environment, tmp_path)

    assert (first.status, second.status) == (0, 0)
    assert "(it was blank)" in first.err
    assert "(it was blank)" not in second.err
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM conversations").fetchone() == (0,)
    connection.close()


def write_rubbish(file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("This is no database. " * 100)


def is_rubbish(file: Path) -> bool:
    return file.read_text() == "This is no database. " * 100


@pytest.mark.parametrize("command", ["run", "migrate"])
async def test_a_database_that_is_none_ends_the_process_with_a_sentence(
    command: str, environment: dict[str, str], tmp_path: Path, file: Path
) -> None:
    write_rubbish(file)

    ran = await run(["bot", command], environment, tmp_path)

    assert ran.status == EXIT_DATABASE == 74
    assert ran.err.splitlines()[-1].startswith("The file that DATABASE_URL names is not a database;")
    assert "Traceback" not in ran.err
    assert is_rubbish(file)


async def test_a_check_without_a_token_still_looks_at_the_rest(environment: dict[str, str], tmp_path: Path) -> None:
    ran = await run(["bot", "check"], environment | {"DISCORD_TOKEN": ""}, tmp_path)

    first, *rest = ran.out.splitlines()
    assert first.startswith("FAIL  Discord token: DISCORD_TOKEN is not set. Put your bot's token into the file .env")
    assert (ran.status, rest[-1][6:14]) == (1, "Database")


async def test_a_database_address_that_is_none_is_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    ran = await run(["bot", "migrate"], environment | {"DATABASE_URL": "mysql://u:swordfish@h/x"}, tmp_path)

    assert ran.status == EXIT_SETTING
    [line] = ran.err.splitlines()
    assert line.startswith("DATABASE_URL")
    assert "swordfish" not in line


async def test_a_token_that_discord_refuses_ends_the_process_with_a_sentence(
    discord: LoopbackDiscord, environment: dict[str, str], tmp_path: Path
) -> None:
    ran = await run(["playground.launch", discord.url, "run"], environment, tmp_path)

    assert ran.status == EXIT_SETTING
    assert ran.err.splitlines()[-1].startswith("DISCORD_TOKEN is refused by Discord:")
    assert "secret-token" not in ran.err
    assert "Traceback" not in ran.err


@pytest.fixture
async def discord() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as server:
        yield server


@pytest.fixture
def ollama() -> FakeOllama:
    return FakeOllama()


@pytest.fixture
async def well(
    discord: LoopbackDiscord, ollama: FakeOllama, environment: dict[str, str], file: Path
) -> AsyncIterator[dict[str, str]]:
    """An environment in which nothing is wrong."""
    async with (
        ollama.serving() as host,
        await open_database(environment["DATABASE_URL"]) as database,
    ):
        await migrate(database)
        yield environment | {"DISCORD_TOKEN": discord.token, "OLLAMA_HOST": host}


async def test_check_says_of_everything_that_it_is_well(
    discord: LoopbackDiscord, well: dict[str, str], tmp_path: Path
) -> None:
    ran = await run(["playground.launch", discord.url, "check"], well, tmp_path)

    assert ran.status == 0
    assert [line.split(":")[0] for line in ran.out.splitlines()] == [
        "ok    Discord token",
        "ok    Discord intents",
        "ok    Ollama",
        "ok    Default model",
        "ok    Database",
    ]
    assert ran.err == ""


async def test_check_goes_on_after_a_fault_and_fails_in_the_end(
    discord: LoopbackDiscord, well: dict[str, str], tmp_path: Path
) -> None:
    ran = await run(
        ["playground.launch", discord.url, "check"],
        well | {"DISCORD_TOKEN": "secret-token", "OLLAMA_HOST": NOBODY},
        tmp_path,
    )

    assert ran.status == EXIT_FAILED
    assert [line.split(":")[0] for line in ran.out.splitlines()] == [
        "FAIL  Discord token",
        "FAIL  Ollama",
        "ok    Database",
    ]
    assert ran.err == ""
    assert "secret-token" not in ran.out


async def examined(settings: Settings, url: str) -> dict[str, tuple[bool, str]]:
    with discord_at(url):
        return {found.subject: (found.ok, found.words) async for found in doctor.examine(settings)}


async def test_a_refused_token_is_told_with_where_to_get_one(discord: LoopbackDiscord, well: dict[str, str]) -> None:
    found = await examined(read_settings(well | {"DISCORD_TOKEN": "wrong"}), discord.url)

    ok, words = found["Discord token"]
    assert not ok
    assert words.startswith("Discord refuses DISCORD_TOKEN.")
    assert "Discord intents" not in found


async def test_a_discord_out_of_reach_is_told_apart_from_a_wrong_token(well: dict[str, str]) -> None:
    ok, words = (await examined(read_settings(well), NOBODY))["Discord token"]

    assert not ok
    assert words.startswith("Discord can't be reached.")


@pytest.mark.parametrize(
    ("wanted", "granted", "ok", "words"),
    [
        ("false", Intent(0), True, "none needed"),
        ("true", Intent.MESSAGE_CONTENT, True, "Message Content is granted"),
        ("true", Intent(0), False, "MESSAGE_CONTENT_INTENT is true, but the intent is off at Discord."),
    ],
)
async def test_the_intent_is_compared_with_what_discord_grants(
    well: dict[str, str], wanted: str, granted: Intent, ok: bool, words: str
) -> None:
    async with LoopbackDiscord(DiscordSettings(privileged_intents=granted)) as server:
        settings = read_settings(well | {"DISCORD_TOKEN": server.token, "MESSAGE_CONTENT_INTENT": wanted})
        found = (await examined(settings, server.url))["Discord intents"]

    assert found[0] is ok
    assert found[1].startswith(words)


async def test_an_ollama_that_is_not_there_is_told_with_the_usual_mistake(
    discord: LoopbackDiscord, well: dict[str, str]
) -> None:
    found = await examined(read_settings(well | {"OLLAMA_HOST": NOBODY}), discord.url)

    ok, words = found["Ollama"]
    assert not ok
    assert NOBODY in words
    assert "http://host.docker.internal:11434" in words
    assert "Default model" not in found


async def test_an_ollama_elsewhere_gets_no_advice_on_containers(discord: LoopbackDiscord, well: dict[str, str]) -> None:
    found = await examined(read_settings(well | {"OLLAMA_HOST": "http://127.0.0.2:9"}), discord.url)

    assert not found["Ollama"][0]
    assert "container" not in found["Ollama"][1]


async def test_an_address_that_is_none_is_told(discord: LoopbackDiscord, well: dict[str, str]) -> None:
    ok, words = (await examined(read_settings(well | {"OLLAMA_HOST": "ftp://x"}), discord.url))["Ollama"]

    assert not ok
    assert words.startswith("OLLAMA_HOST is not an address")


async def test_a_default_model_that_is_missing_is_told_with_those_there_are(
    discord: LoopbackDiscord, well: dict[str, str], ollama: FakeOllama
) -> None:
    settings = read_settings(well | {"OLLAMA_MODEL": "other"})

    ok, words = (await examined(settings, discord.url))["Default model"]
    assert not ok
    assert words == f"other is not there. Run `ollama pull other`, or set OLLAMA_MODEL to one that is: {MODEL}."

    ollama.models = {"other:latest": {}}
    assert (await examined(settings, discord.url))["Default model"] == (True, "other is there")
    ollama.models = {}
    assert (await examined(settings, discord.url))["Default model"][1].endswith("to one that is: none.")


async def database_found(well: dict[str, str], file: Path) -> tuple[bool, str]:
    settings = read_settings(well | {"DATABASE_URL": f"sqlite+aiosqlite:///{file}"})
    return (await examined(settings, NOBODY))["Database"]


async def test_a_database_in_use_is_well(well: dict[str, str], file: Path) -> None:
    ok, words = await database_found(well, file)

    assert ok
    assert words.startswith("writable, at the newest schema")


async def test_a_database_that_is_not_there_yet_is_told_and_not_made(well: dict[str, str], tmp_path: Path) -> None:
    ok, words = await database_found(well, tmp_path / "new" / "x.db")

    assert ok
    assert words == "not there yet; the first start makes it"
    assert not (tmp_path / "new").exists()


async def test_a_blank_database_is_well(well: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "blank.db").touch()

    assert await database_found(well, tmp_path / "blank.db") == (
        True,
        "writable and still blank; the first start fills it",
    )


async def test_a_file_that_is_no_database_is_told(well: dict[str, str], tmp_path: Path) -> None:
    write_rubbish(tmp_path / "x.db")

    ok, words = await database_found(well, tmp_path / "x.db")

    assert not ok
    assert words.startswith("The file that DATABASE_URL names is not a database;")


async def test_a_database_of_a_newer_bot_is_told(well: dict[str, str], file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    ok, words = await database_found(well, file)

    assert not ok
    assert "written by a newer version of the bot" in words
