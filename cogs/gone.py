"""What goes away in Discord is not written to its end, and is not remembered."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.chat.messages import Place
from bot.client import Bot


class Gone(commands.Cog):
    """Stops answers at once, before their next write would find out, and lets the memory forget what is gone."""

    def __init__(self, bot: Bot) -> None:
        self._deliveries = bot.services.deliveries
        self._mirroring = bot.mirroring

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A question or an answer was deleted, perhaps."""
        await self._mirroring.deleted(Place(event.channel_id, event.guild_id), {event.message_id})

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many messages were deleted at once."""
        await self._mirroring.deleted(Place(event.channel_id, event.guild_id), event.message_ids)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel was deleted, and all its threads."""
        await self._mirroring.channel_gone(channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """A thread was deleted."""
        await self._mirroring.channel_gone(event.thread_id)

    @commands.Cog.listener()
    async def on_raw_thread_update(self, event: discord.RawThreadUpdateEvent) -> None:
        """A thread was closed: messages in it can't be edited any more. It can be opened again."""
        state = event.data.get("thread_metadata", {})
        if state.get("archived") or state.get("locked"):
            self._deliveries.stop_in(lambda place: place.channel_id == event.thread_id)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was thrown out of a server, or the server was deleted."""
        await self._mirroring.server_gone(guild.id)

    @commands.Cog.listener()
    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """The permissions in a channel may have changed."""
        self._stop_hidden(after.guild)

    @commands.Cog.listener()
    async def on_guild_role_update(self, _: discord.Role, after: discord.Role) -> None:
        """The permissions of a role may have changed."""
        self._stop_hidden(after.guild)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """A role was deleted, perhaps the one that let the bot see a channel."""
        self._stop_hidden(role.guild)

    @commands.Cog.listener()
    async def on_member_update(self, _: discord.Member, after: discord.Member) -> None:
        """The bot may have lost a role."""
        if after == after.guild.me:
            self._stop_hidden(after.guild)

    def _stop_hidden(self, guild: discord.Guild) -> None:
        """Stop the answers in channels of a server that the bot can't see any more."""

        def is_hidden(place: Place) -> bool:
            channel = guild.get_channel(place.parent_id or place.channel_id)
            return channel is not None and not channel.permissions_for(guild.me).view_channel

        self._deliveries.stop_where(lambda place: place.guild_id == guild.id and is_hidden(place))


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(Gone(bot))
