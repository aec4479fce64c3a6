"""An answer on its way, and what it is about."""

from __future__ import annotations

import asyncio
import secrets
import sys
from dataclasses import dataclass, field

from bot.chat.answers import Control, Question
from bot.chat.messages import Place
from bot.delivery import wording
from bot.delivery.surface import Surface


@dataclass(eq=False, slots=True)
class Running:
    """Everything that is known of it from outside."""

    question: Question
    surface: Surface
    control: Control
    question_message: int | None
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    """By which its button finds it."""
    joined: list[int] = field(default_factory=list)
    """Further messages that asked, just before: they are answered together."""
    length: int = sys.maxsize
    """How many messages it has in the end."""
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


def is_visible(running: Running, header: str) -> bool:
    """Whether the whole question can be read in Discord: as a message of its own, or above the answer."""
    return running.question_message is not None or (bool(header) and not wording.is_shortened(running.question.text))
