"""What every message with buttons shares."""

from __future__ import annotations

import discord

from bot.ui.errors import tell_user


class TellingView(discord.ui.View):
    """Buttons whose errors end in one sentence for whoever pressed them."""

    async def on_error(
        self,
        interaction: discord.Interaction[discord.Client],
        error: Exception,
        item: discord.ui.Item[discord.ui.View],  # noqa: ARG002  # discord.py's signature
    ) -> None:
        """Say what went wrong."""
        await tell_user(interaction, error)
