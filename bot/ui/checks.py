"""Who may do what, checked in the bot on every call: what Discord was told of permissions is only a default there."""

from __future__ import annotations

import discord

from bot.errors import BadInput, NotAllowed


def may(interaction: discord.Interaction[discord.Client], permission: str) -> bool:
    """Whether the person has a permission in this channel; in a direct message people decide for themselves."""
    return interaction.guild_id is None or bool(getattr(interaction.permissions, permission))


def require(interaction: discord.Interaction[discord.Client], permission: str) -> None:
    """Raise NotAllowed where the person lacks the permission, by discord.py's name for it."""
    if not may(interaction, permission):
        raise NotAllowed(f"For this you need the permission “{permission_name(permission)}” in this server.")


def require_server(interaction: discord.Interaction[discord.Client], what: str) -> int:
    """The server's id. Raises BadInput in a direct message; `what` begins the sentence, such as "Personas are kept"."""
    if interaction.guild_id is None:
        raise BadInput(f"{what} per server, and a direct message belongs to none. Please do it in a server's channel.")
    return interaction.guild_id


def permission_name(permission: str) -> str:
    """A permission as Discord's client words it."""
    # Discord's client says Server where its API says guild.
    return permission.replace("guild", "server").replace("_", " ").title()
