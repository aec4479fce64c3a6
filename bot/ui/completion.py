"""What Discord offers while a person types an option; at most 25 choices, each at most 100 characters."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from discord import app_commands

from bot.chat.models import Models
from bot.chat.personas import Personas
from bot.errors import LlampostError

log = logging.getLogger(__name__)

MAX_CHOICES = 25
MAX_LENGTH = 100

Choices = list[app_commands.Choice[str]]


def matching(options: Iterable[tuple[str, str]], typed: str) -> Choices:
    """Of (label, value) pairs those that contain what was typed; the ones that begin with it first."""
    typed = typed.strip().casefold()
    found = [pair for pair in options if typed in pair[1].casefold() and len(pair[1]) <= MAX_LENGTH]
    found.sort(key=lambda pair: not pair[1].casefold().startswith(typed))
    return [app_commands.Choice(name=label[:MAX_LENGTH], value=value) for label, value in found[:MAX_CHOICES]]


async def persona_choices(personas: Personas, guild_id: int | None, typed: str, *, own: bool = False) -> Choices:
    """The personas of a place, or only the server's own: those that can be edited and deleted."""
    found = await personas.all(guild_id)
    return matching([(persona.name, persona.name) for persona in found if not (own and persona.is_built_in)], typed)


async def model_choices(models: Models, typed: str) -> Choices:
    """The models that the Ollama server has; nothing while it does not answer."""
    try:
        found = await models.all()
    except LlampostError as error:
        log.info("No models to offer: %s", error)
        return []
    return matching([(model.name, model.name) for model in found], typed)
