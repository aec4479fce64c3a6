"""A page on each test's loopback Discord, and a browser at it."""

from collections.abc import AsyncIterator

import pytest

from playground.discord import Actor, GuildHandle, LoopbackDiscord
from playground.page import About, Page
from tests.playground.page.visitor import Controls, Readings, Visitor, visiting

TOKEN = "secret-of-this-page"


@pytest.fixture
def controls() -> Controls:
    return Controls()


@pytest.fixture
async def page(server: LoopbackDiscord, controls: Controls) -> AsyncIterator[Page]:
    about = About(model="tiny", embedded=True, note="A tiny model.")
    async with Page(server, about=about, bot=controls, gauges=Readings(), token=TOKEN) as page:
        yield page


@pytest.fixture
async def visitor(page: Page) -> AsyncIterator[Visitor]:
    async with visiting(page) as visitor:
        yield visitor


@pytest.fixture
def ben(guild: GuildHandle) -> Actor:
    return guild.add_member("Ben")
