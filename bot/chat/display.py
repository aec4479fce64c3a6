"""How answers are shown, as people and servers choose: with or without steps in between, how long, how announced."""

from __future__ import annotations

from dataclasses import dataclass

MAX_MESSAGES = 5
"""How many messages an answer may fill unless somebody chooses otherwise; the rest comes as a file."""


@dataclass(frozen=True, slots=True)
class Display:
    """What is in force for one answer."""

    quiet: bool = False
    """Nothing is shown before the answer is complete: a screen reader would read out every edit."""
    max_messages: int = MAX_MESSAGES
    ready_after: float | None = None
    """Seconds from which on an answer's end is announced by a message of its own; None for never."""
