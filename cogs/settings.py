"""/settings: the parameters that shape answers and how they are shown, for a person, in a channel, in a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.display import OPTIONS
from bot.chat.messages import Place
from bot.chat.parameters import REGISTRY, Parameter, Value, display
from bot.chat.preferences import PERSONAL, SETTABLE, settable
from bot.chat.profiles import Sourced
from bot.chat.scopes import Change, ScopeKind, Source, here
from bot.chat.sharing import MEMORY
from bot.client import Bot
from bot.errors import BadInput, NotAllowed
from bot.ui.checks import require
from bot.ui.completion import Choices, matching
from bot.ui.places import author_of, place_of
from bot.ui.responses import plain, respond, when

RIGHT_FOR = {ScopeKind.CHANNEL: "manage_channels", ScopeKind.SERVER: "manage_guild"}
"""What people choose for themselves needs no right."""

SCOPES = [app_commands.Choice(name=kind.value, value=kind.value) for kind in ScopeKind]
"""As people see them; without this, discord.py shows the names of the members."""


class SettingsCog(
    commands.GroupCog, group_name="settings", group_description="What shapes answers, and how they are shown"
):
    """Everyone may look, and choose for themselves; a channel and a server are for those who manage them."""

    def __init__(self, bot: Bot) -> None:
        self._profiles = bot.services.profiles
        self._displays = bot.services.displays
        self._conversations = bot.services.conversations
        self._preferences = bot.services.preferences
        self._num_ctx = bot.services.num_ctx

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show what is in force for you in this channel, and where each value comes from."""
        place = place_of(interaction)
        profile = await self._profiles.resolve(place)
        memory = await self._conversations.in_force(place)
        options = await self._displays.in_force(place, author_of(interaction.user))
        lines = [
            _line("model", profile.model.value, profile.model),
            _line("persona", profile.persona.value.name, profile.persona),
            *_lines(REGISTRY, profile.parameters),
            f"`num_ctx` **{self._num_ctx}**, from {Source.OPERATOR} (less where a model takes less)",
            *_lines(OPTIONS, options),
            _line(MEMORY.name, display(memory.value), memory),
        ]
        await respond(interaction, "\n".join(lines))

    @app_commands.command(name="set")
    @app_commands.describe(
        name="What to set",
        value="Its new value",
        scope="For me alone, for this channel (or thread), or for the whole server; this channel if left out",
    )
    @app_commands.rename(name="parameter")
    @app_commands.choices(scope=SCOPES)
    async def set_(
        self,
        interaction: discord.Interaction[Bot],
        name: str,
        value: str,
        scope: ScopeKind = ScopeKind.CHANNEL,
    ) -> None:
        """Set a parameter, or how answers are shown."""
        entry = settable(name)
        _require_right(interaction, scope, name=entry.name)
        place, author = place_of(interaction), author_of(interaction.user)
        changes = await self._preferences.set_parameter(place, scope, name, value, by=author)
        what = f"`{entry.name}` is **{display(entry.read(value))}** {_where(place, scope)}"
        text = f"{what} now{_before(changes)}." if changes else f"{what} already."
        await respond(interaction, text, public=_is_news(changes))

    @app_commands.command()
    @app_commands.describe(
        name="What to reset; everything if left out",
        scope="For me alone, in this channel (or thread), or in the whole server; this channel if left out",
    )
    @app_commands.rename(name="parameter")
    @app_commands.choices(scope=SCOPES)
    async def reset(
        self,
        interaction: discord.Interaction[Bot],
        name: str | None = None,
        scope: ScopeKind = ScopeKind.CHANNEL,
    ) -> None:
        """Reset what was set here."""
        _require_right(interaction, scope, name=name and settable(name).name)
        place, author = place_of(interaction), author_of(interaction.user)
        changes = await self._preferences.reset_parameters(place, scope, name, by=author)
        taken_back = ", ".join(f"`{change.key}` (was {change.old})" for change in changes)
        where = _where(place, scope)
        text = f"Reset {where}: {taken_back}." if changes else f"Nothing was set {where}."
        await respond(interaction, text, public=_is_news(changes))

    @set_.autocomplete("name")
    @reset.autocomplete("name")
    async def _complete_name(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:  # noqa: ARG002
        return matching([(f"{entry.name}: {entry.help}", entry.name) for entry in SETTABLE.values()], typed)

    @set_.autocomplete("value")
    async def _complete_value(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:
        entry = SETTABLE.get(str(interaction.namespace.parameter))  # None while it is not chosen yet
        return matching([(value, value) for value in _offered(entry, typed.strip())], typed) if entry else []


def _offered(entry: Parameter, typed: str) -> Sequence[str]:
    """What was typed comes first if it may be set, since Enter takes the first that is offered."""
    if not typed or typed in entry.examples:
        return entry.examples
    try:
        entry.read(typed)
    except BadInput:
        return entry.examples
    return [typed, *entry.examples]


def _require_right(interaction: discord.Interaction[Bot], scope: ScopeKind, *, name: str | None) -> None:
    """Raise NotAllowed where the person may not change that scope, with what they may do instead, if anything."""
    if scope is ScopeKind.PERSON:
        return
    try:
        require(interaction, RIGHT_FOR[scope])
    except NotAllowed as error:
        if name not in PERSONAL:
            raise
        raise NotAllowed(f"{error} For yourself alone, choose the scope `{ScopeKind.PERSON}`.") from None


def _lines(entries: Mapping[str, object], found: Mapping[str, Sourced[Value]]) -> list[str]:
    return [
        _line(name, display(found[name].value), found[name]) if name in found else f"`{name}` {Source.MODEL}"
        for name in entries
    ]


def _line(name: str, value: str, found: Sourced[object]) -> str:
    setting = found.setting
    by = f" (set by {plain(setting.changed_by.name)} {when(setting.changed_at)})" if setting else ""
    return f"`{name}` **{value}**, from {found.source}{by}"


def _where(place: Place, kind: ScopeKind) -> str:
    if kind is ScopeKind.PERSON:
        return "for you"
    return f"in {Source.SERVER if kind is ScopeKind.SERVER else here(place)}"


def _is_news(changes: list[Change]) -> bool:
    """Whether everybody in the channel may and should know: never of what somebody chose for themselves."""
    return any(change.scope.kind is not ScopeKind.PERSON for change in changes)


def _before(changes: list[Change]) -> str:
    old = changes[0].old
    return "" if old is None else f"; it was {old}"


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(SettingsCog(bot))
