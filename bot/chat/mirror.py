"""What the chat core asks of the store so that the memory says what stands in Discord, edits and deletions included."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.chat.messages import Author, Image, Place


@dataclass(frozen=True, slots=True)
class Asked:
    """A remembered question that stands in Discord as one message or several."""

    question_id: int
    place: Place
    author: Author
    content: str
    asked_at: datetime
    discord_ids: tuple[int, ...]
    """The messages that ask it together, in their order."""
    answer_id: int | None
    """The version of its answer that is shown; where none is, the newest."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of the memory when messages were deleted in Discord."""

    orphans: Sequence[tuple[Place, int]]
    """Where messages stand that show what is forgotten now, and their ids."""
    halved: Sequence[tuple[Place, int]]
    """Of each question that asked in further messages: where one of those stands that are left, and its id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A message in Discord that the memory counts on."""

    discord_id: int
    is_question: bool


class MirrorStore(Protocol):
    """Knows which Discord messages show what, from the point of view of those messages."""

    async def asked_in(self, discord_id: int) -> Asked | None:
        """The question that a Discord message asks, alone or with others; None where the memory holds none for it."""
        ...

    async def is_known(self, place: Place, discord_id: int) -> bool:
        """Whether a Discord message shows a question or an answer of a place's conversation, on whichever branch."""
        ...

    async def reword(self, question_id: int, content: str, images: Sequence[Image]) -> None:
        """Let a question read otherwise, also where a thread went on from it; its answers stay."""
        ...

    async def forget_messages(self, discord_ids: Collection[int]) -> Forgotten:
        """Forget each question of which no message is left, and each answer of which one is gone with its question.

        All versions of such answers go, what was said afterwards stays.
        """
        ...

    async def forget_channel(self, channel_id: int) -> int:
        """Forget all that was said in a channel and its threads, or in a thread; returns how many messages."""
        ...

    async def forget_server(self, guild_id: int) -> int:
        """Forget all that was said in a server; returns how many messages. Its settings stay."""
        ...

    async def places(self) -> list[Place]:
        """Every place with a memory, the one with the newest message first."""
        ...

    async def let_go(self) -> set[int]:
        """The newest messages whose questions were forgotten with a deleted answer."""
        ...

    async def standing(self, place: Place) -> list[Standing]:
        """The Discord messages that show a place's window, and its other branches since then, oldest first."""
        ...
