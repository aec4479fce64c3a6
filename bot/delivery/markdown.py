"""Which Markdown is open at a point of a text, read as Discord's client reads it.

Where Discord and CommonMark part, Discord wins: three backticks open and close a code block anywhere in a line, and
bold, underline, strikethrough and spoilers go on over blank lines. What would mostly be a stray character in a
model's prose (`2 * 3`, `snake_case`, a lone backtick) is kept from colouring the rest of the answer: a marker opens
only before a visible character and not right after an ASCII letter or digit; `*`, `_` and inline code end at a blank
line.
Fences of tildes, which Discord does not know, are read as CommonMark does.

A page's text is bounded, so a `Scan` reads all of it each time; nothing is remembered between two scans.
"""

import re
from bisect import bisect_left, bisect_right
from typing import NamedTuple

import regex  # type: ignore[import-untyped]

# What one marker, the indentation and the language of a fence may take of a page when they are written again on the
# next one. Beyond it they are read as plain text, so that they cannot eat the page.
MAX_RUN = 32
MAX_INDENT = 16
MAX_LANGUAGE = 40
MAX_INFO = 100

_FENCE = 3  # characters make a fence; no inline marker has as many

_PROSE = re.compile(
    r"(?P<run>`+|\*+|_+|~+|\|+)|(?P<link>[<\[])|(?P<blank>\n[ \t]*\n)"
    r"|\\[^0-9A-Za-z\s]?|\bhttps?://[^\s<]*[^\s<*_~|`]"  # markers at the end of an address are not part of it
)
_IN_CODE = re.compile(r"`+|(?P<blank>\n[ \t]*\n)")
# Bounded, and with one way only to match, so that hostile text costs no more than plain text.
_LINK = regex.compile(
    r"\[[^\[\]\n]{1,100}\]\(<?https?://[^\s()<>]{0,500}(?:\([^\s()<>]{0,100}\)[^\s()<>]{0,100}){0,3}>?\)"
)
_ANGLE = regex.compile(r"<(?:https?://[^\s<>]{1,500}|a?:\w{2,32}:\d{1,20}|[@#][!&]?\d{1,20})>")
_INFO = re.compile(
    rf"[ \t]*(?P<language>[\w+\-.#]{{0,{MAX_LANGUAGE}}})(?![\w+\-.#])[^\n`]{{0,{MAX_INFO}}}\n(?:[ \t]*\n)*"
)
_HALF_INFO = re.compile(rf"[^\n`]{{0,{MAX_INFO}}}\Z")
_CONTAINER = re.compile(rf"[ \t>]{{0,{MAX_INDENT}}}(?:[-*+] +|\d{{1,9}}[.)] +)?\Z")
_BACKTICKS_AT_END = re.compile(r"`+\Z")


class Mark(NamedTuple):
    """One construct that is open: its marker, and what opens it again and closes it."""

    marker: str
    opening: str
    closing: str

    @property
    def is_fence(self) -> bool:
        """A code block, not inline markup."""
        return len(self.marker) >= _FENCE

    @property
    def ends_with_paragraph(self) -> bool:
        """Whether a blank line shows that the marker was a stray character."""
        return self.marker in ("*", "_", "`", "``")


State = tuple[Mark, ...]


class _Span(NamedTuple):
    """A piece of text that must not be torn; `state` is what is open after it."""

    start: int
    end: int
    state: State
    opens: bool


def closing(state: State) -> str:
    """Return what closes everything in `state`."""
    return "".join(mark.closing for mark in reversed(state))


def opening(state: State) -> str:
    """Return what opens everything in `state` again at the top of a page."""
    return "".join(mark.opening for mark in state)


def in_fence(state: State) -> bool:
    """Tell whether the text after `state` is code in a block."""
    return bool(state) and state[-1].is_fence


def past_blank_line(state: State) -> State:
    """Return what is still open after a blank line."""
    if in_fence(state):
        return state
    return tuple(mark for mark in state if not mark.ends_with_paragraph)


def trimmed(text: str, state: State) -> str:
    """Return `text` without the whitespace at its end that Discord drops from a message or from a code block."""
    return text.rstrip("\r\n") if in_fence(state) else text.rstrip()


class Scan:
    """A text read once: what is open where, and from where on it may still turn out otherwise.

    `complete` says that nothing will follow. `held` is the first character whose meaning is open (a half-typed
    link, a run of markers at the end, a fence without content); it is the text's length where nothing is.
    """

    def __init__(self, text: str, *, complete: bool = False) -> None:
        self.text = text
        self.held = len(text)
        self._complete = complete
        self._open: State = ()
        self._spans: list[_Span] = []
        self._read()
        self._starts = [span.start for span in self._spans]
        self._ends = [span.end for span in self._spans]

    @property
    def final(self) -> State:
        """What is open at the end."""
        return self._open

    def state(self, pos: int) -> State:
        """Return what is open before the character at `pos`."""
        known = bisect_right(self._ends, pos)
        return self._spans[known - 1].state if known else ()

    def retreat(self, pos: int) -> int:
        """Return the last position up to `pos` where the text can end and everything open be closed."""
        while True:
            state = self.state(pos)
            pos = len(trimmed(self.text[:pos], state))
            index = bisect_left(self._starts, pos) - 1
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

    def _read(self) -> None:
        pos = 0
        while pos < len(self.text):
            if not self._open or not self._open[-1].marker.startswith(("`", "~~~")):
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
        if found.lastgroup == "blank":
            return self._add(start, end - 1, past_blank_line(self._open))  # its last newline may begin the next one
        if found.lastgroup == "link":
            return self._read_link(start, _LINK if found[0] == "[" else _ANGLE)
        if found.lastgroup == "run":
            return self._read_run(start, end)
        return self._undecided(start) if found[0] == "\\" and self._at_end(end) else self._add(start, end)

    def _read_run(self, start: int, end: int) -> int:
        """Read a run of one of the characters that mark something."""
        char, long_enough = self.text[start], end - start >= _FENCE
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
        if left % 2 and may_close_single and _has(state, single):
            state, left = _without(state, single), left - 1
        if left > 1 and _has(state, double):
            state, left = _without(state, double), left - 2
        inside_word = _is_word(before) and after.isascii()  # also `3*(4+5)` and `x_{1}`
        if end - start > len("***") or not after or after.isspace() or inside_word:
            return state
        if left > 1 and not _has(state, double):
            state = (*state, Mark(double, double, double))
        if left % 2 and char in "*_" and not _has(state, single):
            state = (*state, Mark(single, single, single))
        return state


def _is_word(char: str) -> bool:
    return char.isascii() and char.isalnum()  # ASCII: Chinese or Japanese has no spaces around its bold words


def _has(state: State, marker: str) -> bool:
    return any(mark.marker == marker for mark in state)


def _without(state: State, marker: str) -> State:
    """Close `marker`; what was opened inside it and never closed was a stray character."""
    return state[: next(index for index, mark in enumerate(state) if mark.marker == marker)]
