"""What the chat core asks of a language model, and the typed events that an answer's stream is made of."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.chat.messages import EndReason, Message


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of a thinking model's thoughts; never part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """The model's own last word on an answer; a stream without it is not complete."""

    reason: EndReason
    """COMPLETE or LENGTH."""
    prompt_tokens: int | None = None
    """The whole prompt, whether it was cached or not."""
    answer_tokens: int | None = None
    load_seconds: float | None = None
    writing_seconds: float | None = None
    """For the answer's tokens alone."""


ModelEvent = Text | Thinking | End


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request, complete: nothing is left to the server's defaults that matters."""

    model: str
    messages: Sequence[Message]
    options: Mapping[str, object]
    """Ollama's options; num_ctx and num_predict are always among them."""
    keep_alive: str | None = None
    """How long the model stays loaded, such as "5m"; None leaves it to the server."""
    think: bool | str | None = None
    """None leaves the field out: models that can't think refuse it."""


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One line of the server's list of models."""

    name: str
    size: int
    """On disk, in bytes."""
    digest: str
    parameters: str = ""
    """As Ollama words it, such as "134.52M"."""
    quantization: str = ""


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What one model can do."""

    name: str
    capabilities: frozenset[str]
    """Such as "completion", "vision", "thinking", "tools"; empty where the server is too old to say."""
    context_length: int | None
    """The largest context window that the model was trained for, in tokens."""
    opens_thoughts: bool = False
    """Whether the prompt's template ends with the tag that opens thoughts, so that the answer only closes it."""

    @property
    def can_answer(self) -> bool:
        """Whether it writes at all; models for embeddings don't."""
        return "completion" in self.capabilities or not self.capabilities

    @property
    def can_think(self) -> bool:
        """Whether it may be asked to think, and must be told not to."""
        return "thinking" in self.capabilities

    @property
    def can_see(self) -> bool:
        """Whether it reads images."""
        return "vision" in self.capabilities


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a download has come."""

    status: str
    """Ollama's word for the step, such as "pulling manifest"."""
    completed: int = 0
    total: int = 0
    """In bytes, over all layers seen so far; 0 while unknown."""


class LanguageModel(Protocol):
    """A server of language models. Every method raises a `bot.errors.ModelError` in its own words."""

    def chat(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """Stream an answer; whoever opens the stream closes it (`contextlib.aclosing`), which stops the model."""
        ...

    async def models(self) -> list[ModelSummary]:
        """All models that the server has, by name."""
        ...

    async def details(self, name: str) -> ModelDetails:
        """What the model can do. Raises ModelNotFound."""
        ...

    async def digest(self, name: str) -> str | None:
        """Which build of the model its name stands for, at most a minute old; None where that can't be found out."""
        ...

    async def loaded(self) -> frozenset[str]:
        """Names of the models in memory now."""
        ...

    def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model; closing the stream cancels the download."""
        ...
