"""An answer on its way, and what it is about."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
from dataclasses import dataclass, field

from bot.chat.answers import Control, Question
from bot.chat.messages import Place
from bot.delivery import wording
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
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    """By which its button finds it."""
    joined: list[int] = field(default_factory=list)
    """Further messages that asked, just before: they are answered together."""
    is_stored: bool = False
    """Whether the memory has taken it up."""
    length: int = sys.maxsize
    """How many messages it has in the end."""
    rows: list[int] = field(default_factory=list)
    """In the `OpenAnswerStore`: its own first, then those of the questions that are answered together with it."""
    may_be_asked: bool = False
    """Whether the next start can ask its question, as long as that waits."""
    is_unread: bool = False
    """Whether its files are still to be read."""
    is_closed: bool = False
    """Whether its rows are dealt with, so that none is to be added."""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def consists_of(self, message_id: int) -> bool:
        """Whether a message is the question or one of the pages."""
        return message_id in {self.question_message, *self.joined, *self.surface.message_ids}

    def is_in(self, place: Place) -> bool:
        """Whether it belongs to a conversation."""
        question = self.question
        is_theirs = place.owner_id in {None, question.author.id}
        return question.place.channel_id == place.channel_id and is_theirs and not question.private

    def is_about(self, discord_id: int) -> bool:
        """Whether a message (the question or a page), channel, thread or server of this id carries the answer."""
        place = self.question.place
        places = {place.channel_id, place.parent_id, place.guild_id}
        return discord_id in places or self.consists_of(discord_id)

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
