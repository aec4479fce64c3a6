"""What people may see of a place's memory, take back, and take away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum

from bot.chat.memory import NOT_THEIRS_ALONE, ConversationStore
from bot.chat.messages import EndReason, Place, StoredMessage
from bot.errors import BadInput, NotAllowed

_NO_ANSWER = (
    "There is no answer to save in this message: none has begun here, or it was private, or it has been forgotten."
)
_NOT_FINISHED = "This answer is still being written; please try again when it is finished."
_NO_TEXT = "No text of this answer is kept: the model gave none, or the bot was restarted while it was being written."


class ExportFormat(StrEnum):
    """The two kinds of file that a memory can be taken away as."""

    MARKDOWN = "markdown"
    JSON = "json"


class History:
    """A place's memory, for the people of that place.

    `only_by` is the id of a person who may forget only what is theirs; None is one who may forget everybody's.
    """

    def __init__(self, memory: ConversationStore) -> None:
        self._memory = memory

    async def undo(self, place: Place, *, only_by: int | None) -> StoredMessage:
        """Forget the newest question and its answer; returns the question.

        Raises BadInput where there is none or an answer is being written, and NotAllowed where it is somebody else's.
        """
        undone = await self._memory.undo(place, only_by=only_by)
        if not undone:
            raise BadInput("There is nothing to take back: this conversation is empty.")
        return undone[0]

    async def check_clear(self, place: Place, *, only_by: int | None) -> None:
        """Raise NotAllowed where `clear` would now, so that nobody is asked to confirm what they may not do.

        Raises BadInput where there is nothing to forget.
        """
        authors = await self._memory.authors(place)
        if not authors:
            raise BadInput("There is nothing to forget: this conversation is empty.")
        if only_by is not None and authors - {only_by}:
            raise NotAllowed(NOT_THEIRS_ALONE)

    async def clear(self, place: Place, *, only_by: int | None = None) -> int:
        """Forget everything about a place; returns how many messages that were.

        Raises NotAllowed where somebody else asked here too.
        """
        return await self._memory.clear(place, only_by=only_by)

    async def export(self, place: Place, kind: ExportFormat) -> str:
        """The whole shown conversation as a file's text. Raises BadInput where it is empty."""
        messages = await self._memory.branch(place)
        if not messages:
            raise BadInput("There is nothing to export: this conversation is empty.")
        return as_json(messages) if kind is ExportFormat.JSON else as_markdown(messages)

    async def answer(self, place: Place, discord_message_id: int) -> str:
        """The whole answer that a Discord message shows or belongs to, as the model wrote it.

        Raises BadInput where the place's memory holds none for it, or not its text (yet).
        """
        answer = await self._memory.answer_in(place, discord_message_id)
        if answer is None:
            raise BadInput(_NO_ANSWER)
        if answer.end_reason is EndReason.RUNNING:
            raise BadInput(_NOT_FINISHED)
        if not answer.content:
            raise BadInput(_NO_TEXT)
        return answer.content


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
