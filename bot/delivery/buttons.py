"""Where an answer's buttons stand, and who makes them. No I/O."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

import discord

from bot.chat.messages import Answer


class Row(Enum):
    """The buttons below one page."""

    NONE = auto()
    STOP = auto()
    """The page that is being written."""
    END = auto()
    """The last page of a finished answer."""


class Buttons(Protocol):
    """Makes the buttons; each call makes them anew, because discord.py takes each only once."""

    def stop(self, key: str) -> discord.ui.View | None:
        """While an answer is under way; `key` is what `Deliveries` knows it by."""
        ...

    def end(self, answer: Answer) -> discord.ui.View | None:
        """Below a finished answer."""
        ...


class NoButtons:
    """Answers without buttons."""

    def stop(self, key: str) -> discord.ui.View | None:  # noqa: ARG002
        """None."""
        return None

    def end(self, answer: Answer) -> discord.ui.View | None:  # noqa: ARG002
        """None."""
        return None
