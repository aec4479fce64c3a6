"""The answers of the scripted model: prose, lists, tables and code of a given number of tokens, none like another."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from benchmarks.words import places, word

SHORTEST = 4
"""Tokens of the shortest answer."""
_ENDING = 8
"""Tokens that the last paragraph has at least."""
_COLUMNS = 3
_HEAD = 4  # letters of a word that is written as two tokens


@dataclass(frozen=True)
class AnswerText:
    """One answer as the model writes it."""

    number: int
    tokens: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        """The whole answer; it neither begins nor ends with whitespace."""
        return "".join(self.tokens)

    @cached_property
    def last_word(self) -> str:
        """The word whose appearance says that the end is there."""
        return word(places(self.text)[-1])

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(map(len, self.tokens)))

    def tokens_within(self, length: int) -> int:
        """Return how many tokens a reader has who sees so many characters; whitespace at the end is seen unseen."""
        while length < len(self.text) and self.text[length].isspace():
            length += 1
        return bisect_right(self._ends, length)


def compose(number: int, count: int, *, code_heavy: bool = False) -> AnswerText:
    """Write answer `number` with exactly `count` tokens."""
    if count < SHORTEST:
        raise ValueError(f"An answer has at least {SHORTEST} tokens")
    writer = _Writer(number)
    tokens: list[str] = []
    for block in _programs(writer) if code_heavy else _blocks(writer):
        if len(tokens) + len(block) + _ENDING > count:
            break
        tokens += block
    tokens += writer.ending(count - len(tokens), first=not tokens)
    return AnswerText(number, tuple(tokens))


def _blocks(writer: "_Writer") -> Iterator[list[str]]:
    yield writer.prose()[1:]
    while True:
        yield writer.code()
        yield writer.bullets()
        yield writer.prose() + writer.prose()
        yield writer.steps()
        yield writer.table()
        yield writer.prose()


def _programs(writer: "_Writer") -> Iterator[list[str]]:
    yield writer.prose()[1:]
    while True:
        yield writer.code(functions=5)
        yield writer.prose()


class _Writer:
    """Writes blocks as tokens, never using a word twice; each block begins with the blank line before it."""

    def __init__(self, answer: int) -> None:
        self._answer = answer
        self._used = 0

    def prose(self) -> list[str]:
        """A paragraph with something bold, something in italics and inline code."""
        first = [*self._words(3, ""), ",", *self._words(2), " **", *self._words(2, ""), "**", *self._words(2), "."]
        second = [*self._words(2), " *", *self._words(1, ""), "*", *self._words(1), " `", *self._words(1, ""), "`", "."]
        return ["\n\n", *first, *second]

    def bullets(self) -> list[str]:
        """A list whose entries begin in bold."""
        return [
            token
            for entry in range(3)
            for token in ("\n" if entry else "\n\n", "-", " **", *self._words(1, ""), "**", ":", *self._words(3))
        ]

    def steps(self) -> list[str]:
        """A numbered list."""
        return [
            token
            for entry in range(3)
            for token in ("\n" if entry else "\n\n", str(entry + 1), ".", *self._words(4), ".")
        ]

    def table(self) -> list[str]:
        """A table of three to five rows below a header."""
        head, rule = self._row(), ["\n", "|", *_COLUMNS * [" ---", " |"]]
        rows = [token for _ in range(3 + self._used % 3) for token in ("\n", *self._row())]
        return ["\n\n", *head, *rule, *rows]

    def _row(self) -> list[str]:
        cells = [self._words(1 + self._used // 2 % 2) for _ in range(_COLUMNS)]
        return ["|", *(token for cell in cells for token in (*cell, " |"))]

    def code(self, functions: int = 1) -> list[str]:
        """A code block of functions, with blank lines inside."""
        parts = [token for number in range(functions) for token in (*(["\n\n"] if number else []), *self._function())]
        return ["\n\n", "```", "python", "\n", *parts, "\n", "```"]

    def _function(self) -> list[str]:
        name, argument, value = (self._words(1, "") for _ in range(3))
        head = ["def ", *name, "(", *argument, "):", "\n", "    "]
        return [*head, *value, " =", *self._words(1), "\n\n", "    return", *self._words(1)]

    def ending(self, count: int, *, first: bool) -> list[str]:
        """A last paragraph of exactly so many tokens."""
        tokens = [] if first else ["\n\n"]
        while (left := count - 1 - len(tokens)) > 0:
            before = "" if tokens in ([], ["\n\n"]) else " "
            tokens += self._word(before, whole=left == 1)
        return [*tokens, "."]

    def _words(self, count: int, before: str = " ") -> list[str]:
        return [token for index in range(count) for token in self._word(" " if index else before)]

    def _word(self, before: str, *, whole: bool = False) -> list[str]:
        """One word; one in three is written as two tokens, as real models do with rare words."""
        made_up = word((self._answer, self._used))
        self._used += 1
        if self._used % 3 == 0 and not whole:
            return [before + made_up[:_HEAD], made_up[_HEAD:]]
        return [before + made_up]
