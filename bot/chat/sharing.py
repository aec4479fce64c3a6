"""Whether the people of a channel share one conversation with the model, or each has one of their own there."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

from bot.chat.messages import Author, Place
from bot.chat.parameters import Parameter, Value
from bot.chat.profiles import Sourced, first_valid, stored_in
from bot.chat.scopes import SettingsStore, Source, scopes_of


class Sharing(StrEnum):
    """Whose conversation it is."""

    CHANNEL = "channel"
    PERSON = "person"


def _parse(text: str) -> str:
    return Sharing(text.casefold()).value


MEMORY: Final = Parameter(
    "memory",
    "channel or person",
    "Whether everybody in a channel shares one conversation, or each person has one of their own there.",
    _parse,
    tuple(Sharing),
    default=Sharing.CHANNEL,
    is_option=False,
)
"""Set with `/settings` like a parameter; the model never hears of it."""

_DEFAULT: Final[Sourced[Value]] = Sourced(Sharing.CHANNEL.value, Source.BOT)


class Conversations:
    """Finds the conversation that a person takes part in: by the first choice of thread, channel, server."""

    def __init__(self, settings: SettingsStore) -> None:
        self._settings = settings

    async def in_force(self, place: Place) -> Sourced[Value]:
        """Whether a place's memory is shared, and who decided it. A direct message has one person anyway."""
        return first_valid(MEMORY, await stored_in(scopes_of(place), self._settings)) or _DEFAULT

    async def of(self, place: Place, person: Author) -> Place:
        """The place as that conversation of it which is the person's."""
        is_own = place.guild_id is not None and (await self.in_force(place)).value == Sharing.PERSON
        return replace(place, owner_id=person.id if is_own else None)
