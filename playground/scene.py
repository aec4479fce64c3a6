"""The team that a demo begins with: one server, a few channels, and people with different rights."""

from playground.discord import LoopbackDiscord, Permission

_MODERATOR = Permission.MANAGE_CHANNELS | Permission.MANAGE_MESSAGES | Permission.MANAGE_THREADS
_CHANNELS = ("general", "code", "random")


def furnish(discord: LoopbackDiscord) -> None:
    """Build the server; its people differ in what they may do, so that a visitor can try rights as well."""
    guild = discord.add_guild("Your team", owner=discord.add_user("Anna"))
    moderator = guild.add_role("Moderator", permissions=int(_MODERATOR))
    for name in _CHANNELS:
        guild.add_channel(name)
    guild.add_member("Ben", roles=[moderator])
    guild.add_member("Cleo")
