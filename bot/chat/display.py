"""How answers are shown, as people and servers choose: with or without steps in between, how long, how announced.

Like the model's parameters, each option is one entry, which drives `/settings` and the table in the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.chat.messages import Author, Place
from bot.chat.parameters import Parameter, Value, display
from bot.chat.profiles import Sourced, first_valid, stored_in
from bot.chat.scopes import Scope, ScopeKind, SettingsStore, Source, scopes_of

MAX_MESSAGES = 5
"""How many messages an answer may fill unless somebody chooses otherwise; a longer one comes as a file."""

ON, OFF = "on", "off"

_MOST_MESSAGES = 20
_LONGEST_WAIT = 86_400
"""Seconds; one day, which is also the most that an answer may take to begin."""


@dataclass(frozen=True, slots=True)
class Display:
    """What is in force for one answer."""

    quiet: bool = False
    """Nothing is shown before the answer is complete: a screen reader would read out every edit."""
    max_messages: int = MAX_MESSAGES
    ready_after: float | None = None
    """Seconds from which on an answer's end is announced by a message of its own; None for never."""


@dataclass(frozen=True, slots=True)
class DisplayOption(Parameter):
    """A parameter of how answers are shown; the model never hears of it."""

    default: str = OFF
    is_option: bool = False
    is_personal: bool = False
    """Whether people may also set it for themselves, wherever they ask."""


def _switch(text: str) -> str:
    if (word := text.casefold()) not in {ON, OFF}:
        raise ValueError(text)
    return word


def _ready_after(text: str) -> int | str:
    return OFF if text.casefold() == OFF else _whole_number(text, 0, _LONGEST_WAIT) or OFF


def _max_messages(text: str) -> int:
    return _whole_number(text, 1, _MOST_MESSAGES)


def _whole_number(text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)


_QUIET = DisplayOption(
    "quiet",
    "on or off",
    "Answers appear only when they are complete, without steps in between; this suits screen readers.",
    _switch,
    (ON, OFF),
    is_personal=True,
)
_READY_AFTER = DisplayOption(
    "ready_after",
    f"a whole number of seconds up to {_LONGEST_WAIT}, or off",
    "When an answer took longer than this, a short reply says that it is ready.",
    _ready_after,
    (OFF, "30", "60", "300"),
    is_personal=True,
)
_MAX_MESSAGES = DisplayOption(
    "max_messages",
    f"a whole number from 1 to {_MOST_MESSAGES}",
    "How many messages an answer may fill; a longer one comes as a file.",
    _max_messages,
    ("1", "3", "5", "10"),
    default=str(MAX_MESSAGES),
)

OPTIONS: Final[Mapping[str, DisplayOption]] = {option.name: option for option in (_QUIET, _READY_AFTER, _MAX_MESSAGES)}


class Displays:
    """Finds how answers are to be shown: the first of the person, thread, channel, server, operator, the bot itself."""

    def __init__(self, *, settings: SettingsStore, max_messages: int = MAX_MESSAGES) -> None:
        """Take the operator's default of how many messages an answer may fill."""
        self._settings = settings
        self._defaults: dict[str, Sourced[Value]] = {
            name: Sourced(option.read(option.default), Source.BOT) for name, option in OPTIONS.items()
        } | {_MAX_MESSAGES.name: Sourced(max_messages, Source.OPERATOR)}

    async def in_force(self, place: Place, author: Author) -> Mapping[str, Sourced[Value]]:
        """Every option's value for what a person asks in a place, and who decided it."""
        own = (Source.PERSON, Scope(ScopeKind.PERSON, author.id))
        found = await stored_in([own, *scopes_of(place)], self._settings)
        return {
            name: first_valid(option, found if option.is_personal else found[1:]) or self._defaults[name]
            for name, option in OPTIONS.items()
        }

    async def resolve(self, place: Place, author: Author) -> Display:
        """How the answer to a person's question in a place is to be shown."""
        chosen = {name: display(found.value) for name, found in (await self.in_force(place, author)).items()}
        ready_after = chosen[_READY_AFTER.name]
        return Display(
            quiet=chosen[_QUIET.name] == ON,
            max_messages=int(chosen[_MAX_MESSAGES.name]),
            ready_after=None if ready_after == OFF else float(ready_after),
        )
