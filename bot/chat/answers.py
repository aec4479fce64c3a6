"""The values that go in and out of `bot.chat.assistant`: a question, the way an answer is watched, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from bot.chat.messages import Answer, Author, EndReason, Image, Place, Receipt


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text that came with a question as a file."""

    name: str
    content: str


File: TypeAlias = TextFile | Image


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked, where."""

    place: Place
    author: Author
    text: str
    files: tuple[File, ...] = ()
    persona: str | None = None
    """Overrides the place's persona for this question."""
    private: bool = False
    """A private question sees the place's memory but leaves no trace in it."""
    after: int | None = None
    """The Discord message that it replies to: where that shows an older answer, the conversation branches there."""
    again: Answer | None = None
    """The answer that gets a new version: then everything else is as it was asked then."""
    more_of: Answer | None = None
    """Or the one that is to go on where it was cut off."""
    asked_by: Author | None = None
    """Who wants the new version, or more: their tokens it takes. None for the author."""
    is_corrected: bool = False
    """Whether it was asked otherwise at first: what was said after its older version stays, and follows the new one."""
    is_halved: bool = False
    """Whether a part of it was deleted since: then older versions of the answer, which were about that too, go."""
    on_way: tuple[int, ...] = field(default=(), compare=False)
    """Its rows in the `OpenAnswerStore`: its own, and those of questions that were joined to it."""

    @property
    def is_new(self) -> bool:
        """Whether it was not asked before."""
        return self.again is None and self.more_of is None

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it to answer."""
        return not has_words(self.text) and not self.files

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures among its files."""
        return tuple(file for file in self.files if isinstance(file, Image))

    def with_files(self) -> str:
        """The text that the model reads and the memory keeps.

        Each text file stands in a fence longer than any inside it, and each image is named: so that people find it
        in the memory, a model can tell several apart, and one that can't see knows that there was something.
        """
        if not self.is_new:
            return self.text  # as it was kept, files and all
        parts = [self.text] if self.text else []
        for file in self.files:
            if isinstance(file, Image):
                parts.append(f"[image: {file.name}]")
                continue
            fence = "`" * max(3, _longest_run(file.content) + 1)
            parts.append(f"{file.name}:\n{fence}\n{file.content}\n{fence}")
        return "\n\n".join(parts)


def has_file(kept: str, name: str) -> bool:
    """Whether a question had a file of this name with it, by the text that `Question.with_files` made of it."""
    return f"{name}:\n```" in kept or f"[image: {name}]" in kept


_BLANK = "\u2800\u3164\u115f\u1160\uffa0"
"""Characters that count as printable and yet show nothing."""


def has_words(text: str) -> bool:
    """Whether there is anything to see in a text."""
    return any(character.isprintable() and not character.isspace() and character not in _BLANK for character in text)


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


class Step(StrEnum):
    """What goes on while there is no text yet."""

    STARTING = "starting"
    LOADING = "loading"
    """The model is being loaded into memory."""
    READING = "reading"
    """The model is loaded, but reads the prompt or serves somebody else."""
    THINKING = "thinking"


class AnswerView(Protocol):
    """Whatever shows an answer. No method waits: reading the model is never held up by showing."""

    def waiting(self, ahead: int, seconds: float | None = None) -> None:
        """So many answers come first, which takes about so long, where that is known."""
        ...

    def step(self, step: Step, model: str, *, seconds: int = 0) -> None:
        """Something else goes on now than before, or still after so many seconds."""
        ...

    def text(self, text: str) -> None:
        """A further piece of the answer."""
        ...

    def take_back(self) -> None:
        """All pieces so far were none of the answer, but thoughts."""
        ...


class Control:
    """Stops one answer, at any moment from anywhere; the first reason counts."""

    def __init__(self) -> None:
        self.reason: EndReason | None = None
        self.by = ""
        """The name of the person who stopped it, if one did."""
        self.heir: Control | None = None
        """Of the answer in which this one's question is answered as well, for JOINED."""
        self.is_in_line = asyncio.Event()
        """Set when its question waits for its turn, or has it, or never will: what is asked later comes after it."""
        self._work: asyncio.Task[Any] | None = None
        self._question: Question | None = None
        self._is_taken = False

    def reword(self, question: Question) -> bool:
        """Let the question read otherwise, if its turn has not come yet; returns whether that was so."""
        if not self._is_taken:
            self._question = question
        return not self._is_taken

    def worded(self, question: Question) -> Question:
        """The question as it reads now."""
        if self._question is None:
            return question
        return replace(question, text=self._question.text, files=self._question.files)

    def take(self, question: Question) -> Question:
        """The same, when its turn has come: from now on it is too late."""
        self._is_taken = True
        return self.worded(question)

    def stop(self, reason: EndReason = EndReason.STOPPED, *, by: str = "") -> None:
        """End the answer: out of the line if it waits, off the model if it runs."""
        if self.reason is None:
            self.reason, self.by = reason, by
            if self._work:
                self._work.cancel()

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work until it ends, fails (raised) or is stopped (returns as if it had ended)."""
        self._work = asyncio.create_task(work)
        if self.reason is not None:
            self._work.cancel()
        try:
            await self._work
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if self.reason is None or (caller and caller.cancelling()):
                self.reason = self.reason or EndReason.INTERRUPTED
                raise


class Limit(StrEnum):
    """What cut an answer off at its token limit."""

    NUM_PREDICT = "num_predict"
    CONTEXT_WINDOW = "context window"


@dataclass(frozen=True, slots=True)
class Finished:
    """An answer's end: everything that is said about it below its text."""

    reason: EndReason
    model: str = ""
    persona: str = ""
    error: Exception | None = None
    """What went wrong, for FAILED."""
    limit: Limit | None = None
    """For LENGTH: which limit."""
    num_predict: int | None = None
    """The token limit in force."""
    left_out: int = 0
    """How many remembered messages no longer went to the model from now on."""
    receipt: Receipt | None = None
    stopped_by: str = ""
    """The name of the person who stopped it, for STOPPED."""
    is_kept: bool = False
    """Whether the memory has it, so that it can be asked for again."""
    has_text: bool = False
    """Whether there is anything to go on from."""
    is_put_off: bool = False
    """Whether its question is answered by the bot's next start, for INTERRUPTED."""

    @property
    def thought_seconds(self) -> float | None:
        """How long the model thought; None where it did not."""
        return self.receipt.thought_seconds if self.receipt else None


def finished_before(answer: Answer) -> Finished:
    """The end of an answer as far as the memory knows it."""
    receipt = answer.receipt
    limit = int(str(receipt.options["num_predict"])) if receipt and "num_predict" in receipt.options else None
    return Finished(
        reason=answer.end_reason,
        model=receipt.model if receipt else "",
        persona=receipt.persona if receipt else "",
        limit=Limit.NUM_PREDICT if answer.end_reason is EndReason.LENGTH else None,
        num_predict=limit,
        receipt=receipt,
        is_kept=True,
        has_text=bool(answer.content),
    )
