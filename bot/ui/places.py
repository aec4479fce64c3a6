"""From Discord's objects to the chat core's: who speaks, and where."""

from __future__ import annotations

import discord

from bot.chat.messages import Author, Place


def author_of(user: discord.abc.User) -> Author:
    """A person, by the name that is shown in this place."""
    return Author(user.id, user.display_name)


def roles_of(user: discord.abc.User) -> frozenset[int]:
    """The ids of the roles that somebody has in this server, everybody's among them; none in a direct message."""
    return frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset()


def place_of(interaction: discord.Interaction[discord.Client]) -> Place:
    """Where a command was given."""
    channel = interaction.channel
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
    return Place(interaction.channel_id or 0, interaction.guild_id, parent_id)


def place_of_message(message: discord.Message) -> Place:
    """Where a message was written."""
    parent_id = message.channel.parent_id if isinstance(message.channel, discord.Thread) else None
    return Place(message.channel.id, message.guild.id if message.guild else None, parent_id)
