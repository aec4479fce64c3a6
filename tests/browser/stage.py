"""What the browser's tests act on: the demo's own parts, with a model that says what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playground.bot_process import BotProcess
from playground.discord import Actor, ChannelHandle, GuildHandle, LoopbackDiscord, Settings
from playground.model.tap import Tap
from playground.page import About, Page
from playground.page.gauges import Gauges
from playground.scene import furnish
from playground.supervisor import Supervisor
from tests.fake_ollama import MODEL, FakeOllama

PATIENCE = 15.0
"""Seconds for what takes one; the machine may be busy."""


class Stage:
    """The team of the demo, the real bot, and the page at `url`, also after it was closed and opened again."""

    def __init__(
        self, discord: LoopbackDiscord, ollama: FakeOllama, tap: Tap, supervisor: Supervisor, about: About
    ) -> None:
        self.discord = discord
        self.ollama = ollama
        self._supervisor = supervisor
        self._about = about
        self._gauges = Gauges(discord, tap)
        self._page: Page | None = None
        self.url = ""
        (guild,) = discord.world.guilds.values()
        self.guild = GuildHandle(discord, guild)
        self.anna, self.ben, self.cleo = (self._person(name) for name in ("Anna", "Ben", "Cleo"))

    async def open_page(self) -> None:
        """Serve the page, a second time where it was before."""
        token = self._page.token if self._page else ""
        port = urlsplit(self.url).port or 0
        self._page = Page(
            self.discord, about=self._about, bot=self._supervisor, gauges=self._gauges, port=port, token=token
        )
        await self._page.__aenter__()
        self.url = self._page.url

    async def close_page(self) -> None:
        """Let the page go away; bot and Discord go on."""
        if self._page:
            await self._page.__aexit__()

    def add_channel(self, name: str) -> ChannelHandle:
        """A channel of a test's own."""
        return self.guild.add_channel(name)

    def _person(self, name: str) -> Actor:
        return Actor(self.discord, next(user for user in self.discord.world.users.values() if user.name == name))


@asynccontextmanager
async def staged(
    folder: Path, *, model: str = MODEL, about: About | None = None, settings: Settings | None = None
) -> AsyncIterator[Stage]:
    """Set everything up and start the bot."""
    ollama = FakeOllama()
    ollama.models = {model: {"context_length": 8192, "capabilities": ["completion"]}}
    ollama.loaded = {model}
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(ollama.serving())
        discord = await stack.enter_async_context(LoopbackDiscord(settings))
        furnish(discord)
        tap = await stack.enter_async_context(Tap(host))
        bot = BotProcess(discord, folder, ollama_host=tap.url, ollama_model=model, start_timeout=PATIENCE)
        supervisor = Supervisor(bot, cut=discord.cut_off, report=print)
        stack.push_async_callback(supervisor.stop)
        await supervisor.start()
        about = about or About(model, embedded=False, note="A scripted model answers here.")
        stage = Stage(discord, ollama, tap, supervisor, about)
        await stage.open_page()
        stack.push_async_callback(stage.close_page)
        yield stage
