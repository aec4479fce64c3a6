"""A loopback Discord for each test, and the small bot on it."""

from collections.abc import AsyncIterator

import pytest

from playground.discord import Actor, ChannelHandle, GuildHandle, LoopbackDiscord
from tests.playground.small_bot import SmallBot, running


@pytest.fixture
async def server() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as server:
        yield server


@pytest.fixture
def guild(server: LoopbackDiscord) -> GuildHandle:
    return server.add_guild("Demo")


@pytest.fixture
def general(guild: GuildHandle) -> ChannelHandle:
    return guild.add_channel("general")


@pytest.fixture
def anna(guild: GuildHandle) -> Actor:
    return guild.add_member("Anna")


@pytest.fixture
async def bot(server: LoopbackDiscord, general: ChannelHandle, anna: Actor) -> AsyncIterator[SmallBot]:
    del general, anna
    async with running(server, SmallBot()) as bot:
        yield bot
