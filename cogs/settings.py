"""/settings: the parameters that shape answers, in a channel or in the whole server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.messages import Place
from bot.chat.parameters import REGISTRY, display, parameter
from bot.chat.profiles import Sourced
from bot.chat.scopes import Change, ScopeKind, Source, here
from bot.client import Bot
from bot.ui.checks import require
from bot.ui.completion import Choices, matching
from bot.ui.places import author_of, place_of
from bot.ui.responses import plain, respond, when

RIGHT_FOR = {ScopeKind.CHANNEL: "manage_channels", ScopeKind.SERVER: "manage_guild"}


class SettingsCog(commands.GroupCog, group_name="settings", group_description="Parameters that shape answers"):
    """Everyone may look; a channel is for those who manage channels, the server for those who manage it."""

    def __init__(self, bot: Bot) -> None:
        self._profiles = bot.services.profiles
        self._preferences = bot.services.preferences
        self._num_ctx = bot.services.num_ctx

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show what is in force in this channel, and where each value comes from."""
        profile = await self._profiles.resolve(place_of(interaction))
        lines = [
            f"`model` **{profile.model.value}**, from {profile.model.source}{_by(profile.model)}",
            f"`persona` **{profile.persona.value.name}**, from {profile.persona.source}{_by(profile.persona)}",
        ]
        for name in REGISTRY:
            if found := profile.parameters.get(name):
                lines.append(f"`{name}` **{display(found.value)}**, from {found.source}{_by(found)}")
            else:
                lines.append(f"`{name}` {Source.MODEL}")
        lines.append(f"`num_ctx` **{self._num_ctx}**, from {Source.OPERATOR} (less where a model takes less)")
        await respond(interaction, "\n".join(lines))

    @app_commands.command(name="set")
    @app_commands.describe(
        name="What to set",
        value="Its new value",
        scope="For this channel (or thread) only, or for the whole server; this channel if left out",
    )
    @app_commands.rename(name="parameter")
    async def set_(
        self,
        interaction: discord.Interaction[Bot],
        name: str,
        value: str,
        scope: ScopeKind = ScopeKind.CHANNEL,
    ) -> None:
        """Set a parameter."""
        require(interaction, RIGHT_FOR[scope])
        place, author = place_of(interaction), author_of(interaction.user)
        changes = await self._preferences.set_parameter(place, scope, name, value, by=author)
        entry = parameter(name)
        what = f"`{entry.name}` is **{display(entry.read(value))}** in {_where(place, scope)}"
        text = f"{what} now{_before(changes)}." if changes else f"{what} already."
        await respond(interaction, text, public=bool(changes))

    @app_commands.command()
    @app_commands.describe(
        name="What to reset; everything if left out",
        scope="In this channel (or thread), or in the whole server; this channel if left out",
    )
    @app_commands.rename(name="parameter")
    async def reset(
        self,
        interaction: discord.Interaction[Bot],
        name: str | None = None,
        scope: ScopeKind = ScopeKind.CHANNEL,
    ) -> None:
        """Reset what was set here."""
        require(interaction, RIGHT_FOR[scope])
        place, author = place_of(interaction), author_of(interaction.user)
        changes = await self._preferences.reset_parameters(place, scope, name, by=author)
        taken_back = ", ".join(f"`{change.key}` (was {change.old})" for change in changes)
        text = (
            f"Reset in {_where(place, scope)}: {taken_back}."
            if changes
            else f"Nothing was set in {_where(place, scope)}."
        )
        await respond(interaction, text, public=bool(changes))

    @set_.autocomplete("name")
    @reset.autocomplete("name")
    async def _complete_name(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:  # noqa: ARG002
        return matching([(f"{entry.name}: {entry.help}", entry.name) for entry in REGISTRY.values()], typed)

    @set_.autocomplete("value")
    async def _complete_value(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:
        entry = REGISTRY.get(str(interaction.namespace.parameter))  # None while it is not chosen yet
        return matching([(example, example) for example in entry.examples], typed) if entry else []


def _where(place: Place, kind: ScopeKind) -> Source:
    return Source.SERVER if kind is ScopeKind.SERVER else here(place)


def _by(found: Sourced[object]) -> str:
    setting = found.setting
    return f" (set by {plain(setting.changed_by.name)} {when(setting.changed_at)})" if setting else ""


def _before(changes: list[Change]) -> str:
    old = changes[0].old
    return "" if old is None else f"; it was {old}"


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(SettingsCog(bot))
