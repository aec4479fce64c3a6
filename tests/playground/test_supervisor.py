"""A bot over many of its lives, as a visitor of the demo restarts, kills and disconnects it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from playground.bot_process import BotFailedError
from playground.discord import ChannelHandle, EventKind, LoopbackDiscord
from playground.supervisor import BotState, Supervisor
from tests.playground.stub_bot import process, put_into

pytestmark = pytest.mark.wire
PATIENCE = 20.0


class Told:
    """What the supervisor said, and a way to wait for a state."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.states: list[str] = []
        self._supervisor = supervisor
        self._changed = asyncio.Event()
        supervisor.listen(self._note)

    def _note(self) -> None:
        self.states.append(str(self._supervisor.state))
        self._changed.set()

    async def until(self, state: BotState) -> None:
        async with asyncio.timeout(PATIENCE):
            while state not in self.states:
                self._changed.clear()
                await self._changed.wait()


class Stage:
    def __init__(self, discord: LoopbackDiscord, folder: Path, **environment: str) -> None:
        self.discord = discord
        self.reports: list[str] = []
        self.bot = process(discord, folder, **environment)
        self.supervisor = Supervisor(self.bot, cut=discord.cut_off, report=self.reports.append)
        self.told = Told(self.supervisor)


@pytest.fixture
async def discord() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as discord:
        discord.add_guild().add_channel()
        yield discord


@pytest.fixture
async def stage(discord: LoopbackDiscord, tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(discord, put_into(tmp_path))
    await stage.supervisor.start()
    yield stage
    await stage.supervisor.stop()


@contextmanager
def another_life(stage: Stage) -> Iterator[None]:
    before = stage.bot.pid
    stage.told.states.clear()
    yield
    assert stage.bot.pid != before
    assert stage.bot.is_running


async def test_a_restart_ends_the_bot_politely_and_brings_it_back(stage: Stage) -> None:
    with another_life(stage):
        await stage.supervisor.restart()
    assert stage.told.states == ["stopping", "stopped", "starting", "running"]
    assert stage.reports == []


async def test_a_killed_bot_is_seen_as_crashed_and_comes_back(stage: Stage) -> None:
    with another_life(stage):
        await stage.supervisor.kill()
    assert stage.told.states == ["crashed", "starting", "running"]
    assert stage.reports == []


async def test_two_clicks_at_once_never_run_two_bots(stage: Stage) -> None:
    with another_life(stage):
        await asyncio.gather(stage.supervisor.restart(), stage.supervisor.kill())
    assert stage.told.states == ["stopping", "stopped", "starting", "running", "crashed", "starting", "running"]


async def test_a_bot_that_loses_its_connection_comes_back_by_itself(stage: Stage) -> None:
    pid, begun = stage.bot.pid, time.monotonic()
    stage.told.states.clear()
    await stage.supervisor.cut()
    await stage.discord.wait_for(lambda event: event.kind is EventKind.RESUMED, since=begun, timeout=1)
    assert stage.told.states == ["reconnecting", "running"]
    assert stage.bot.pid == pid


async def test_a_bot_that_crashed_has_no_connection_to_cut(stage: Stage) -> None:
    await stage.bot.kill()
    await stage.told.until(BotState.CRASHED)
    stage.told.states.clear()

    await stage.supervisor.cut()

    assert stage.told.states == []


async def test_a_bot_that_ends_unasked_is_reported_with_its_log(stage: Stage) -> None:
    anna = stage.discord.add_user("Anna")
    guild = next(iter(stage.discord.world.guilds.values()))
    stage.discord.world.add_member(guild, anna.user, [])
    channel = next(one for one in stage.discord.world.channels.values() if one.guild_id == guild.id)

    anna.slash(ChannelHandle(stage.discord, channel), "ask", prompt="die")
    await stage.told.until(BotState.CRASHED)

    assert stage.reports[0].startswith("The bot ended with exit code 3. Its log ends:")
    with another_life(stage):
        await stage.supervisor.restart()


async def test_a_bot_that_does_not_start_is_an_error(discord: LoopbackDiscord, tmp_path: Path) -> None:
    stage = Stage(discord, put_into(tmp_path), BROKEN="1")
    with pytest.raises(BotFailedError, match="a setting is missing"):
        await stage.supervisor.start()
    assert stage.told.states == ["starting", "crashed"]
    assert stage.supervisor.can_restart


def moved(folder: Path, name: str) -> Path:
    return folder.rename(folder.with_name(name))


async def test_a_bot_whose_folder_is_gone_for_a_while_can_be_started_later(stage: Stage, tmp_path: Path) -> None:
    elsewhere = moved(tmp_path, "elsewhere")
    stage.told.states.clear()

    await stage.supervisor.restart()

    assert stage.told.states == ["stopping", "stopped", "starting", "crashed"]
    assert stage.supervisor.can_restart
    assert "No such file or directory" in stage.reports[0]
    moved(elsewhere, tmp_path.name)
    with another_life(stage):
        await stage.supervisor.restart()
