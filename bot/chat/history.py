"""What people may see of a place's memory, take back, and take away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.chat.memory import ConversationStore
from bot.chat.messages import Author, EndReason, Place, Role, StoredMessage
from bot.errors import BadInput

NEWEST = 10
"""How many messages `/history show` shows."""


class ExportFormat(StrEnum):
    """The two kinds of file that a memory can be taken away as."""

    MARKDOWN = "markdown"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Summary:
    """A place's memory at a glance."""

    total: int
    """How many messages are remembered."""
    in_window: int
    """How many of them still go to the model."""
    newest: Sequence[StoredMessage]
    """The last few, oldest first."""


class History:
    """A place's memory, for the people of that place."""

    def __init__(self, memory: ConversationStore) -> None:
        self._memory = memory

    async def summary(self, place: Place) -> Summary:
        """What is remembered of a place."""
        conversation = await self._memory.open(place)
        return Summary(
            total=await self._memory.count(place),
            in_window=len(await self._memory.window(conversation)),
            newest=await self._memory.branch(place, newest=NEWEST),
        )

    async def undo(self, place: Place) -> StoredMessage:
        """Forget the newest question and its answer; returns the question. Raises BadInput where there is none."""
        undone = await self._memory.undo(place)
        if not undone:
            raise BadInput("There is nothing to take back: this conversation is empty.")
        return undone[0]

    async def clear(self, place: Place) -> int:
        """Forget everything about a place; returns how many messages that were."""
        return await self._memory.clear(place)

    async def is_own(self, place: Place, author: Author) -> bool:
        """Whether nobody else has asked anything here."""
        return await self._memory.authors(place) <= {author.id}

    async def asked_last(self, place: Place, author: Author) -> bool:
        """Whether the newest question is this person's."""
        newest = await self._memory.branch(place, newest=2)
        asked = [message.author for message in newest if message.role is Role.USER]
        return bool(asked) and asked[-1] is not None and asked[-1].id == author.id

    async def export(self, place: Place, kind: ExportFormat) -> str:
        """The whole shown conversation as a file's text. Raises BadInput where it is empty."""
        messages = await self._memory.branch(place)
        if not messages:
            raise BadInput("There is nothing to export: this conversation is empty.")
        return as_json(messages) if kind is ExportFormat.JSON else as_markdown(messages)


def speaker(message: StoredMessage) -> str:
    """Who said it, in a word."""
    return message.author.name if message.author else "Model"


def as_markdown(messages: Sequence[StoredMessage]) -> str:
    """A conversation for people: one heading a message, the text as it was."""
    parts = []
    for message in messages:
        note = "" if message.end_reason is EndReason.COMPLETE else f" ({message.end_reason})"
        when = message.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        name = " ".join(speaker(message).split())
        parts.append(f"## {name}, {when}{note}\n\n{message.content}\n")
    return "\n".join(parts)


def as_json(messages: Sequence[StoredMessage]) -> str:
    """A conversation for programs."""
    return json.dumps(
        [
            {
                "role": message.role,
                "author": message.author.name if message.author else None,
                "author_id": str(message.author.id) if message.author else None,
                "content": message.content,
                "created_at": message.created_at.isoformat(),
                "end_reason": message.end_reason,
            }
            for message in messages
        ],
        ensure_ascii=False,
        indent=2,
    )
