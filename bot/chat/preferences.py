"""Changes to what a person, a channel or a server is set to: parameters, display options, persona, model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.chat.display import OPTIONS
from bot.chat.messages import Author, Place
from bot.chat.parameters import REGISTRY, Parameter, display, parameter
from bot.chat.personas import Persona, Personas, valid_prompt
from bot.chat.profiles import MODEL, PERSONA, SYSTEM_PROMPT
from bot.chat.scopes import Change, Scope, ScopeKind, SettingsStore
from bot.chat.sharing import MEMORY
from bot.errors import BadInput

SETTABLE: Final[Mapping[str, Parameter]] = {**REGISTRY, **OPTIONS, MEMORY.name: MEMORY}
"""Everything that `/settings` sets."""

PERSONAL: Final = tuple(name for name, option in OPTIONS.items() if option.is_personal)
"""What people may also set for themselves."""


def settable(name: str) -> Parameter:
    """The parameter or display option of that name. Raises BadInput that lists all."""
    return parameter(name, SETTABLE)


def scope_in(place: Place, kind: ScopeKind, person: Author) -> Scope:
    """The scope of that kind that a person in a place means. Raises BadInput for a server in a direct message."""
    match kind:
        case ScopeKind.PERSON:
            return Scope(kind, person.id)
        case ScopeKind.CHANNEL:
            return Scope(kind, place.channel_id)
    if place.guild_id is None:
        raise BadInput("A direct message belongs to no server; leave `scope` out or choose channel.")
    return Scope(kind, place.guild_id)


class Preferences:
    """What people change. Nothing is stored before all of it is valid; every change is recorded with its author."""

    def __init__(self, *, settings: SettingsStore, personas: Personas) -> None:
        self._settings = settings
        self._personas = personas

    async def set_parameter(self, place: Place, kind: ScopeKind, name: str, value: str, *, by: Author) -> list[Change]:
        """Set one parameter or display option. Raises BadInput with what is allowed."""
        entry = _settable_in(kind, name)
        return await self._change(place, kind, {entry.name: display(entry.read(value))}, by)

    async def reset_parameters(self, place: Place, kind: ScopeKind, name: str | None, *, by: Author) -> list[Change]:
        """Take back one parameter or display option of the scope, or all of them."""
        names = list(SETTABLE) if name is None else [_settable_in(kind, name).name]
        return await self._change(place, kind, dict.fromkeys(names), by)

    async def use_persona(self, place: Place, name: str, *, by: Author) -> Persona:
        """Let a persona answer in this channel. Raises BadInput where there is none of that name."""
        persona = await self._personas.get(place.guild_id, name)
        await self._change(place, ScopeKind.CHANNEL, {PERSONA: persona.name, SYSTEM_PROMPT: None}, by)
        return persona

    async def set_prompt(self, place: Place, prompt: str, *, by: Author) -> None:
        """Give this channel a system prompt of its own, in place of a persona."""
        await self._change(place, ScopeKind.CHANNEL, {PERSONA: None, SYSTEM_PROMPT: valid_prompt(prompt)}, by)

    async def reset_persona(self, place: Place, *, by: Author) -> list[Change]:
        """Take back the channel's own choice of persona or prompt."""
        return await self._change(place, ScopeKind.CHANNEL, {PERSONA: None, SYSTEM_PROMPT: None}, by)

    async def use_model(self, place: Place, name: str, *, by: Author) -> list[Change]:
        """Let a model answer in this channel; whether the server has it is asked before (`bot.chat.models`)."""
        return await self._change(place, ScopeKind.CHANNEL, {MODEL: name}, by)

    async def persona_changes(self, place: Place, *, limit: int = 5) -> list[Change]:
        """Who chose which persona or prompt here lately, newest first."""
        scope = Scope(ScopeKind.CHANNEL, place.channel_id)
        return await self._settings.changes(scope, limit=limit, keys=(PERSONA, SYSTEM_PROMPT))

    async def _change(
        self, place: Place, kind: ScopeKind, values: Mapping[str, str | None], by: Author
    ) -> list[Change]:
        # What people choose for themselves belongs to no server, wherever they happened to be.
        guild_id = None if kind is ScopeKind.PERSON else place.guild_id
        return await self._settings.change(scope_in(place, kind, by), values, guild_id=guild_id, by=by)


def _settable_in(kind: ScopeKind, name: str) -> Parameter:
    """Like `settable`, but raises BadInput also for what can't be set in that kind of scope."""
    entry = settable(name)
    if kind is ScopeKind.PERSON and entry.name not in PERSONAL:
        allowed = " and ".join(f"`{personal}`" for personal in PERSONAL)
        raise BadInput(f"`{entry.name}` can be set for a channel or a server only; for yourself you can set {allowed}.")
    return entry
