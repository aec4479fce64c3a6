"""How much of an answer the messages of a channel show, read as a person reads them.

A message may show more than the model's text: lines in small print (a header, a footer, what goes on), a cursor, and
where it ends or begins in the middle of something, the Markdown that closes and reopens it. All of that is taken off;
the rest must be the model's text, to the character, apart from whitespace where two messages join, and from tables,
which may be set in columns.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.tables import Reading, read_columns, tables

SMALL_PRINT = "-# "
CURSORS = "▌▍▋▊▉█▎▏▐░▒▓⬤●⏳⌛…"

_FENCE = r"(?:`{3,}|~{3,})"
_MARKER = rf"(?:{_FENCE}|\*\*|\*|__|_|~~|\|\||`)"
_CLOSINGS = re.compile(rf"(?:\s*{_MARKER})*\s*")
_OPENING = re.compile(rf"{_FENCE}[^\n`]*\n|{_MARKER}")
_NOT_SHOWN_AT_A_JOINT = re.compile(rf"\s|{_MARKER}")
_FENCE_RUN = re.compile(r"`{3,}")
_MOST_OPENINGS = 8
_MOST_LEFT_OUT = 64
_CURSOR = str.maketrans("", "", CURSORS)


@dataclass(frozen=True, slots=True)
class Shown:
    """The text up to `end` is shown without a gap; `exact` says that nothing else is."""

    end: int
    exact: bool


def body_of(content: str) -> str:
    """Return a message without small print and cursor."""
    return _without_small_print(content).translate(_CURSOR).strip()


def has_cursor(content: str) -> bool:
    """Tell whether a message shows that it is being written; in small print an ellipsis may be just that."""
    text = _without_small_print(content)
    return text != text.translate(_CURSOR)


def _without_small_print(content: str) -> str:
    return "\n".join(line for line in content.split("\n") if not line.startswith(SMALL_PRINT))


def has_open_fence(content: str) -> bool:
    """Tell whether the end of a message, or all of it, is shown as code by mistake."""
    return len(_FENCE_RUN.findall(content)) % 2 == 1


def match_page(body: str, truth: str, start: int) -> Shown:
    """Find where a message that goes on at `start` of the true text ends in it."""
    best = Shown(start, exact=not body)
    for beginning in _beginnings(body) if start else (0,):
        for at in _joints(truth, start) if start else (0,):
            reading = _read(body, truth, Reading(beginning, at))
            if reading.truth == at:
                continue
            shown = Shown(reading.truth, exact=_CLOSINGS.fullmatch(body, reading.body) is not None)
            best = max(best, shown, key=lambda one: (one.exact, one.end))
    return best


def match_pages(bodies: Sequence[str], truth: str) -> Shown:
    """Find how much of the true text several messages show together."""
    shown = Shown(0, exact=True)
    for body in bodies:
        page = match_page(body, truth, shown.end)
        shown = Shown(page.end, exact=shown.exact and page.exact)
    return shown


def is_whole(shown: Shown, truth: str) -> bool:
    """Tell whether all of the true text is shown and nothing else."""
    return shown.exact and not truth[shown.end :].strip()


def _beginnings(body: str) -> Iterator[int]:
    """Yield where the text of a message may begin, after what it reopens."""
    yield 0
    position = 0
    for _ in range(_MOST_OPENINGS):
        opening = _OPENING.match(body, position)
        if not opening:
            return
        position = opening.end()
        yield position


def _joints(truth: str, start: int) -> Iterator[int]:
    """Yield from where a message may go on: whitespace at a joint is not shown, nor what was closed before it."""
    yield start
    position = start
    for _ in range(_MOST_LEFT_OUT):
        left_out = _NOT_SHOWN_AT_A_JOINT.match(truth, position)
        if not left_out:
            return
        position = left_out.end()
        yield position


def _read(body: str, truth: str, reading: Reading) -> Reading:
    """Read a message beside the true text as far as they agree."""
    while (further := _read_on(body, truth, reading)) != reading:
        reading = further
    return reading


def _read_on(body: str, truth: str, reading: Reading) -> Reading:
    """Read to where the next table begins or ends, or to the first difference."""
    table = next((table for table in tables(truth) if reading.truth < table.end), None)
    if table is None:
        return _read_plain(body, truth, reading, len(truth))
    start = reading
    if reading.truth < table.start:
        start = _read_plain(body, truth, reading, table.start)
        if truth[start.truth : table.start].strip():
            return start
    plain = _read_plain(body, truth, start, table.end)
    columns = read_columns(body, truth, table, start, in_code=has_open_fence(body[: start.body]))
    return max(plain, columns, key=lambda one: one.truth)


def _read_plain(body: str, truth: str, reading: Reading, until: int) -> Reading:
    """Read as many characters as both have in common."""
    most = min(len(body) - reading.body, until - reading.truth)
    shown, written = body[reading.body : reading.body + most], truth[reading.truth : reading.truth + most]
    if shown == written:
        size = most
    else:
        size = next(place for place, (one, other) in enumerate(zip(shown, written, strict=True)) if one != other)
    return Reading(reading.body + size, reading.truth + size)
