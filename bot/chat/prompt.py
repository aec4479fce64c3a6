"""Builds what the model reads: system prompt, memory, question.

Always in the same way, so that the prompt's beginning stays the same to the byte from turn to turn.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.chat.context_window import Entry, answer_limit, history_budget, least_budget, prompt_limit, window_start
from bot.chat.messages import Author, Image, Message, Role, StoredMessage
from bot.chat.tokens import IMAGE_TOKENS, MESSAGE_OVERHEAD, Estimator, estimate

_NAMES_BEGIN = "[Until now {first} was speaking. From here on each message begins with its speaker's name.]"
_NO_IMAGES: Mapping[int, Sequence[Image]] = {}
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
    raw_estimate: int
    """The same from the texts alone, neither counted nor scaled: what the model's own count is compared with."""
    beside_question: int
    """Tokens of it that are not the question's."""
    window_start: int | None
    """Id of the first remembered message sent; None where none was."""
    left_out: int
    """How many messages of the window were left out this time, because it was full."""
    system: int
    """Tokens of it that are the system prompt's, with the note about names where one may be needed."""
    room: int
    """How many tokens more the question could have, and just these messages would go with it."""

    @property
    def remembered(self) -> int:
        """How many remembered messages it holds, beside the system prompt and the question."""
        return len(self.messages) - 2


def spoken(messages: Iterable[tuple[str, Author | None]]) -> list[str]:
    """Messages as the model reads them, so that it can tell the speakers apart; None is the model itself.

    While one person speaks alone, nothing is added: a decoration confuses small models for no gain. With the first
    message of a second person names begin, and that message also says who spoke before. How a message reads depends
    on those before it only, so that the prompt's beginning never changes.
    """
    names: dict[int, str] = {}
    texts = []
    for text, author in messages:
        if author is None:
            texts.append(text)
            continue
        first = next(iter(names.values()), None)
        names_begin = len(names) == 1 and author.id not in names
        name = names.setdefault(author.id, _unlike(names.values(), _name(author)))
        if names_begin:
            texts.append(f"{_NAMES_BEGIN.format(first=first)}\n{name}: {text}")
        else:
            texts.append(text if len(names) == 1 else f"{name}: {text}")
    return texts


def _unlike(taken: Collection[str], name: str) -> str:
    """The name, with a number where somebody else has it already."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([name], numbered) if candidate not in taken)


def _name(author: Author) -> str:
    """A display name as one short word or two, which can't be taken for anything else."""
    return " ".join(_NOT_IN_NAMES.sub(" ", author.name).split())[:_NAME_LENGTH].strip() or "Someone"


def worded(
    system: str,
    remembered: Sequence[StoredMessage],
    pictures: Sequence[Sequence[Image]],
    *,
    author: Author,
    question: str,
    images: Sequence[Image],
) -> tuple[Message, ...]:
    """The messages of a prompt; `pictures` are those of each remembered message."""
    roles = [*(message.role for message in remembered), Role.USER]
    texts = spoken([*((message.content, message.author) for message in remembered), (question, author)])
    shown = [*map(tuple, pictures), tuple(images)]
    return (Message(Role.SYSTEM, system), *map(Message, roles, texts, shown))


def fingerprint(messages: Iterable[Message]) -> str:
    """By which two prompts are known to be the same, to the byte."""
    whole = hashlib.sha256()
    for message in messages:
        text = message.content.encode("utf-8", "surrogatepass")
        parts = (message.role.encode(), text, *(image.data for image in message.images))
        # With every length in it, so that no part can be taken for two.
        whole.update(len(parts).to_bytes(8))
        for part in parts:
            whole.update(len(part).to_bytes(8) + part)
    return whole.hexdigest()


class PromptBuilder:
    """Fits a place's memory and a question into one model's context window."""

    def __init__(self, *, model: str, num_ctx: int, num_predict: int, estimator: Estimator) -> None:
        self._model = model
        self._num_ctx = num_ctx
        self._num_predict = num_predict
        self._limit = prompt_limit(num_ctx=num_ctx, num_predict=num_predict)
        self._estimator = estimator

    def build(
        self,
        *,
        system: str,
        history: Sequence[StoredMessage],
        author: Author,
        question: str,
        images: Sequence[Image] = (),
        past_images: Mapping[int, Sequence[Image]] = _NO_IMAGES,
    ) -> Prompt:
        """The prompt for a question; past images come by message id. Raises PromptTooLong where nothing fits."""
        head_tokens = self._head(system, history, author)
        question_tokens = self._estimate(question, author, len(images))
        fixed = head_tokens + question_tokens
        budget = history_budget(num_ctx=self._num_ctx, num_predict=self._num_predict, fixed=fixed)
        pictures = [tuple(past_images.get(message.id, ())) for message in history]
        sizes = [self._size(message, len(its)) for message, its in zip(history, pictures, strict=True)]
        entries = [Entry(size, message.role is Role.USER) for size, message in zip(sizes, history, strict=True)]
        start = window_start(entries, budget)
        remembered = history[start:]
        messages = worded(system, remembered, pictures[start:], author=author, question=question, images=images)
        beside_question = head_tokens + sum(sizes[start:])
        tokens = beside_question + question_tokens
        return Prompt(
            messages=messages,
            num_predict=answer_limit(num_ctx=self._num_ctx, num_predict=self._num_predict, prompt=tokens),
            estimate=tokens,
            raw_estimate=sum(estimate(message.content) + MESSAGE_OVERHEAD for message in messages),
            beside_question=beside_question,
            window_start=remembered[0].id if remembered else None,
            left_out=start,
            system=head_tokens,
            room=budget - least_budget(entries, start) if remembered else self._limit - fixed,
        )

    def _head(self, system: str, history: Sequence[StoredMessage], author: Author) -> int:
        tokens = self._estimator.message(system)
        speakers = [message.author for message in history if message.author]
        if any(speaker.id != author.id for speaker in speakers):
            # The note about names stands before some message; which one depends on where the window starts.
            notes = {_NAMES_BEGIN.format(first=_name(speaker)) for speaker in speakers}
            tokens += max(map(self._estimator.message, notes))
        return tokens

    def _size(self, message: StoredMessage, images: int) -> int:
        if message.tokens is not None and message.tokenizer == self._model:
            return message.tokens + MESSAGE_OVERHEAD
        return self._estimate(message.content, message.author, images)

    def _estimate(self, text: str, author: Author | None, images: int) -> int:
        """A message's size with its images and the name that it may need in front."""
        words = self._estimator.message(f"{_name(author)} (2): {text}" if author else text)
        return words + IMAGE_TOKENS * images
