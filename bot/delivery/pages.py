"""An answer that grows, as Discord messages that are valid on their own. Lengths are in units (UTF-16 code units).

A page is closed as soon as the text is certain to go on beyond it, and never changes again. Where it is cut depends
on the text alone, not on the pieces it came in.

What is shown differs from the model's text in these ways only:

- lone surrogates are U+FFFD;
- what is open at a joint is closed (`Page.suffix`) and opened again (`Page.prefix`), and a code block that the model
  left open at the very end is closed, too;
- whitespace at a joint, at the start and at the end is not shown, because Discord would drop it; in a code block
  that goes for blank lines only. A closing marker right after a joint is not shown either: the page before it is
  closed already. Both are kept in `Page.lead`, so that nothing is lost.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.delivery.cuts import best_cut, cut_at, hard_cut
from bot.delivery.markdown import MAX_RUN, Scan, State, closing, in_fence, opening, past_blank_line, trimmed
from bot.delivery.text import ends_in_half_a_pair, fitting, units, without_lone_surrogates

LIMIT = 2000
MIN_ROOM = 300  # the deepest nesting's markers, opened and closed, and about as much text
LOOKAHEAD = 64  # how far beyond a full page the text is read before its end is chosen

_STEP = 1024  # characters taken in at once, so that no buffer grows with the size of a piece
_MAX_BLANK = 100

_WHITESPACE = re.compile(r"\s*")
_BLANK_LINES = re.compile(rf"(?:[ \t\r]{{0,{_MAX_BLANK}}}\n)*")
_FENCE_LINE = re.compile(r"(?P<indent>[ \t\r>]*)(?P<run>`*|~*)")


@dataclass(frozen=True, slots=True)
class Page:
    """One finished message. `lead` and `body` are the model's text, `prefix` and `suffix` were added."""

    lead: str
    prefix: str
    body: str
    suffix: str

    @property
    def text(self) -> str:
        """What Discord is sent."""
        return self.prefix + self.body + self.suffix


class Pages:
    """Turns pieces of text into pages: `closed` ones, and the `frame` of the page that is being written.

    `first_reserve` units stay free on the first page (a header), `last_reserve` on every page, because each may turn
    out to be the last one (a footer).
    """

    def __init__(self, *, limit: int = LIMIT, first_reserve: int = 0, last_reserve: int = 0) -> None:
        if limit - first_reserve - last_reserve < MIN_ROOM:
            raise ValueError(f"A page needs room for at least {MIN_ROOM} units")
        self._limit = limit - last_reserve
        self._first_reserve = first_reserve
        self._closed: list[Page] = []
        self._half_pair = ""
        self._flushed = False
        # The page being written: its text is opening(_carried) + _text. It has begun once its first characters are
        # known to be shown.
        self._lead: list[str] = []
        self._lead_lines = 0
        self._carried: State = ()
        self._text = ""
        self._size = 0
        self._begun = False

    @property
    def closed(self) -> Sequence[Page]:
        """The pages that will never change again; all of them after `flush`."""
        return self._closed

    def feed(self, text: str) -> None:
        """Take in the next piece of the answer."""
        if self._flushed:
            raise RuntimeError("An answer cannot go on after its end")
        text = self._half_pair + text
        self._half_pair = text[-1] if ends_in_half_a_pair(text) else ""
        text = without_lone_surrogates(text[: len(text) - len(self._half_pair)])
        for start in range(0, len(text), _STEP):
            self._take(text[start : start + _STEP])

    def flush(self) -> None:
        """Take note that the answer is complete: the last page is closed."""
        if self._flushed:
            return
        self._take(without_lone_surrogates(self._half_pair))
        self._half_pair = ""
        self._flushed = True
        self._begin()
        while not self._close_last():
            self._cut(opening(self._carried) + self._text)

    def frame(self) -> str:
        """Return what to show of the page being written, closed where it is open; empty where there is nothing yet."""
        prefix = opening(self._carried)
        scan = Scan(prefix + self._text)
        end = scan.retreat(scan.held)
        if not scan.text[len(prefix) : end].strip():
            return ""
        cut = cut_at(scan.text, end, scan.state(end), self._room) or hard_cut(scan, len(prefix), self._room)
        return trimmed(scan.text[: cut.end], cut.state) + closing(cut.state)

    def joined(self) -> str:
        """Return the model's text so far, put together again from the pages."""
        pages = "".join(page.lead + page.body for page in self._closed)
        return pages + "".join(self._lead) + self._text

    @property
    def _room(self) -> int:
        return self._limit if self._closed else self._limit - self._first_reserve

    def _take(self, text: str) -> None:
        self._text += text
        self._size += units(text)
        self._begin()
        while len(self._text) and (excess := self._room + LOOKAHEAD) < self._size + units(opening(self._carried)):
            page = opening(self._carried) + self._text
            self._cut(page[: fitting(page, excess)])

    def _cut(self, window: str) -> None:
        """Close the page being written within `window`, which is its text as far as the choice may depend on it."""
        prefix = opening(self._carried)
        end, state = best_cut(Scan(window), len(prefix), self._room)
        size, body = end - len(prefix), window[len(prefix) : end]
        if body.strip():
            self._closed.append(Page("".join(self._lead), prefix, body, closing(state)))
            self._lead, self._carried, self._lead_lines = [], state, 0
        else:
            self._lead.append(body)
        self._drop(size)
        self._begun = False
        self._begin()

    def _drop(self, count: int) -> str:
        """Take `count` characters off the start of the page being written."""
        dropped, self._text = self._text[:count], self._text[count:]
        self._size -= units(dropped)
        return dropped

    def _begin(self) -> None:
        """Move what a page does not show at its start to `lead`, until it is known where the shown text begins."""
        while not self._begun and self._text:
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
        if seen == len(self._text) and not self._flushed:
            return None
        return seen if run == marker or (run.startswith(marker) and in_fence(self._carried)) else 0

    def _close_last(self) -> bool:
        """Close the last page if what is left fits, leaving its trailing whitespace."""
        prefix = opening(self._carried)
        scan = Scan(prefix + self._text, complete=True)
        # Emphasis that the model never closed is its text as it is; what the page before had open is ours to close.
        ours = tuple(mark for mark in scan.final if mark.is_fence or mark in self._carried)
        end = len(trimmed(scan.text, ours))
        if ours and scan.retreat(end) < end:  # a code block without a line of code
            ours = tuple(mark for mark in ours if not mark.is_fence)
            end = len(trimmed(scan.text, ours))
        body, suffix = scan.text[len(prefix) : end], closing(ours)
        if not body.strip():
            return True
        if units(scan.text[:end] + suffix) > self._room:
            return False
        self._closed.append(Page("".join(self._lead), prefix, body, suffix))
        self._lead = []
        self._drop(end - len(prefix))
        return True


def _length(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
