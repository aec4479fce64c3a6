"""An answer on its way, and what it is about."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Collection
from dataclasses import dataclass, field

from bot.chat.answers import Control, Question
from bot.chat.messages import EndReason, Place
from bot.delivery import wording
from bot.delivery.live_answer import LiveAnswer
from bot.delivery.surface import Surface

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Running:
    """Everything that is known of it from outside."""

    question: Question
    surface: Surface
    control: Control
    question_message: int | None
    header: str = ""
    """The line above the answer."""
    joined: list[int] = field(default_factory=list)
    """Further messages that asked, just before: they are answered together."""
    is_stored: bool = False
    """Whether the memory has taken it up."""
    length: int = sys.maxsize
    """How many messages it has in the end."""
    live: LiveAnswer | None = None
    """How it is shown, once that has begun."""
    is_shown_again: bool = False
    """Whether it is only shown as the memory has it, so that there is nothing to stop."""
    is_withdrawn: bool = False
    """Whether nothing of it is to be left, because its question or one of its messages was deleted."""
    rows: list[int] = field(default_factory=list)
    """In the `OpenAnswerStore`: its own first, then those of the questions that are answered together with it."""
    may_be_asked: bool = False
    """Whether the next start can ask its question, as long as that waits."""
    is_unread: bool = False
    """Whether its files are still to be read."""
    is_closed: bool = False
    """Whether its rows are dealt with, so that none is to be added."""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def key(self) -> str:
        """By which its button finds it."""
        return self.surface.key

    @property
    def asked_in(self) -> tuple[int, ...]:
        """The messages that asked, oldest first; none for a command."""
        return tuple(sorted([*self.joined, *([self.question_message] if self.question_message else [])]))

    def loses(self, deleted: Collection[int]) -> bool:
        """Whether the whole question, or any page, is among deleted messages."""
        is_asked = bool(self.asked_in) and set(self.asked_in) <= set(deleted)
        return is_asked or not set(self.surface.message_ids).isdisjoint(deleted)

    def withdraw(self) -> None:
        """Ask the model no more, and write nothing more: it, or its question, was deleted."""
        log.info("An answer in channel %s goes: it or its question was deleted", self.question.place.channel_id)
        self.is_withdrawn = True
        self.control.stop(EndReason.WITHDRAWN)
        if self.live:
            self.live.withdraw()

    def precedes(self, other: Running) -> bool:
        """Whether it answers a message of the person who wrote another one just now, in the same place."""
        are_messages = self.question_message is not None and other.question_message is not None
        is_theirs = self.question.author.id == other.question.author.id and self.question.place == other.question.place
        return are_messages and is_theirs

    def is_in(self, place: Place) -> bool:
        """Whether it belongs to a conversation."""
        question = self.question
        is_theirs = place.owner_id in {None, question.author.id}
        return question.place.channel_id == place.channel_id and is_theirs and not question.private

    @property
    def is_ending(self) -> bool:
        """Whether only its last words are still to be shown."""
        return self.live is not None and self.live.is_finished

    @property
    def is_visible(self) -> bool:
        """Whether the whole question can be read in Discord: as a message of its own, or above the answer."""
        shown_above = bool(self.header) and not wording.is_shortened(self.question.text)
        return self.question_message is not None or shown_above

    @property
    def waits(self) -> bool:
        """Whether it has not come to its turn, and the next start can ask it."""
        return self.may_be_asked and not self.is_stored

    def stop_unseen(self) -> None:
        """Stop it, because nobody could see it."""
        log.info("An answer in channel %s is stopped: nobody could see it", self.question.place.channel_id)
        self.control.stop()
