"""A question with two buttons that only the person who is asked can press."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import discord

from bot.delivery.surface import NO_MENTIONS, PASSING
from bot.ui.views import TellingView

PATIENCE = 120
"""Seconds after which the question lapses."""


class Confirm(TellingView):
    """Does nothing until its person agrees. Shown privately, so nobody else can press."""

    def __init__(self, *, label: str, action: Callable[[], Awaitable[str]]) -> None:
        """Take the word on the dangerous button, and what it does; the action returns what to say afterwards."""
        super().__init__(timeout=PATIENCE)
        self._action = action
        self._asked: discord.Interaction[discord.Client] | None = None
        self._is_answered = False
        self.agree.label = label

    async def ask(self, interaction: discord.Interaction[discord.Client], question: str) -> None:
        """Ask privately; the buttons do the rest."""
        self._asked = interaction
        await interaction.response.send_message(question, view=self, ephemeral=True, allowed_mentions=NO_MENTIONS)

    @discord.ui.button(style=discord.ButtonStyle.danger)
    async def agree(self, interaction: discord.Interaction[discord.Client], _: discord.ui.Button[Confirm]) -> None:
        """Take the buttons away, do it, and say what was done; `on_error` says why it was not."""
        # What it does may take longer than Discord waits for a response.
        if not await self._close(interaction, "One moment…"):
            return
        try:
            done = await self._action()
        except Exception:
            with suppress(*PASSING):
                await interaction.edit_original_response(content="That did not work.")
            raise
        await interaction.edit_original_response(content=done, allowed_mentions=NO_MENTIONS)

    @discord.ui.button(label="Cancel", style=discord.ButtonStyle.secondary)
    async def cancel(self, interaction: discord.Interaction[discord.Client], _: discord.ui.Button[Confirm]) -> None:
        """Leave everything as it is."""
        await self._close(interaction, "Nothing was changed.")

    async def _close(self, interaction: discord.Interaction[discord.Client], text: str) -> bool:
        """Say a text in place of the buttons; whether that was the first press. Where it fails, they go on working."""
        if self._is_answered:
            await interaction.response.defer()
            return False
        self._is_answered = True
        try:
            await interaction.response.edit_message(content=text, view=None)
        except BaseException:
            self._is_answered = False
            raise
        self.stop()
        return True

    async def on_timeout(self) -> None:
        """Take the buttons away, since they no longer do anything."""
        if self._asked:
            with suppress(*PASSING):  # the question was dismissed
                await self._asked.edit_original_response(content="Nothing was changed: nobody answered.", view=None)
