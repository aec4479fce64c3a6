"""Where a setting can be made: for a person, a channel (thread, direct message) or a server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.chat.messages import Author, Place


class ScopeKind(StrEnum):
    """The kinds of scope that people can set things in."""

    PERSON = "me"
    """Whoever sets it, wherever they ask; written as people say it."""
    CHANNEL = "channel"
    """A channel, a thread or a direct message."""
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Scope:
    """One place or person with settings, by Discord's id."""

    kind: ScopeKind
    id: int


class Source(StrEnum):
    """Where an effective value comes from, in the order of precedence, in words for people."""

    ANSWER = "drawn for this answer"
    WINDOW = "what the context window left"
    QUESTION = "this question"
    PERSON = "your own choice"
    THREAD = "this thread"
    PARENT = "this thread's channel"
    CHANNEL = "this channel"
    DIRECT = "this conversation"
    SERVER = "this server"
    OPERATOR = "the operator's default"
    BOT = "the bot's own default"
    MODEL = "the model's own default"


@dataclass(frozen=True, slots=True)
class Setting:
    """One stored value and who set it."""

    value: str
    changed_by: Author
    changed_at: datetime
    """In UTC."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the record of changes: who changed what, from what to what, and when."""

    scope: Scope
    key: str
    """The name of what `/settings` sets, "model", "persona", "system_prompt", or "persona:NAME" for the library."""
    old: str | None
    new: str | None
    """None means removed."""
    changed_by: Author
    changed_at: datetime
    """In UTC."""


def here(place: Place) -> Source:
    """What people call the place that they are in."""
    if place.guild_id is None:
        return Source.DIRECT
    return Source.CHANNEL if place.parent_id is None else Source.THREAD


def scopes_of(place: Place) -> list[tuple[Source, Scope]]:
    """Every scope that counts in a place, nearest first."""
    scopes = [(here(place), Scope(ScopeKind.CHANNEL, place.channel_id))]
    if place.parent_id is not None:
        scopes.append((Source.PARENT, Scope(ScopeKind.CHANNEL, place.parent_id)))
    if place.guild_id is not None:
        scopes.append((Source.SERVER, Scope(ScopeKind.SERVER, place.guild_id)))
    return scopes


class SettingsStore(Protocol):
    """Keeps settings and the record of who changed them."""

    async def values(self, scopes: Sequence[Scope]) -> Mapping[Scope, Mapping[str, Setting]]:
        """All settings of the scopes; a scope without any is left out."""
        ...

    async def change(
        self, scope: Scope, values: Mapping[str, str | None], *, guild_id: int | None, by: Author
    ) -> list[Change]:
        """Set values (None removes one) in one transaction and record what really changed, which is returned."""
        ...

    async def changes(self, scope: Scope, *, limit: int, keys: Collection[str] = ()) -> list[Change]:
        """The newest changes in a scope, newest first: of all keys, or of these."""
        ...
