"""Length and characters as Discord sees them. Lengths are in units: UTF-16 code units, which is what Discord counts."""

import re
from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH_AT_END = re.compile("[\ud800-\udbff]\\Z")
_CLUSTER = regex.compile(r"\X")


def units(text: str) -> int:
    """Return how much of Discord's limit `text` takes."""
    if text.isascii():  # the usual case, without a copy
        return len(text)
    return len(text.encode("utf-16-le")) // 2


def fitting(text: str, room: int) -> int:
    """Return how many characters of `text`, from its start, fit into `room` units."""
    if len(text) * 2 <= room or text.isascii():
        return min(len(text), max(room, 0))
    head = text[: max(room, 0)].encode("utf-16-le")[: 2 * max(room, 0)]
    return len(head.decode("utf-16-le", "ignore"))


def cluster_ends(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where the grapheme clusters (what a reader calls a character) of `text[start:]` end, as far as `end`."""
    for cluster in _CLUSTER.finditer(text, start):
        if cluster.end() > end:
            return
        yield cluster.end()


def cluster_start(text: str, start: int, pos: int) -> int:
    """Return the last place up to `pos` where a grapheme cluster certainly begins: between two ASCII characters."""
    while pos > start and not (text[pos - 1 : pos + 1].isascii() and text[pos - 1] != "\r"):
        pos -= 1
    return max(pos, start)


def ends_cluster(text: str, pos: int) -> bool:
    """Tell whether the grapheme cluster that begins with the character before `pos` ends there too."""
    cluster = _CLUSTER.match(text, pos - 1)
    return cluster is not None and cluster.end() == pos


def without_lone_surrogates(text: str) -> str:
    """Return `text` as UTF-8 can carry it: surrogate pairs as the character they mean, lone ones as U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def ends_in_half_a_pair(text: str) -> bool:
    """Tell whether the next character may complete a surrogate pair."""
    return _HIGH_AT_END.search(text[-1:]) is not None
