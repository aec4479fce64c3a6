"""Personas: named system prompts. Five come with the bot, a server adds its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.chat.messages import Author
from bot.chat.parameters import shown
from bot.chat.scopes import Scope
from bot.errors import BadInput

MAX_PROMPT = 4_000
"""Characters; what a Discord modal's text input takes at most."""
MAX_NAME = 32

_NAME = re.compile(r"[\w][\w '-]*", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Persona:
    """A system prompt with a name."""

    name: str
    prompt: str
    version: int = 0
    """Counts up with each change; 0 for the built-in ones, which never change."""
    changed_by: Author | None = None
    changed_at: datetime | None = None
    """In UTC."""

    @property
    def is_built_in(self) -> bool:
        """Whether it came with the bot, and so can be neither changed nor deleted."""
        return self.version == 0


DEFAULT_PERSONA = "assistant"

BUILT_IN = {
    persona.name: persona
    for persona in (
        Persona(DEFAULT_PERSONA, "You are a helpful assistant."),
        Persona(
            "google-it",
            'You answer every question, whatever it is about, with exactly this sentence: "Just google it!" '
            "You never say anything else.",
        ),
        Persona(
            "go-away",
            "You do not want to be disturbed. Whatever you are asked, you do not answer it: "
            "you tell the person to go away and leave you alone, in one or two grumpy sentences.",
        ),
        Persona(
            "drunk-italian",
            "You are a drunk Italian who speaks bad English. You answer with many mistakes, mix in Italian words "
            'such as "mamma mia" and "amico mio", and keep coming back to wine and food.',
        ),
        Persona(
            "commentator",
            "You are a loud sports commentator with controversial opinions. You answer every question as if you were "
            "shouting live from the stadium, WITH CAPITAL LETTERS, exclamation marks and bold claims!",
        ),
    )
}


class PersonaStore(Protocol):
    """Keeps a server's own personas, each with all its versions. Names are compared without regard to case."""

    async def library(self, guild_id: int) -> list[Persona]:
        """The server's own personas by name, each in its newest version."""
        ...

    async def find(self, guild_id: int, name: str) -> Persona | None:
        """The newest version of one persona."""
        ...

    async def save(self, guild_id: int, name: str, prompt: str, *, by: Author) -> Persona:
        """Create it, or add a version; saving the same prompt again adds none."""
        ...

    async def delete(self, guild_id: int, name: str, *, by: Author) -> list[Scope]:
        """Delete it and, in the same transaction, every choice of it; returns the scopes that had chosen it."""
        ...


def valid_name(name: str) -> str:
    """The name without outer white space. Raises BadInput where it is no name for a persona."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise BadInput(
            f"A persona's name has 1 to {MAX_NAME} letters, digits, spaces, hyphens or apostrophes, "
            "and begins with a letter or a digit."
        )
    return name


def valid_prompt(prompt: str) -> str:
    """The prompt without outer white space. Raises BadInput where it is empty or too long."""
    prompt = prompt.strip()
    if not prompt:
        raise BadInput("A persona needs a system prompt: say who the model is and how it answers.")
    if len(prompt) > MAX_PROMPT:
        raise BadInput(f"A system prompt has at most {MAX_PROMPT:,} characters; this one has {len(prompt):,}.")
    return prompt


class Personas:
    """Built-in personas and a server's library, seen as one."""

    def __init__(self, store: PersonaStore) -> None:
        self._store = store

    async def all(self, guild_id: int | None) -> list[Persona]:
        """The built-in ones first, then the server's own by name."""
        own: Sequence[Persona] = [] if guild_id is None else await self._store.library(guild_id)
        return [*BUILT_IN.values(), *own]

    async def find(self, guild_id: int | None, name: str) -> Persona | None:
        """The persona of that name, without regard to case."""
        name = " ".join(name.split())
        if built_in := BUILT_IN.get(name.casefold()):
            return built_in
        return None if guild_id is None else await self._store.find(guild_id, name)

    async def get(self, guild_id: int | None, name: str) -> Persona:
        """Like `find`, but raises BadInput that lists what there is."""
        if persona := await self.find(guild_id, name):
            return persona
        names = ", ".join(f"`{persona.name}`" for persona in await self.all(guild_id))
        raise BadInput(f"There is no persona “{shown(name)}” here. Available: {names}.")

    async def save(self, guild_id: int, name: str, prompt: str, *, by: Author) -> Persona:
        """Add a persona to the server's library, or a new version of it."""
        name = valid_name(name)
        self.refuse_built_in(name, "changed")
        return await self._store.save(guild_id, name, valid_prompt(prompt), by=by)

    async def delete(self, guild_id: int, name: str, *, by: Author) -> list[Scope]:
        """Delete a persona of the server; returns the scopes that had chosen it."""
        self.refuse_built_in(name, "deleted")
        persona = await self.get(guild_id, name)
        return await self._store.delete(guild_id, persona.name, by=by)

    @staticmethod
    def refuse_built_in(name: str, action: str) -> None:
        """Raise BadInput for a persona that came with the bot; `action` is "changed" or "deleted"."""
        if name.strip().casefold() in BUILT_IN:
            raise BadInput(
                f"“{name.strip()}” comes with the bot and can't be {action}; save your own under another name."
            )
