"""Which Markdown is open at a point of a text, read as Discord's client reads it.

Where Discord and CommonMark part, Discord wins: three backticks open and close a code block anywhere in a line, and
bold, underline, strikethrough and spoilers go on over blank lines. What would mostly be a stray character in a
model's prose (`2 * 3`, `snake_case`, a lone backtick) is kept from colouring the rest of the answer: a marker opens
only before a visible character and not right after an ASCII letter or digit; `*`, `_` and inline code end at a blank
line.
Fences of tildes, which Discord does not know, are read as CommonMark does.

A page's text is read again and again while it grows; `Scan.followed_by` reads only what may have changed.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import regex  # type: ignore[import-untyped]

from bot.delivery.marks import (
    FENCE,
    Mark,
    State,
    closing,
    in_code,
    in_fence,
    is_open,
    past_blank_line,
    trimmed,
    without,
)

# What one marker, the indentation and the language of a fence may take of a page when they are written again on the
# next one. Beyond it they are read as plain text, so that they cannot eat the page.
MAX_RUN = 32
MAX_INDENT = 16
MAX_LANGUAGE = 40
MAX_INFO = 100

# Each branch begins with a plain character: only then does `re` skip quickly what is between the matches, which makes
# prose about ten times cheaper to read. Hence the repeated characters, no groups, and no `\b` before an address.
_PROSE = re.compile(
    r"``*|\*\**|__*|~~*|\|\|*|<|\[|\n[ \t]*\n|\\[^0-9A-Za-z\s]?"
    r"|h(?<!\wh)ttps?://[^\s<]*[^\s<*_~|`]"  # markers at the end of an address are not part of it
)
_IN_CODE = re.compile(r"`+|(?P<blank>\n[ \t]*\n)")
# Bounded, and with one way only to match, so that hostile text costs no more than plain text.
_LINK = regex.compile(
    r"\[[^\[\]\n]{1,100}\]\(<?https?://[^\s()<>]{0,500}(?:\([^\s()<>]{0,100}\)[^\s()<>]{0,100}){0,3}>?\)"
)
_ANGLE = regex.compile(r"<(?:https?://[^\s<>]{1,500}|a?:\w{2,32}:\d{1,20}|[@#][!&]?\d{1,20})>")
_INFO_LINE = rf"[ \t]{{0,{MAX_INFO}}}(?P<language>[\w+\-.#]{{0,{MAX_LANGUAGE}}})(?![\w+\-.#])[^\n`]{{0,{MAX_INFO}}}"
_INFO = re.compile(rf"{_INFO_LINE}\n(?:[ \t]*\n)*")
_HALF_INFO = re.compile(rf"{_INFO_LINE}\Z")
_CONTAINER = re.compile(rf"[ \t>]{{0,{MAX_INDENT}}}(?:[-*+] +|\d{{1,9}}[.)] +)?\Z")
_BACKTICKS_AT_END = re.compile(r"`+\Z")
_BETWEEN_WORDS = " \t\r\n>"
_MAX_HELD = 64  # characters: most links, and what a fast model writes in less than half a second


class _Span(NamedTuple):
    """A piece of text that must not be torn; `state` is what is open after it."""

    start: int
    end: int
    state: State
    opens: bool


_start = attrgetter("start")
_end = attrgetter("end")


class Scan:
    """A text read once: what is open where, and from where on it may still turn out otherwise.

    `complete` says that nothing will follow. `held` is the first character whose meaning is open (a half-typed
    link, a run of markers at the end, a fence without content); it is the text's length where nothing is.
    """

    def __init__(self, text: str, *, complete: bool = False, known: Sequence[_Span] = (), start: int = 0) -> None:
        """Read `text` from `start` on, before which `known` is what there is."""
        self.text = text
        self.held = len(text)
        self._complete = complete
        self._spans = list(known)
        self._open: State = known[-1].state if known else ()
        self._read(start)

    def followed_by(self, tail: str, *, end: int | None = None, complete: bool = False) -> "Scan":
        """Return the scan of `text[:end] + tail`, without reading again what is the same whatever follows."""
        end = len(self.text) if end is None else end
        start = self._settled(end)
        known = self._spans[: bisect_right(self._spans, start, key=_end)]
        return Scan(self.text[:end] + tail, complete=complete, known=known, start=start)

    def as_shown(self) -> "Scan":
        """Return how the text is to be shown: what is held for too long is read as if nothing followed."""
        return self if len(self.text) - self.held <= _MAX_HELD else self.followed_by("", complete=True)

    @property
    def final(self) -> State:
        """What is open at the end."""
        return self._open

    def state(self, pos: int) -> State:
        """Return what is open before the character at `pos`."""
        known = bisect_right(self._spans, pos, key=_end)
        return self._spans[known - 1].state if known else ()

    def retreat(self, pos: int) -> int:
        """Return the last position up to `pos` where the text can end and everything open be closed."""
        while True:
            state = self.state(pos)
            pos = len(trimmed(self.text[:pos], state))
            index = bisect_left(self._spans, pos, key=_start) - 1
            if index < 0:
                return pos
            span = self._spans[index]
            # Nothing can be closed right after it was opened ("****" is not bold, and a code block needs code), nor
            # does a closing marker count where it would grow a run that is already there.
            empty = span.opens and not self.text[span.end : pos].strip()
            grows = span.end == pos and self.text[pos - 1] == closing(span.state)[:1]
            if pos >= span.end and not empty and not grows:
                return pos
            pos = span.start

    def _settled(self, end: int) -> int:
        """Return a position up to `end` before which nothing's meaning depends on what follows `end`.

        That is the end of the last word but one, since all that is read at once either has no white space in it, or is
        a span that is known, or is held.
        """
        word_end = len(self.text[:end].rstrip(_BETWEEN_WORDS))
        word = max(self.text.rfind(char, 0, word_end) for char in _BETWEEN_WORDS) + 1
        pos = min(len(self.text[:word].rstrip(_BETWEEN_WORDS)), self.held)
        index = bisect_left(self._spans, pos, key=_start) - 1
        if index < 0:
            return pos
        span = self._spans[index]
        half_opened = span.opens and in_fence(span.state) and "\n" not in self.text[span.start : pos]
        return span.start if span.end > pos or half_opened else pos

    def _read(self, pos: int) -> None:
        while pos < len(self.text):
            if not in_code(self._open):
                pos = self._read_prose(pos)
            elif self._open[-1].marker[0] == "~":
                pos = self._read_tilde_fence(pos)
            elif in_fence(self._open):
                pos = self._read_fence(pos)
            else:
                pos = self._read_code(pos)

    def _add(self, start: int, end: int, state: State | None = None) -> int:
        state = self._open if state is None else state
        opens = state[-1:] != self._open[len(state) - 1 : len(state)] if state else False
        self._spans.append(_Span(start, end, state, opens=opens))
        self._open = state
        return end

    def _undecided(self, start: int) -> int:
        self.held = start
        return self._add(start, len(self.text))

    def _at_end(self, end: int) -> bool:
        return end == len(self.text) and not self._complete

    def _read_prose(self, pos: int) -> int:
        found = _PROSE.search(self.text, pos)
        if not found:
            return len(self.text)
        start, end = found.span()
        match self.text[start]:
            case "\n":
                return self._add(start, end - 1, past_blank_line(self._open))  # its last newline may begin the next one
            case "[" | "<" as char:
                return self._read_link(start, _LINK if char == "[" else _ANGLE)
            case "\\" | "h" as char:
                return self._undecided(start) if char == found[0] and self._at_end(end) else self._add(start, end)
            case _:
                return self._read_run(start, end)

    def _read_run(self, start: int, end: int) -> int:
        """Read a run of one of the characters that mark something."""
        char, long_enough = self.text[start], end - start >= FENCE
        if self._at_end(end):
            return self._undecided(start)
        if end - start > MAX_RUN:
            return self._add(start, end)
        if (char == "`" and long_enough) or (char == "~" and long_enough and self._container(start) is not None):
            return self._open_fence(start, end)
        if char == "`":
            marker = self.text[start:end]
            return self._add(start, end, (*self._open, Mark(marker, marker, marker)))
        return self._add(start, end, self._emphasis(start, end))

    def _read_link(self, start: int, pattern: "regex.Pattern[str]") -> int:
        found = pattern.match(self.text, start, partial=not self._complete)
        if not found:
            return start + 1
        return self._undecided(start) if found.partial else self._add(start, found.end())

    def _open_fence(self, start: int, end: int) -> int:
        """Read a fence's marker and, once its line is there, its info string and the blank lines that Discord drops."""
        marker, language = self.text[start:end], ""
        info = _INFO.match(self.text, end)
        if info and not (marker[0] == "~" and "~" in info[0]):
            language, end = info["language"], info.end()
        elif not self._complete and _HALF_INFO.match(self.text, end):
            return self._undecided(start)
        elif marker[0] == "~":
            return self._add(start, end, self._emphasis(start, end))
        indent = re.sub(r"[^ \t>]", " ", self._container(start) or "")
        mark = Mark(marker, f"{indent.lstrip()}{marker}{language}\n", f"\n{indent}{marker}")
        # Emphasis does not reach over a code block, a spoiler does; but tildes must have their lines to themselves.
        around = tuple(mark for mark in self._open if mark.marker == "||" and marker[0] == "`")
        self._open = around
        return self._add(start, end, (*around, mark))

    def _container(self, start: int) -> str | None:
        """Return what stands before a fence on its line: indentation, quote marks, a list item's bullet."""
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return line if _CONTAINER.match(line) else None

    def _read_code(self, pos: int) -> int:
        found = _IN_CODE.search(self.text, pos)
        if not found:
            return len(self.text)
        start, end = found.span()
        if found["blank"]:
            return self._add(start, end - 1, past_blank_line(self._open))
        if self._at_end(end):
            return self._undecided(start)
        closes = found[0] == self._open[-1].marker
        return self._add(start, end, self._open[:-1] if closes else self._open)

    def _read_fence(self, pos: int) -> int:
        closed = re.compile(self._open[-1].marker + "`*").search(self.text, pos)
        if closed:
            return self._add(closed.start(), closed.end(), self._open[:-1])
        begun = _BACKTICKS_AT_END.search(self.text, pos)
        if begun and not self._complete:
            return self._undecided(begun.start())
        return len(self.text)

    def _read_tilde_fence(self, pos: int) -> int:
        marker = self._open[-1].marker
        end_of_line = r"(?:\n|\Z)" if self._complete else r"\n"
        closed = re.compile(rf"^[ \t>]*{marker}~*(?=[ \t]*{end_of_line})", re.MULTILINE).search(self.text, pos)
        if closed:
            return self._add(closed.start(), closed.end(), self._open[:-1])
        begun = re.compile(r"^[ \t>]*~+[ \t]*\Z", re.MULTILINE).search(self.text, pos)
        if begun and not self._complete:
            return self._undecided(begun.start())
        return len(self.text)

    def _emphasis(self, start: int, end: int) -> State:
        """Return what is open after a run of one of the characters `*_~|`."""
        char, left, state = self.text[start], end - start, self._open
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        single, double = char, char * 2
        may_close_single = not before.isspace() and not (char == "_" and _is_word(after))
        if left % 2 and may_close_single and is_open(state, single):
            state, left = without(state, single), left - 1
        if left > 1 and is_open(state, double):
            state, left = without(state, double), left - 2
        inside_word = _is_word(before) and after.isascii()  # also `3*(4+5)` and `x_{1}`
        if end - start > len("***") or not after or after.isspace() or inside_word:
            return state
        if left > 1 and not is_open(state, double):
            state = (*state, Mark(double, double, double))
        if left % 2 and char in "*_" and not is_open(state, single):
            state = (*state, Mark(single, single, single))
        return state


def _is_word(char: str) -> bool:
    return char.isascii() and char.isalnum()  # ASCII: Chinese or Japanese has no spaces around its bold words
