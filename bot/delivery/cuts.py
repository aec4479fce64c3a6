"""Where a text that is too long for one page is best cut. Lengths are in units (UTF-16 code units)."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bot.delivery.markdown import Scan
from bot.delivery.marks import State, closing, in_fence, trimmed
from bot.delivery.text import cluster_ends, cluster_start, ends_cluster, fitting, units

# How many places are tried before a worse kind of place is; hostile text could make each of them fail.
_TRIES = 40
_NEAR = 100  # characters before the end of a full page

# No break before what would become a list item, a heading or a quote at the top of a message.
_NOT_BEFORE = r"(?!(?:[-*+>]|-?#{1,3}|\d{1,9}[.)])\s)"
_LEVELS = (
    re.compile(r"\n(?:[ \t\r]*\n)+"),  # paragraph
    re.compile(r"\n"),  # line
    re.compile(rf"(?:[.!?\u2026][\"')\]*_~|]{{0,8}}\s|[\u3002\uff01\uff1f]){_NOT_BEFORE}"),  # sentence, also CJK
    re.compile(rf"\s{_NOT_BEFORE}"),  # word
)
# Ranks of these levels where nothing is open, in a code block, and inside bold, a spoiler and the like. A code
# block goes on well after any line's end; anything else is torn only where the page offers no other place.
_NOTHING_OPEN, _IN_FENCE, _IN_MARKUP = (0, 1, 4, 5), (2, 3, 10, 10), (6, 7, 8, 9)


class Cut(NamedTuple):
    """A page's end: how many characters it has before its suffix, and what is open there."""

    end: int
    state: State


def cut_at(scan: Scan, end: int, state: State, room: int) -> Cut | None:
    """Return the page that ends at `end`, or None where it would not fit or not be valid on its own."""
    suffix = closing(state)
    if units(scan.text[:end]) + units(suffix) > room or scan.followed_by(suffix, end=end, complete=True).final:
        return None
    return Cut(end, state)


def best_cut(scan: Scan, start: int, room: int) -> Cut:
    """Return the best end of a page of `room` units; the page's own text begins at `start`, after its prefix."""
    first, last = max(start, fitting(scan.text, room // 2)), fitting(scan.text, room) + 1
    ends = (len(trimmed(scan.text[:pos], scan.state(pos))) for pos in _breaks(scan, first, last))
    return _first_cut(scan, (end for end in ends if end > start), room) or hard_cut(scan, start, room)


def hard_cut(scan: Scan, start: int, room: int) -> Cut:
    """Return the last end of a page that fits, between two words or not."""
    fit = fitting(scan.text, room)
    for first in (cluster_start(scan.text, start, fit - _NEAR), start):  # mostly, the end of the page will do
        ends = list(cluster_ends(scan.text, first, fit))[::-1] or list(range(fit, start, -1))
        if cut := _first_cut(scan, ends, room):
            return cut
    for end in ends[:_TRIES]:  # inside a link or a run of markers, which is then read as what is left of it
        if cut := cut_at(scan, end, scan.followed_by("", end=end, complete=True).final, room):
            return cut
    # Markers that nothing can close: Discord shows them as they are.
    end = len(scan.text[: ends[0]].rstrip())
    return Cut(end if end > start else ends[0], ())


def _first_cut(scan: Scan, ends: Iterable[int], room: int) -> Cut | None:
    legal = (end for end in ends if scan.retreat(end) == end)
    for _, end in zip(range(_TRIES), legal, strict=False):
        if cut := cut_at(scan, end, scan.state(end), room):
            return cut
    return None


def _breaks(scan: Scan, first: int, last: int) -> Iterator[int]:
    """Yield the places between `first` and `last` where a reader would break the text, the best first."""
    ranked = []
    for level, pattern in enumerate(_LEVELS):
        for found in pattern.finditer(scan.text, first, min(last, len(scan.text))):
            state = scan.state(found.end())
            ranks = _IN_FENCE if in_fence(state) else _IN_MARKUP if state else _NOTHING_OPEN
            ranked.append((ranks[level], -found.end()))
    for _, pos in sorted(ranked):
        if ends_cluster(scan.text, -pos):
            yield -pos
