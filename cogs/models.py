"""/model: which models the Ollama server has, which one answers here, and downloading a further one."""

from __future__ import annotations

import asyncio
from functools import partial

import discord
import humanize
from discord import app_commands
from discord.ext import commands

from bot.chat.model import ModelDetails, ModelSummary
from bot.client import Bot
from bot.delivery.interaction_surface import InteractionSurface
from bot.errors import BadInput, ModelNotFound
from bot.ui.checks import require
from bot.ui.completion import Choices, model_choices
from bot.ui.cut_off import CutOffDownloads
from bot.ui.download import CANCEL, Download, say_cut_off
from bot.ui.places import author_of, place_of
from bot.ui.responses import acknowledge, respond

MAX_LISTED = 40


class ModelCog(commands.GroupCog, group_name="model", group_description="The models of the Ollama server"):
    """Everyone may look; choosing is for those who manage channels, downloading for those who manage the server."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._models = bot.services.models
        self._profiles = bot.services.profiles
        self._preferences = bot.services.preferences
        self._caller = bot.services.caller
        self._downloads: set[Download] = set()
        self._buttons: set[str] = set()
        """Ids of the cancel buttons of this process's downloads, of those too that are over."""
        self._cut_off = CutOffDownloads(bot, state=bot.services.state, caller=bot.services.caller)
        self._closing: asyncio.Task[None] | None = None

    async def cog_load(self) -> None:
        """Called at the start, before anybody can begin a download."""
        self._closing = asyncio.create_task(self._cut_off.close(await self._cut_off.find()))

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show which model answers in this channel and what it can do."""
        await acknowledge(interaction, ephemeral=True)
        chosen = (await self._profiles.resolve(place_of(interaction))).model
        summary = await self._models.find(chosen.value)
        if summary is None:
            raise ModelNotFound(
                f"**{chosen.value}** should answer here ({chosen.source} says so), but the Ollama server does not have "
                "it any more. `/model use` chooses another; `/model pull` downloads it again where that is allowed."
            )
        loaded = await self._models.is_loaded(summary.name)
        details = await self._models.details(summary.name)
        state = "in memory now" if loaded else "not in memory, so the first answer takes longer"
        await respond(
            interaction, f"**{summary.name}**, from {chosen.source}\n{_described(summary, details)}\nIt is {state}."
        )

    @app_commands.command(name="list")
    async def list_(self, interaction: discord.Interaction[Bot]) -> None:
        """List the models of the Ollama server."""
        await acknowledge(interaction, ephemeral=True)
        models = await self._models.all()
        if not models:
            raise ModelNotFound(
                "The Ollama server has no model yet; the operator adds one with `ollama pull llama3.2`."
            )
        details = await asyncio.gather(*(self._models.details(model.name) for model in models[:MAX_LISTED]))
        lines = [
            f"- **{model.name}**: {_described(model, known)}" for model, known in zip(models, details, strict=False)
        ]
        if len(models) > MAX_LISTED:
            lines.append(f"and {len(models) - MAX_LISTED} more")
        await respond(interaction, "\n".join(lines))

    @app_commands.command()
    @app_commands.describe(name="The model that answers in this channel from now on")
    async def use(self, interaction: discord.Interaction[Bot], name: str) -> None:
        """Choose the model for this channel."""
        require(interaction, "manage_channels")
        await acknowledge(interaction)
        model = await self._models.get(name)
        await self._preferences.use_model(place_of(interaction), model.name, by=author_of(interaction.user))
        await respond(interaction, f"**{model.name}** answers in this channel now.", public=True)

    @app_commands.command()
    @app_commands.describe(name="The model to download, such as llama3.2 or qwen3:4b")
    async def pull(self, interaction: discord.Interaction[Bot], name: str) -> None:
        """Download a model to the Ollama server."""
        if interaction.guild_id is None:
            # Not require_server's sentence: what is downloaded is there for every Discord server.
            raise BadInput("A model can be downloaded only in a server's channel, and a direct message is none.")
        require(interaction, "manage_guild")
        download = Download(
            name.strip(),
            self._models.pull(name),
            InteractionSurface(self._caller, interaction, private=False),
            interaction.user,
            partial(self._cut_off.noted, interaction.channel_id or 0),
        )
        self._downloads.add(download)
        self._buttons.add(download.cancel_button.custom_id or "")
        try:
            await download.run()
        finally:
            self._downloads.discard(download)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Bot]) -> None:
        """Take presses of cancel buttons whose download ended with the process that ran it."""
        pressed = str(interaction.data.get("custom_id", "")) if interaction.data else ""
        is_ours = pressed in self._buttons
        if pressed.startswith(CANCEL) and not is_ours and self._bot.heard.is_news(interaction.id):
            await say_cut_off(interaction)

    async def cog_unload(self) -> None:
        """Called at shutdown: no download is left looking as if it went on."""
        if self._closing:
            self._closing.cancel()  # what it did not come to waits for the next start
            await asyncio.gather(self._closing, return_exceptions=True)
        await asyncio.gather(*(download.cancel("the bot is being restarted") for download in self._downloads))

    @use.autocomplete("name")
    async def _complete(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:  # noqa: ARG002
        return await model_choices(self._models, typed)


def _described(model: ModelSummary, details: ModelDetails) -> str:
    """Size and abilities in one line."""
    facts = [humanize.naturalsize(model.size)]
    if model.parameters:
        facts.append(f"{model.parameters} parameters")
    if model.quantization:
        facts.append(model.quantization)
    if details.context_length:
        facts.append(f"context window up to {details.context_length:,} tokens")
    facts += _abilities(details)
    return " · ".join(facts)


def _abilities(details: ModelDetails) -> list[str]:
    """What it can do that matters here; what Ollama says of tools and the like is of no use in a channel."""
    found = ["sees images"] if details.can_see else []
    found += ["can think before it answers"] if details.can_think else []
    return found if details.can_answer else ["can't answer questions, made for searching texts"]


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(ModelCog(bot))
