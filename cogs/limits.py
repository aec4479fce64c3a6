"""/limits: how much people may ask, by role."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.limits import Limits, Quota, RoleLimit
from bot.client import Bot
from bot.ui.checks import require, require_server
from bot.ui.places import author_of, roles_of
from bot.ui.responses import plain, respond, when

WORDS = {Quota.QUESTIONS: "questions a minute", Quota.TOKENS: "tokens a day"}
ONE = {Quota.QUESTIONS: "question a minute", Quota.TOKENS: "token a day"}

QUOTAS = [app_commands.Choice(name=WORDS[quota], value=quota.value) for quota in Quota]


class LimitsCog(commands.GroupCog, group_name="limits", group_description="How much people may ask here"):
    """Everyone may look; a server's limits are for those who manage it."""

    def __init__(self, bot: Bot) -> None:
        self._limits: Limits = bot.services.limits

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show how much you may ask, and what this server allows its roles."""
        guild_id, person = interaction.guild_id, author_of(interaction.user)
        mine = await self._limits.in_force(guild_id, roles_of(interaction.user))
        used = f" ({await self._limits.used(person):,} of them used today)" if mine[Quota.TOKENS] else ""
        questions, tokens = (_allowed(mine[quota], quota) for quota in Quota)
        lines = [f"You may ask {questions} and use {tokens}{used}."]
        of_roles = await self._limits.of_roles(guild_id) if guild_id else []
        lines += [_line(interaction.guild, limit) for limit in of_roles]
        await respond(interaction, "\n".join(lines))

    @app_commands.command(name="set")
    @app_commands.describe(
        role="Whom it is for; of all roles that somebody has, the one that allows most counts",
        limit="What to limit",
        value="A whole number, or none for as much as they want",
    )
    @app_commands.choices(limit=QUOTAS)
    async def set_(self, interaction: discord.Interaction[Bot], role: discord.Role, limit: Quota, value: str) -> None:
        """Set how much people with a role may ask in this server."""
        guild_id = require_server(interaction, "Limits are set")
        require(interaction, "manage_guild")
        changes = await self._limits.set(guild_id, role.id, limit, value, by=author_of(interaction.user))
        most = next((it.most for it in await self._limits.of_roles(guild_id) if _is(it, role.id, limit)), None)
        already = "now" if changes else "already"
        text = f"**{plain(role.name)}** may have {_allowed(most, limit)} {already}."
        await respond(interaction, text, public=bool(changes))

    @app_commands.command()
    @app_commands.describe(role="Whose limits; everybody's if left out", limit="Which one; both if left out")
    @app_commands.choices(limit=QUOTAS)
    async def reset(
        self, interaction: discord.Interaction[Bot], role: discord.Role | None = None, limit: Quota | None = None
    ) -> None:
        """Take back what was set here; then the operator's defaults count again."""
        guild_id = require_server(interaction, "Limits are set")
        require(interaction, "manage_guild")
        by = author_of(interaction.user)
        before = await self._limits.of_roles(guild_id)
        await self._limits.reset(guild_id, role.id if role else None, limit, by=by)
        after = {(it.role_id, it.quota) for it in await self._limits.of_roles(guild_id)}
        gone = [
            f"{_name(interaction.guild, it.role_id)} ({_most(it.most)} {_words(it.most, it.quota)})"
            for it in before
            if (it.role_id, it.quota) not in after
        ]
        text = f"Taken back: {', '.join(gone)}." if gone else "Nothing of that was set in this server."
        await respond(interaction, text, public=bool(gone))


def _is(limit: RoleLimit, role_id: int, quota: Quota) -> bool:
    return limit.role_id == role_id and limit.quota is quota


def _most(most: int | None) -> str:
    return "any number of" if most is None else f"{most:,}"


def _words(most: int | None, quota: Quota) -> str:
    return ONE[quota] if most == 1 else WORDS[quota]


def _allowed(most: int | None, quota: Quota) -> str:
    return f"**{_most(most)}** {_words(most, quota)}"


def _name(guild: discord.Guild | None, role_id: int) -> str:
    role = guild.get_role(role_id) if guild else None
    return plain(role.name) if role else "a role that is gone"


def _line(guild: discord.Guild | None, limit: RoleLimit) -> str:
    by = f"(set by {plain(limit.setting.changed_by.name)} {when(limit.setting.changed_at)})"
    return f"- {_name(guild, limit.role_id)}: {_allowed(limit.most, limit.quota)} {by}"


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(LimitsCog(bot))
