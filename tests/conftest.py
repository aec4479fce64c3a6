"""The whole bot as production builds it, on a real database file, a scripted Ollama and a simulated Discord."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import discord
import pytest
import simcord.backend.cdn
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.app import build_bot
from bot.assembly import Timing, build_services
from bot.client import Bot, Services
from bot.config import Settings, read_settings
from bot.delivery.budgets import Budgets
from bot.llm.ollama import OllamaModel, TimeLimits, connect
from bot.storage.database import Database, open_database
from bot.storage.migrations import migrate
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import FOREVER, PATIENCE, WaitsForOthers, unexpected


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "operator(**variables): the operator's environment for this test")


HOST = "http://127.0.0.1:11434"


@pytest.fixture
def in_a_terminal() -> Iterator[None]:
    """Signals as there, whoever runs the tests: one that is ignored here is ignored by every process begun here."""
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGHUP, hang_up)


@pytest.fixture
def fake() -> FakeOllama:
    return FakeOllama()


@pytest.fixture
def environment(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The operator's environment, with the variables of the test's `operator` marker."""
    marker = request.node.get_closest_marker("operator")
    return {
        "DISCORD_TOKEN": "not-a-token",
        "OLLAMA_HOST": HOST,
        "OLLAMA_MODEL": MODEL,
        "OLLAMA_PULL_ALLOW": "llama3*",
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'llampost.db'}",
        **(marker.kwargs if marker else {}),
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return read_settings(environment)


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as the migrations make it, once for all tests, because each copies it."""
    file = tmp_path_factory.mktemp("new") / "llampost.db"

    async def make() -> None:
        async with await open_database(f"sqlite+aiosqlite:///{file}") as database:
            await migrate(database)

    asyncio.run(make())
    return file


@pytest.fixture
def database_file(settings: Settings) -> Path:
    return Path(settings.database_url.partition("///")[2])


@pytest.fixture
async def database(settings: Settings, database_file: Path, new_database: Path) -> AsyncIterator[Database]:
    shutil.copy(new_database, database_file)
    async with await open_database(settings.database_url) as database:
        yield database


@pytest.fixture
async def model(fake: FakeOllama) -> AsyncIterator[OllamaModel]:
    async def at_once(_seconds: float) -> None:
        """Waits between two tries take no time."""

    limits = TimeLimits(first=FOREVER, between=FOREVER)
    async with connect(HOST, limits, transport=fake.transport, sleep=at_once) as model:
        yield model


@pytest.fixture
def services(settings: Settings, environment: dict[str, str], database: Database, model: OllamaModel) -> Services:
    return build_services(
        settings,
        database=database,
        model=model,
        environment=environment,
        budgets=Budgets(unlimited=True),
        timing=Timing(placeholder_after=0, patience=PATIENCE),
    )


@pytest.fixture
def new_bot(settings: Settings, services: Services) -> Callable[[], Bot]:
    """Builds a bot as a new process would, on the same database."""
    return lambda: build_bot(settings, services)


@pytest.fixture
def simcord_bot(new_bot: Callable[[], Bot], monkeypatch: pytest.MonkeyPatch) -> Bot:
    # Files that people attach in the simulation come from where Discord really keeps them.
    monkeypatch.setattr(simcord.backend.cdn, "CDN_BASE", discord.Asset.BASE)
    return new_bot()


@pytest.fixture
def env(simcord_env: Env) -> Iterator[Env]:
    """The simulated Discord; errors with a sentence for people are no failures, all others are."""
    simcord_env._work.external_waits = WaitsForOthers()
    yield simcord_env
    if simcord_env.check_errors:
        assert not unexpected(simcord_env.errors)


@pytest.fixture
def me(env: Env) -> str:
    """The bot, mentioned."""
    return f"<@{env.backend.bot_user.id}>"


@pytest.fixture
def guild(env: Env) -> GuildHandle:
    return env.create_guild("Team")


@pytest.fixture
def channel(guild: GuildHandle) -> ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def alice(env: Env, guild: GuildHandle) -> MemberActor:
    """A member without any special rights."""
    return guild.add_member(env.create_user("alice"))


@pytest.fixture
def bob(env: Env, guild: GuildHandle) -> MemberActor:
    """Another member without any special rights."""
    return guild.add_member(env.create_user("bob"))


@pytest.fixture
def boss(env: Env, guild: GuildHandle) -> MemberActor:
    """Manages the server, its channels and messages, and may mention everyone."""
    rights = discord.Permissions(manage_guild=True, manage_channels=True, manage_messages=True, mention_everyone=True)
    return guild.add_member(env.create_user("boss"), roles=[guild.create_role("boss", permissions=rights)])
