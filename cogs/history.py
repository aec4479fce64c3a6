"""/history and “Save answer as file”: what is remembered, taking back, forgetting, taking away."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.history import ExportFormat
from bot.chat.messages import Place
from bot.client import Bot
from bot.delivery.surface import text_file
from bot.errors import BadInput
from bot.ui.checks import may
from bot.ui.confirm import Confirm
from bot.ui.context_meter import described
from bot.ui.places import author_of, place_of
from bot.ui.responses import acknowledge, first_words, respond

SHOWN = 150
"""Characters of a question that is taken back."""

SAVE_ANSWER = "Save answer as file"
"""What people choose in a message's menu, under Apps."""

FILES = {ExportFormat.MARKDOWN: "conversation.md", ExportFormat.JSON: "conversation.json"}


class HistoryCog(commands.GroupCog, group_name="history", group_description="What is remembered of this conversation"):
    """Everyone may look; forgetting is for those who manage messages, and for people in a conversation of their own."""

    def __init__(self, bot: Bot) -> None:
        self._history = bot.services.history
        self._meter = bot.services.meter
        self._conversations = bot.services.conversations
        self._tree = bot.tree
        # discord.py does not find these in a cog by itself.
        self._save = app_commands.ContextMenu(name=SAVE_ANSWER, callback=self.save_answer)

    async def cog_load(self) -> None:
        """Offer the command in the menu of every message."""
        self._tree.add_command(self._save)

    async def cog_unload(self) -> None:
        """Take it away again."""
        self._tree.remove_command(self._save.name, type=self._save.type)

    async def save_answer(self, interaction: discord.Interaction[Bot], message: discord.Message) -> None:
        """Give the person the whole answer that a message shows or belongs to."""
        if message.author != interaction.client.user:
            raise BadInput("This message is not mine; only my answers can be saved.")
        text = await self._history.answer(place_of(interaction), message.id)
        await respond(interaction, "Here is the whole answer.", file=text_file("answer.md", text))

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show what is remembered of this conversation, and how much of it goes to the model."""
        # The model is asked how much it takes.
        await acknowledge(interaction, ephemeral=True)
        place = await self._conversation(interaction)
        reading = await self._meter.read(place, author_of(interaction.user))
        await respond(interaction, described(reading, place))

    @app_commands.command()
    async def undo(self, interaction: discord.Interaction[Bot]) -> None:
        """Forget the last question and its answer."""
        question = await self._history.undo(await self._conversation(interaction), only_by=_only_by(interaction))
        # Only for whoever took it back: it may be just what should not have been said.
        await respond(interaction, f"Forgotten, with its answer: “{first_words(question.content, SHOWN)}”")

    @app_commands.command()
    async def clear(self, interaction: discord.Interaction[Bot]) -> None:
        """Forget this whole conversation; asks first."""
        place, only_by = await self._conversation(interaction), _only_by(interaction)
        await self._history.check_clear(place, only_by=only_by)

        async def forget() -> str:
            count = await self._history.clear(place, only_by=only_by)  # others may have asked since
            return f"All {count} messages of this conversation are forgotten."

        await Confirm(label="Forget everything", action=forget).ask(
            interaction,
            "Shall I forget this whole conversation? The messages in Discord stay, my memory goes for good.",
        )

    @app_commands.command()
    @app_commands.describe(kind="Markdown to read, JSON for programs")
    @app_commands.rename(kind="format")
    async def export(self, interaction: discord.Interaction[Bot], kind: ExportFormat = ExportFormat.MARKDOWN) -> None:
        """Take the whole conversation away as a file."""
        text = await self._history.export(await self._conversation(interaction), kind)
        await respond(interaction, "Here is what I remember of this conversation.", file=text_file(FILES[kind], text))

    async def _conversation(self, interaction: discord.Interaction[Bot]) -> Place:
        """Everybody's in this place, or the person's own."""
        return await self._conversations.of(place_of(interaction), author_of(interaction.user))


def _only_by(interaction: discord.Interaction[Bot]) -> int | None:
    """Whose messages the person may forget: only their own, or everybody's (None)."""
    return None if may(interaction, "manage_messages") else interaction.user.id


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(HistoryCog(bot))
