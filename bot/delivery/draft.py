"""The page that is being written. Lengths are in units (UTF-16 code units)."""

import re
from dataclasses import dataclass

from bot.delivery.cuts import Cut, best_cut, cut_at, hard_cut
from bot.delivery.markdown import MAX_RUN, Scan
from bot.delivery.marks import State, closing, in_code, in_fence, opening, past_blank_line, trimmed
from bot.delivery.text import fitting, units

LOOKAHEAD = 32
"""How far beyond a full page its text is read before its end is chosen."""

_MAX_BLANK = 100

_WHITESPACE = re.compile(r"\s*")
_BLANK_LINES = re.compile(rf"(?:[ \t\r]{{0,{_MAX_BLANK}}}\n)*")
_FENCE_LINE = re.compile(r"(?P<indent>[ \t\r>]*)(?P<run>`*|~*)")


@dataclass(frozen=True, slots=True)
class Page:
    """One finished message. `lead` and `body` are the answer's text as shown, `prefix` and `suffix` were added."""

    lead: str
    prefix: str
    body: str
    suffix: str

    @property
    def text(self) -> str:
        """What Discord is sent."""
        return self.prefix + self.body + self.suffix


class Draft:
    """Text that grows at its end and is cut off at its start, page by page.

    A page's text is what reopens the markup that the page before it left open, and the text after that.
    """

    def __init__(self) -> None:
        self._lead: list[str] = []
        self._lead_lines = 0
        self._carried: State = ()
        self._text = ""
        self._size = 0
        self._begun = False  # it is known where the shown text begins
        self._read: Scan | None = None  # of the page's text or its beginning; None since that changed
        self._complete = False

    @property
    def begun(self) -> bool:
        """Whether the page has anything but white space to show."""
        return self._begun and not self._text.isspace()

    @property
    def size(self) -> int:
        """Units of the page's text, with what it reopens."""
        return units(opening(self._carried)) + self._size

    @property
    def is_blank(self) -> bool:
        """Whether no more pages come of it."""
        return not self._text.strip()

    @property
    def joined(self) -> str:
        """All text that is on no page."""
        return "".join(self._lead) + self._text

    def add(self, text: str) -> None:
        """Take in what follows."""
        self._text += text
        self._size += units(text)
        self._begin()

    def complete(self) -> None:
        """Take note that nothing follows."""
        self._complete = True
        self._begin()

    def followed_by(self, text: str) -> "Draft":
        """Return another draft with `text` added, only to be shown."""
        draft = Draft()
        draft._lead_lines, draft._carried = self._lead_lines, self._carried
        draft._text, draft._size, draft._begun = self._text, self._size, self._begun
        draft._read = self._scan()
        draft.add(text)
        return draft

    def reads_code(self) -> bool:
        """Tell whether what follows would be read as code."""
        return in_code(self._scan().final)

    def frame(self, room: int) -> str:
        """Return what to show of the page now, closed where it is open; empty where there is nothing yet."""
        end = self._end(room)
        return self._page_text[: end.end] + closing(end.state) if end else ""

    def seal(self, room: int) -> Page | None:
        """Close the page where `frame` ends now."""
        end = self._end(room)
        return self._close(end) if end else None

    def cut(self, room: int) -> Page | None:
        """Close the page at its best end, which depends on nothing beyond `LOOKAHEAD`; None if it is blank."""
        text = self._page_text
        scan = Scan(text[: fitting(text, room + LOOKAHEAD)])
        return self._close(best_cut(scan, len(self._prefix), room))

    def last(self, room: int) -> Page | None:
        """Close the last page, leaving its trailing whitespace; None where it does not fit."""
        scan = Scan(self._page_text, complete=True)
        # Emphasis that the model never closed is its text as it is; what the page before had open is ours to close.
        ours = tuple(mark for mark in scan.final if mark.is_fence or mark in self._carried)
        end = len(trimmed(scan.text, ours))
        if ours and scan.retreat(end) < end:  # a code block without a line of code
            ours = tuple(mark for mark in ours if not mark.is_fence)
            end = len(trimmed(scan.text, ours))
        if units(scan.text[:end] + closing(ours)) > room:
            return None
        return self._close(Cut(end, ours))

    @property
    def _prefix(self) -> str:
        return opening(self._carried)

    @property
    def _page_text(self) -> str:
        return self._prefix + self._text

    def _scan(self) -> Scan:
        """Read the page's text."""
        text = self._page_text
        if self._read is None:
            self._read = Scan(text)
        elif len(self._read.text) < len(text):
            self._read = self._read.followed_by(text[len(self._read.text) :])
        return self._read

    def _end(self, room: int) -> Cut | None:
        """Return where the page can end now; None where nothing of it can be shown."""
        start = len(self._prefix)
        scan = self._scan().as_shown()
        pos = scan.retreat(scan.held)
        if not scan.text[start:pos].strip():
            return None
        end = cut_at(scan, pos, scan.state(pos), room) or hard_cut(scan, start, room)
        return Cut(len(trimmed(scan.text[: end.end], end.state)), end.state)

    def _close(self, end: Cut) -> Page | None:
        """Take the page off, unless there is nothing to see on it."""
        prefix = self._prefix
        body = self._text[: end.end - len(prefix)]
        page = None
        if body.strip():
            page = Page("".join(self._lead), prefix, body, closing(end.state))
            self._lead, self._carried, self._lead_lines = [], end.state, 0
        else:
            self._lead.append(body)
        self._drop(len(body))
        self._begun = False
        self._begin()
        return page

    def _drop(self, count: int) -> str:
        """Take `count` characters off the start."""
        self._read = None
        dropped, self._text = self._text[:count], self._text[count:]
        self._size -= units(dropped)
        return dropped

    def _begin(self) -> None:
        """Move what a page does not show at its start to `lead`, until it is known where the shown text begins."""
        while not self._begun and self._text:
            self._read = None
            pattern = _BLANK_LINES if in_fence(self._carried) else _WHITESPACE
            self._skip(_length(pattern, self._text))
            if self._lead_lines > 1:
                self._carried = past_blank_line(self._carried)
            closer = self._closing_length()
            if closer is None:
                return
            self._begun = bool(self._text) and not closer
            if closer:
                self._skip(closer)
                self._carried = self._carried[:-1]

    def _skip(self, count: int) -> None:
        skipped = self._drop(count)
        self._lead.append(skipped)
        self._lead_lines += skipped.count("\n")

    def _closing_length(self) -> int | None:
        """Return how long the closing marker is that the page begins with; None where that is not known yet."""
        if not self._carried:
            return 0
        marker = self._carried[-1].marker
        if in_fence(self._carried):
            found = _FENCE_LINE.match(self._text)
            indent, run = (found["indent"], found["run"]) if found else ("", "")
        else:
            indent, run = "", self._text[: len(self._text) - len(self._text.lstrip(marker[0]))]
        seen = len(indent + run)
        if len(indent) > _MAX_BLANK or len(run) > MAX_RUN:
            return 0
        if seen == len(self._text) and not self._complete:
            return None
        return seen if run == marker or (run.startswith(marker) and in_fence(self._carried)) else 0


def _length(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
