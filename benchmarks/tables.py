"""Tables of an answer, which a bot may show as the model wrote them, with pipes, or set in columns in a code block.

Set in columns, a table is read cell by cell: its words must all be there, once and in order, while padding, pipes,
rules and the code block around them are presentation. So is its header, where a message that goes on in the middle of
a table begins with it again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_TABLE = re.compile(r"^\|[^\n]*\|\n\|[-:| ]*-[-:| ]*\|(?:\n\|[^\n]*\|)*", re.MULTILINE)
_FRAME = r"\s|+=:\-\u2500-\u257f"
_PRESENTATION = re.compile(rf"[{_FRAME}]*")
_WORD = re.compile(rf"[^{_FRAME}`]+")
_FENCE = re.compile(r"\s*```[^\n`]*\n")
_CLOSING_FENCE = re.compile(r"```[^\S\n]*(?:\n\s*|\Z)")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Table:
    """Where a table is in a text, and each of its words; the first of them are its header."""

    start: int
    end: int
    words: tuple[tuple[int, int], ...]
    header: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a message and the true text have been read side by side."""

    body: int
    truth: int


@lru_cache(maxsize=256)
def tables(truth: str) -> tuple[Table, ...]:
    """Return the tables of a text, in order; their cells hold plain words."""
    return tuple(_table(found) for found in _TABLE.finditer(truth))


def _table(found: re.Match[str]) -> Table:
    words = tuple(word.span() for word in _WORD.finditer(found.string, *found.span()))
    header = sum(end < found.start() + found[0].index("\n") for _, end in words)
    return Table(found.start(), found.end(), words, header)


def read_columns(body: str, truth: str, table: Table, so_far: Reading, *, in_code: bool) -> Reading:
    """Read on in a table whose words stand in a code block, opened before or here; elsewhere nothing is read.

    A word that is cut short ends a frame: nothing is read after it.
    """
    position = so_far.body
    if not in_code:
        fence = _FENCE.match(body, position)
        if not fence:
            return so_far
        position = fence.end()
    read = sum(end <= so_far.truth for _, end in table.words)
    if read < len(table.words) and table.words[read][0] < so_far.truth:
        return so_far
    if read >= table.header and _FENCE.fullmatch(body, 0, position):
        position = _past_words(body, [truth[slice(*word)] for word in table.words[: table.header]], position)
    reading = so_far
    for start, end in table.words[read:]:
        shown, word = _WORD.match(body, _past(_PRESENTATION, body, position)), truth[start:end]
        if not shown or not word.startswith(shown[0]):
            return reading
        position = _past(_PRESENTATION, body, shown.end())
        reading = Reading(position, start + len(shown[0]))
        if shown[0] != word:
            return reading
    return _past_end(body, truth, table, reading)


def _past_words(body: str, words: Sequence[str], position: int) -> int:
    """Return where a message goes on after these words, or the same position where they are not there."""
    after = position
    for word in words:
        shown = _WORD.match(body, _past(_PRESENTATION, body, after))
        if not shown or shown[0] != word:
            return position
        after = shown.end()
    return after


def _past_end(body: str, truth: str, table: Table, reading: Reading) -> Reading:
    """Leave a table all of whose words were read; blank lines around a code block are presentation, too."""
    fence = _CLOSING_FENCE.match(body, reading.body)
    end = fence.end() if fence else reading.body
    if end == len(body):
        return Reading(reading.body, table.end)
    return Reading(end, _past(_SPACE, truth, table.end)) if fence else reading


def _past(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position
