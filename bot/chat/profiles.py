"""The effective profile of a place: which model answers, as whom, with which parameters, and who decided that."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.chat.messages import Place
from bot.chat.parameters import REGISTRY, Parameter, Value
from bot.chat.personas import BUILT_IN, DEFAULT_PERSONA, Persona, Personas
from bot.chat.scopes import Scope, Setting, SettingsStore, Source, scopes_of
from bot.errors import BadInput

log = logging.getLogger(__name__)

T_co = TypeVar("T_co", covariant=True)

Found = Sequence[tuple[Source, Mapping[str, Setting]]]
"""What is stored in each scope that counts, nearest first."""

MODEL = "model"
PERSONA = "persona"
SYSTEM_PROMPT = "system_prompt"
CUSTOM = "custom"
"""Shown as the persona's name where a channel has a system prompt of its own."""


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T_co]):
    """A value, where it comes from, and who set it there if a person did."""

    value: T_co
    source: Source
    setting: Setting | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that shapes an answer in one place."""

    model: Sourced[str]
    persona: Sourced[Persona]
    parameters: Mapping[str, Sourced[Value]]
    """Only those that someone decided; the others are the model's own."""

    def options(self) -> dict[str, object]:
        """The parameters that travel in Ollama's `options`."""
        return {name: found.value for name, found in self.parameters.items() if REGISTRY[name].is_option}


class Profiles:
    """Finds the effective profile: the first of command option, thread, channel, server, operator, model."""

    def __init__(self, *, settings: SettingsStore, personas: Personas, model: str, defaults: Mapping[str, str]) -> None:
        """Take the operator's default model and parameters; `defaults` are texts that the registry has checked."""
        self._settings = settings
        self._personas = personas
        self._model = model
        self._defaults = defaults

    @property
    def default_model(self) -> str:
        """What answers where nobody chose another."""
        return self._model

    async def resolve(self, place: Place, *, persona: str | None = None) -> Profile:
        """The profile of a place; `persona` overrides its persona for one question.

        Raises BadInput where there is no persona of that name.
        """
        found = await stored_in(scopes_of(place), self._settings)
        chosen = (
            Sourced(await self._personas.get(place.guild_id, persona), Source.QUESTION)
            if persona
            else await self._persona(place, found)
        )
        return Profile(model=self._model_of(found), persona=chosen, parameters=self._parameters(found))

    def _model_of(self, found: Found) -> Sourced[str]:
        for source, settings in found:
            if setting := settings.get(MODEL):
                return Sourced(setting.value, source, setting)
        return Sourced(self._model, Source.OPERATOR)

    async def _persona(self, place: Place, found: Found) -> Sourced[Persona]:
        for source, settings in found:
            if own := settings.get(SYSTEM_PROMPT):
                persona = Persona(CUSTOM, own.value, 0, own.changed_by, own.changed_at)
                return Sourced(persona, source, own)
            # A persona that is gone (deleted in a race, or by hand in the database) counts as not chosen.
            chosen = settings.get(PERSONA)
            if chosen and (named := await self._personas.find(place.guild_id, chosen.value)):
                return Sourced(named, source, chosen)
        return Sourced(BUILT_IN[DEFAULT_PERSONA], Source.BOT)

    def _parameters(self, found: Found) -> dict[str, Sourced[Value]]:
        parameters: dict[str, Sourced[Value]] = {}
        for name, entry in REGISTRY.items():
            if chosen := first_valid(entry, found):
                parameters[name] = chosen
            elif text := self._defaults.get(name):
                parameters[name] = Sourced(entry.read(text), Source.OPERATOR)
            elif entry.default is not None:
                parameters[name] = Sourced(entry.read(entry.default), Source.BOT)
        return parameters


async def stored_in(scopes: Sequence[tuple[Source, Scope]], settings: SettingsStore) -> Found:
    """What is stored in these scopes, in their order."""
    stored = await settings.values([scope for _, scope in scopes])
    return [(source, stored.get(scope, {})) for source, scope in scopes]


def first_valid(entry: Parameter, found: Found) -> Sourced[Value] | None:
    """The nearest value that is set and allowed."""
    for source, settings in found:
        if (setting := settings.get(entry.name)) and (value := _still_valid(entry, setting)) is not None:
            return Sourced(value, source, setting)
    return None


def _still_valid(entry: Parameter, setting: Setting) -> Value | None:
    """A stored value, or None where a newer version of the bot no longer allows it: then it counts as not set."""
    try:
        return entry.read(setting.value)
    except BadInput as error:
        log.warning("A stored setting is ignored: %s", error)
        return None
