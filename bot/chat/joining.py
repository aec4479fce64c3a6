"""Messages that one person sends in quick succession become one question, as people write them: in several goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.chat.answers import Control, Question
from bot.chat.fairness import Ticket
from bot.chat.messages import Place

TOGETHER = 2.0
"""Seconds between two messages within which the second may be joined to the first."""


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """A question that is not answered yet."""

    question: Question
    ticket: Ticket
    control: Control
    at: float
    has_words: Callable[[], bool]
    """Whether its answer has begun: then it is too late."""


class Joining:
    """Knows the newest question of each person in each place, as long as it is on its way."""

    def __init__(self, clock: Callable[[], float], seconds: float = TOGETHER) -> None:
        self._clock = clock
        self._seconds = seconds
        self._newest: dict[tuple[Place, int], Asked] = {}

    def ask(
        self, question: Question, ticket: Ticket, control: Control, has_words: Callable[[], bool]
    ) -> tuple[Question, Asked | None]:
        """The question with the one before it, and that one, which ends when the new one is sure to follow.

        Just the question where there is none, or none that it may be joined to.
        """
        key, now = (question.place, question.author.id), self._clock()
        earlier = self._newest.get(key)
        if earlier and now - earlier.at <= self._seconds and not earlier.has_words() and _alike(earlier, question):
            question = joined(earlier.control.worded(earlier.question), question)
        else:
            earlier = None
        self._newest[key] = Asked(question, ticket, control, now, has_words)
        return question, earlier

    def forget(self, question: Question, ticket: Ticket) -> None:
        """Nothing can be joined to it any more."""
        key = question.place, question.author.id
        if key in self._newest and self._newest[key].ticket is ticket:
            del self._newest[key]


def joined(first: Question, second: Question) -> Question:
    """Both questions as one, in their order; what both reply to goes along once."""
    text = "\n\n".join(filter(None, (first.text, second.text)))
    further = (file for file in second.files if file not in first.files)
    return replace(second, text=text, files=(*first.files, *further), on_way=(*first.on_way, *second.on_way))


def _alike(earlier: Asked, question: Question) -> bool:
    """Whether they differ in what is asked only, and nobody has stopped the earlier one."""
    bare = replace(earlier.question, author=question.author, text="", files=())
    return earlier.control.reason is None and bare == replace(question, text="", files=())
