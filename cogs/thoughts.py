"""A model's thoughts, folded behind a button."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.client import Bot
from bot.ui.errors import tell_user
from bot.ui.thoughts import ThoughtsButton, show_thoughts


class ThoughtsCog(commands.Cog, name="Thoughts"):
    """Answers the button wherever it stands."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._memory = bot.services.memory

    async def cog_load(self) -> None:
        """Take up presses of all such buttons, also of those that an earlier process made."""
        self._bot.add_dynamic_items(ThoughtsButton)

    async def cog_unload(self) -> None:
        """Leave them alone again."""
        self._bot.remove_dynamic_items(ThoughtsButton)

    @commands.Cog.listener()
    async def on_thoughts_pressed(self, interaction: discord.Interaction[Bot], answer_id: int) -> None:
        """Show what the model thought before an answer."""
        if not self._bot.heard.is_news(interaction.id):
            return
        try:
            await show_thoughts(interaction, await self._memory.thoughts(answer_id))
        except Exception as error:  # noqa: BLE001  # the door for errors of buttons
            await tell_user(interaction, error)


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(ThoughtsCog(bot))
