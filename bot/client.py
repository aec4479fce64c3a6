"""The Discord side of the bot: connects, loads the cogs by name, keeps Discord's list of commands up to date."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from bot.calendar import Calendar
from bot.chat.branching import Branching
from bot.chat.context_meter import ContextMeter
from bot.chat.display import Displays
from bot.chat.history import History
from bot.chat.limits import Limits
from bot.chat.memory import ConversationStore, OpenAnswerStore, StateStore
from bot.chat.messages import Author, Place
from bot.chat.mirror import MirrorStore
from bot.chat.models import Models
from bot.chat.personas import Personas
from bot.chat.preferences import Preferences
from bot.chat.privacy import Privacy
from bot.chat.profiles import Profiles
from bot.chat.receipts import Receipts
from bot.chat.sharing import Conversations
from bot.delivery.calls import Caller, trace
from bot.delivery.deliveries import Deliveries
from bot.ui.addressed import QuestionReader
from bot.ui.aftermath import Aftermath
from bot.ui.answer_buttons import AnswerButtons
from bot.ui.catching_up import CatchingUp
from bot.ui.corrections import Corrections
from bot.ui.errors import tell_user
from bot.ui.heard import Heard
from bot.ui.mirroring import Mirroring
from bot.ui.quotes import Quotes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that cogs may call."""

    deliveries: Deliveries
    caller: Caller
    profiles: Profiles
    displays: Displays
    conversations: Conversations
    privacy: Privacy
    preferences: Preferences
    personas: Personas
    models: Models
    history: History
    meter: ContextMeter
    memory: ConversationStore
    mirror: MirrorStore
    open_answers: OpenAnswerStore
    state: StateStore
    reader: QuestionReader
    quotes: Quotes
    limits: Limits
    receipts: Receipts
    branching: Branching
    calendar: Calendar
    num_ctx: int
    """The operator's context window in tokens."""


class CommandTree(app_commands.CommandTree["Bot"]):
    """Slash commands, each taken up once, whose errors all end in one sentence for whoever met them."""

    async def interaction_check(self, interaction: discord.Interaction[Bot], /) -> bool:
        """Leave alone what the gateway tells a second time."""
        return interaction.client.heard.is_news(interaction.id)

    async def on_error(self, interaction: discord.Interaction[Bot], error: app_commands.AppCommandError) -> None:
        """Tell the person."""
        await tell_user(interaction, error)


class Bot(commands.Bot):
    """Knows no SQL, no Ollama and no cog: cogs are loaded by name and find everything in `services`."""

    def __init__(self, *, services: Services, cogs: Sequence[str], message_content: bool) -> None:
        """Take the names of the cogs to load, and whether Discord may be asked for the text of every message."""
        intents = discord.Intents.default()
        intents.message_content = message_content
        intents.typing = False
        # We have no voice, so its missing libraries are no news.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            command_prefix=(),
            help_command=None,
            intents=intents,
            tree_cls=CommandTree,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            http_trace=trace(services.calendar.heard),
        )
        self.services = services
        self.heard = Heard()
        self.corrections = Corrections(
            client=self,
            caller=services.caller,
            store=services.mirror,
            memory=services.memory,
            deliveries=services.deliveries,
            limits=services.limits,
            is_opted_out=services.privacy.is_opted_out,
            reader=services.reader,
            take_back=self._take_back,
        )
        self.mirroring = Mirroring(
            client=self, store=services.mirror, deliveries=services.deliveries, corrections=self.corrections
        )
        self.catching_up = _catching_up(self)
        self._cog_names = cogs
        self._looking_back: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        """Load the cogs; a cog that does not load is a bug and ends the start."""
        for name in self._cog_names:
            await self.load_extension(name)
        await self._sync_commands()
        await self._look_back()

    async def _look_back(self) -> None:
        """Look after what the last process left on its way."""
        services = self.services
        interrupted = await services.memory.interrupt_running()
        left = await services.open_answers.all()
        if left:
            log.info("%s answers were on their way when the bot ended, %s of them begun", len(left), len(interrupted))
        for one in left:
            for event_id in filter(None, (one.asked_in, one.interaction_id)):
                self.heard.know(event_id)
        aftermath = Aftermath(
            self,
            open_answers=services.open_answers,
            memory=services.memory,
            deliveries=services.deliveries,
            reader=services.reader,
            caller=services.caller,
            buttons=AnswerButtons(),
            refresh=self._refresh,
        )
        self._looking_back = asyncio.create_task(aftermath.deal_with(left))

    async def _take_back(self, place: Place, asked_in: Collection[int]) -> None:
        """Let a question go of which nothing is left, as if its messages were deleted."""
        await self.mirroring.taken_back(place, asked_in)

    async def _refresh(self, place: Place, person: Author) -> None:
        """Let the conversation that a person has in a place say what stands in Discord now."""
        await self.catching_up.refresh(await self.services.conversations.of(place, person))

    async def _sync_commands(self) -> None:
        """Tell Discord the commands, but only when they have changed since it was told last."""
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        fingerprint = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        key = f"commands:{self.application_id}"
        if await self.services.state.get(key) == fingerprint:
            log.info("The slash commands are unchanged")
            return
        await self.tree.sync()
        await self.services.state.set(key, fingerprint)
        log.info("Told Discord the slash commands: %s", ", ".join(command["name"] for command in payload))

    async def on_ready(self) -> None:
        """Say that all is well; Discord may send this more than once."""
        log.info("Ready as %s in %s servers", self.user, len(self.guilds))

    async def close(self) -> None:
        """Let running answers end or mark them, then leave Discord."""
        if self._looking_back:
            self._looking_back.cancel()
            # Left alone, it would be cancelled once more in the middle of closing its connection to the database.
            await asyncio.gather(self._looking_back, return_exceptions=True)
        await self.services.deliveries.close()
        await super().close()


def _catching_up(bot: Bot) -> CatchingUp:
    return CatchingUp(
        client=bot,
        store=bot.services.mirror,
        state=bot.services.state,
        mirroring=bot.mirroring,
        corrections=bot.corrections,
        deliveries=bot.services.deliveries,
        now=bot.services.caller.now,
    )
