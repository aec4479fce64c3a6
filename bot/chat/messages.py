"""Plain values that everything else speaks in: who said what, where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """Who speaks, in the words of Ollama's chat format."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class EndReason(StrEnum):
    """How an answer came to its end. RUNNING until it has one."""

    RUNNING = "running"
    COMPLETE = "complete"
    LENGTH = "length"
    """The token limit (num_predict, or what the context window left) was reached."""
    STOPPED = "stopped"
    """A person or the loss of its channel stopped it."""
    INTERRUPTED = "interrupted"
    """The bot was shut down or died while it was being written."""
    JOINED = "joined"
    """Its question was taken up by the next one of the same person, which came at once."""
    WITHDRAWN = "withdrawn"
    """Its question, or the answer itself, was deleted in Discord: it is forgotten."""
    FAILED = "failed"
    """The model failed, stalled, or its stream broke."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that came with a question."""

    name: str
    data: bytes = field(repr=False)
    """In a format and size that every model which sees can take."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the model reads it."""

    role: Role
    content: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Author:
    """A Discord user."""

    id: int
    name: str
    """The display name at the time."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, thread or direct message: where one conversation happens."""

    channel_id: int
    guild_id: int | None = None
    """None in a direct message."""
    parent_id: int | None = None
    """The channel that a thread belongs to."""
    owner_id: int | None = None
    """Whose conversation it is where each person has one of their own; None for everybody's."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the memory keeps it."""

    id: int
    role: Role
    content: str
    created_at: datetime
    """In UTC."""
    author: Author | None = None
    """The person who asked; None for the model's answers."""
    end_reason: EndReason = EndReason.COMPLETE
    tokens: int | None = None
    """Size in the prompt as counted by the model `tokenizer`; None where it was never counted."""
    tokenizer: str | None = None
    """The model that `tokens` was counted with."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What produced an answer: enough to explain it, and to ask for it again."""

    model: str
    persona: str
    """The persona's name, or "custom" for a channel's own system prompt."""
    persona_version: int
    """0 for built-in personas and channels' own prompts."""
    options: dict[str, object]
    """The options as sent to Ollama, the seed really used among them."""
    digest: str | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    prompt_estimate: int | None = None
    """What the prompt's texts alone let expect as prompt_tokens; the two together calibrate the next estimate."""
    load_seconds: float | None = None
    first_text_seconds: float | None = None
    total_seconds: float | None = None
    waited_seconds: float | None = None
    """In line behind other answers; a part of the other two."""
    writing_seconds: float | None = None
    """What the model itself counted for its answer's tokens."""
    sources: dict[str, str] = field(default_factory=dict)
    """Who decided the model, the persona and each option, in the words of `bot.chat.scopes.Source`."""
    keep_alive: str | None = None
    think: bool | str | None = None
    """As sent; None where the field was left out."""
    prompt_digest: str | None = None
    """By which a prompt that is put together again is known to be the same (`bot.chat.prompt.fingerprint`)."""
    window_start: int | None = None
    """Id of the first remembered message that was sent; None where none was."""
    remembered: int | None = None
    """How many remembered messages were sent."""
    thought_seconds: float | None = None
    """How long the model thought, as it came here; None where it did not. Its thoughts' tokens are in answer_tokens."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A remembered answer with everything that its buttons need."""

    id: int
    place: Place
    asker: Author
    question_id: int
    question: str
    content: str
    end_reason: EndReason
    receipt: Receipt | None
    """None where it was never finished."""
    versions: tuple[int, ...]
    """Ids of all versions that have a text, and of this one, the oldest first."""
    discord_ids: tuple[int, ...]
    """The messages that show it, first page first; none where another version is shown."""
    question_discord_id: int | None
    """The message that asked; None for a command."""
    has_thoughts: bool = False
    """Whether the model's thoughts before it are kept."""

    @property
    def version(self) -> int:
        """Its number among its versions, from 1."""
        return self.versions.index(self.id) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAnswer:
    """What outlives the process of an answer on its way, from before its first message until its end is shown.

    Of a question that the memory does not keep there is only where it was asked and which messages show it.
    """

    place: Place
    opened_at: datetime
    key: str | None = None
    """In the ids of its Stop buttons, by which its messages are known."""
    header: str = ""
    """The line above the answer."""
    asked_in: int | None = None
    """The Discord message that asked."""
    interaction_id: int | None = None
    """Or the command."""
    asker: Author | None = None
    question: str | None = None
    """What was asked by a command; what a message asks stands there to be read again."""
    persona: str | None = None
    answer_id: int | None = None
    """In the memory; None where the question waits still, or nothing of it is remembered."""
    may_be_asked: bool = False
    """Whether the next start may ask the question where it waits still."""
    discord_id: int | None = None
    """The newest message of it that is known."""
    id: int = 0
    """None of the fields that are given, but the store's."""

    @property
    def is_waiting(self) -> bool:
        """Whether its question has not come to its turn."""
        return self.answer_id is None and self.asker is not None
