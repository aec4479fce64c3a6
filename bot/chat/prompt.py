"""Builds what the model reads: system prompt, memory, question.

Always in the same way, so that the prompt's beginning stays the same to the byte from turn to turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat.context_window import Entry, answer_limit, history_budget, window_start
from bot.chat.messages import Author, Message, Place, Role, StoredMessage
from bot.chat.tokens import MESSAGE_OVERHEAD, Estimator

SPEAKERS_NOTE = (
    "Several people talk to you here. Each of their messages begins with the speaker's name and a colon; "
    "your own messages do not."
)
"""Ends the system prompt wherever several people can speak. It names nobody: the prompt's beginning must not change."""

_NAME_LENGTH = 32
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f:\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A complete prompt and what is known of its size."""

    messages: tuple[Message, ...]
    num_predict: int
    """What the context window leaves for the answer of what the settings allow."""
    estimate: int
    """Tokens of the whole prompt, as we reckon."""
    beside_question: int
    """Tokens of it that are not the question's."""
    window_start: int | None
    """Id of the first remembered message sent; None where none was."""
    left_out: int
    """How many messages of the window were left out this time, because it was full."""


def system_prompt(persona_prompt: str, place: Place) -> str:
    """The system message of a place."""
    return f"{persona_prompt}\n\n{SPEAKERS_NOTE}" if place.is_shared else persona_prompt


def spoken(text: str, author: Author | None, place: Place) -> str:
    """A person's message as the model reads it: with the name where several people can speak."""
    if author is None or not place.is_shared:
        return text
    name = " ".join(_NOT_IN_NAMES.sub(" ", author.name).split())[:_NAME_LENGTH].strip() or "Someone"
    return f"{name}: {text}"


class PromptBuilder:
    """Fits a place's memory and a question into one model's context window."""

    def __init__(self, *, model: str, num_ctx: int, num_predict: int, estimator: Estimator) -> None:
        self._model = model
        self._num_ctx = num_ctx
        self._num_predict = num_predict
        self._estimator = estimator

    def build(
        self, *, system: str, history: Sequence[StoredMessage], place: Place, author: Author, question: str
    ) -> Prompt:
        """The prompt for a question. Raises PromptTooLong where the question can't fit."""
        asked = spoken(question, author, place)
        system_tokens = self._estimator.message(system)
        question_tokens = self._estimator.message(asked)
        budget = history_budget(
            num_ctx=self._num_ctx, num_predict=self._num_predict, fixed=system_tokens + question_tokens
        )
        sizes = [self._size(message, place) for message in history]
        start = window_start(
            [Entry(size, message.role is Role.USER) for size, message in zip(sizes, history, strict=True)], budget
        )
        remembered = history[start:]
        beside_question = system_tokens + sum(sizes[start:])
        return Prompt(
            messages=(
                Message(Role.SYSTEM, system),
                *(Message(message.role, spoken(message.content, message.author, place)) for message in remembered),
                Message(Role.USER, asked),
            ),
            num_predict=answer_limit(
                num_ctx=self._num_ctx, num_predict=self._num_predict, prompt=beside_question + question_tokens
            ),
            estimate=beside_question + question_tokens,
            beside_question=beside_question,
            window_start=remembered[0].id if remembered else None,
            left_out=start,
        )

    def _size(self, message: StoredMessage, place: Place) -> int:
        if message.tokens is not None and message.tokenizer == self._model:
            return message.tokens + MESSAGE_OVERHEAD
        return self._estimator.message(spoken(message.content, message.author, place))
