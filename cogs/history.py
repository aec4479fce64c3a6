"""/history: what is remembered of this conversation, taking back, forgetting, taking away."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.history import ExportFormat, speaker
from bot.chat.messages import StoredMessage
from bot.client import Bot
from bot.delivery.surface import text_file
from bot.errors import NotAllowed
from bot.ui.checks import may
from bot.ui.confirm import Confirm
from bot.ui.places import author_of, place_of
from bot.ui.responses import respond

SHOWN = 150
"""Characters of a message that `/history show` shows."""

FILES = {ExportFormat.MARKDOWN: "conversation.md", ExportFormat.JSON: "conversation.json"}


class HistoryCog(commands.GroupCog, group_name="history", group_description="What is remembered of this conversation"):
    """Everyone may look; forgetting is for those who manage messages, and for people in a conversation of their own."""

    def __init__(self, bot: Bot) -> None:
        self._history = bot.services.history

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show what is remembered of this conversation."""
        summary = await self._history.summary(place_of(interaction))
        if not summary.total:
            await respond(interaction, "Nothing is remembered of this conversation yet.")
            return
        reach = f"the newest {summary.in_window} go to the model"
        lines = [
            f"{summary.total} messages are remembered here; {reach}. The last ones:",
            *(f"- **{speaker(message)}**: {_first_words(message)}" for message in summary.newest),
        ]
        await respond(interaction, "\n".join(lines))

    @app_commands.command()
    async def undo(self, interaction: discord.Interaction[Bot]) -> None:
        """Forget the last question and its answer."""
        place, author = place_of(interaction), author_of(interaction.user)
        if not (may(interaction, "manage_messages") or await self._history.asked_last(place, author)):
            raise NotAllowed(
                "The last question here is somebody else's; taking it back needs the permission “Manage Messages”."
            )
        question = await self._history.undo(place)
        await respond(interaction, f"Forgotten, with its answer: “{_first_words(question)}”", public=True)

    @app_commands.command()
    async def clear(self, interaction: discord.Interaction[Bot]) -> None:
        """Forget this whole conversation; asks first."""
        place, author = place_of(interaction), author_of(interaction.user)
        if not (may(interaction, "manage_messages") or await self._history.is_own(place, author)):
            raise NotAllowed("Other people asked here too; forgetting it all needs the permission “Manage Messages”.")

        async def forget() -> str:
            count = await self._history.clear(place)
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
        text = await self._history.export(place_of(interaction), kind)
        await respond(interaction, "Here is what I remember of this conversation.", file=text_file(FILES[kind], text))


def _first_words(message: StoredMessage) -> str:
    words = discord.utils.escape_markdown(" ".join(message.content.split()))
    return words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(HistoryCog(bot))
