"""What the scripted model is to write, how a question names its answer, and what the model reports afterwards."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from benchmarks.text import AnswerText, compose

MODEL = "scripted:1b"

_QUESTION = re.compile(r"Question (\d+), please")


_WARM_UP = 20


@dataclass(frozen=True)
class Script:
    """An answer for each number of tokens, at so many a second, begun `delay` seconds after it was asked for.

    One short answer more, the last one, is there to be asked for before anything is measured.
    """

    lengths: tuple[int, ...]
    rate: float
    delay: float
    code_heavy: bool = False

    @cached_property
    def texts(self) -> tuple[AnswerText, ...]:
        """Every answer, by number."""
        measured = (compose(number, length, code_heavy=self.code_heavy) for number, length in enumerate(self.lengths))
        return (*measured, compose(len(self.lengths), _WARM_UP))


def question(number: int) -> str:
    """Return the prompt that asks for an answer."""
    return f"Question {number}, please"


def asked_for(prompt: str) -> int | None:
    """Return which answer a prompt asks for, whatever was said before."""
    found = _QUESTION.findall(prompt)
    return int(found[-1]) if found else None


@dataclass(slots=True)
class Written:
    """One answer as it was really written: when the model was asked, and when each token left it."""

    asked: float
    tokens: list[float] = field(default_factory=list)
