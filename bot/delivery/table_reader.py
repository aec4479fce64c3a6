"""Finds the tables in an answer while it is written, and says what is shown in their place.

A table begins with an unindented line; what is indented or quoted belongs to a list or a quote and is left alone.
What is decided about a line depends on its text alone, never on the pieces it came in: each test below that is made
of an unfinished line stays as it is, once it failed, whatever follows.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bot.delivery.tables import Table, is_row, table_of
from bot.delivery.text import units

_MAX_HEADER = 250  # characters of a header; a full page waits for its end
_MAX_ROW = 4000  # about two pages; what is longer is no row
_FIRST_PIPE = 80  # a line without a pipe so far is not kept back for longer in a table

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BLOCK = re.compile(r"[ \t]*(?:>|-?#{1,6}[ \t\n]|[-*+][ \t\n]|\d{1,9}[.)][ \t\n]|```|~~~)| {4}| {0,3}\t")
# All text is read as if it might be a header, and a full page waits for that: so prose must soon be known as prose.
_NO_HEADER = re.compile(r"[ \t]|[^|]{41}|.*(?:[^|]{61}|\|\|)")
_HALF_DELIMITER = re.compile(r" {0,3}(?:[|:\-][|:\- \t\r]*)?\n?")


class Piece(NamedTuple):
    """Some of the answer's text, and what to show of it; after it, a page may have to end."""

    source: str
    shown: str
    ends_page: bool = False


class TableReader:
    """Turns an answer's text into pieces. All pieces given out must be on the page before the next one is taken."""

    def __init__(self, *, reads_code: Callable[[], bool], free: Callable[[], int]) -> None:
        """Take what is asked of the page: whether what follows there would be code, and its units that are free."""
        self._reads_code = reads_code
        self._free = free
        self._inside_line = False  # the line's beginning was given out
        self._line = ""
        self._header = ""  # the line before, if it may be one
        self._table: Table | None = None
        self._source = ""  # of the table, as far as it was not given out
        self._moved = False  # the current line began a new page, for it would not fit

    @property
    def pending(self) -> str:
        """The text that was taken in and not given out."""
        return self._source + self._header + self._line

    @property
    def shown(self) -> str:
        """How to show what is pending now; only a delimiter row is not shown before it is complete."""
        return "".join(piece.shown for piece in self._preview())

    def read(self, text: str) -> Iterator[Piece]:
        """Take in text, give out what is decided."""
        for part in _LINE.findall(text):
            if self._inside_line:
                self._inside_line = not part.endswith("\n")
                yield Piece(part, part)
                continue
            self._line += part
            yield from self._decide(complete=part.endswith("\n"))

    def close(self) -> Iterator[Piece]:
        """Give out all that is left: the answer is complete."""
        if self._line:
            yield from self._decide(complete=True)
        yield from self.release()

    def release(self) -> Iterator[Piece]:
        """Give out what `shown` shows, but for what is begun below a table: it stays for the next page."""
        if self._table and self._source:
            yield self._given_table(self._table)
        elif self._header:
            yield self._given_header()
        else:
            yield from self._given_line()

    def _given_line(self) -> Iterator[Piece]:
        """Give out the current line as it is shown; its rest follows as plain text."""
        for piece in list(self._preview()):
            line, self._line = self._line, ""
            self._inside_line = not line.endswith("\n")
            if not is_row(line):
                self._table = None
            yield piece

    def _preview(self) -> Iterator[Piece]:
        """Yield what is pending as it is shown now."""
        line = self._line
        if self._table is None:
            if text := self._header or line:
                yield Piece(text, text)
        elif is_row(line) and line.strip("| \t\r\n"):
            yield Piece(self._source + line, self._table.begun(line).text + "\n")
        else:
            if self._source:
                yield Piece(self._source, self._table.text + "\n")
            if line.strip() and not is_row(line):
                yield Piece(line, line)

    def _decide(self, *, complete: bool) -> Iterator[Piece]:
        """Give out what the current line decides, and the line itself unless it may belong to a table."""
        if self._table and _may_be_row(self._line):
            if is_row(self._line):
                yield from self._add(self._table, complete=complete)
                return
            if not complete:
                return
        if self._header and _may_be_delimiter(self._line):
            if not complete:
                return
            if table := self._begun_table():
                yield from self._begin(table)
                return
        yield from self._end()
        if not _may_be_header(self._line) or (complete and not is_row(self._line)):
            yield from self.release()
        elif complete:
            self._header, self._line = self._line, ""

    def _begun_table(self) -> Table | None:
        table = table_of(self._header, self._line)
        return None if table and self._reads_code() else table

    def _begin(self, table: Table) -> Iterator[Piece]:
        self._source = self._header + self._line
        self._header = self._line = ""
        self._table = table
        if not self._fits(table):
            yield Piece("", "", ends_page=True)

    def _end(self) -> Iterator[Piece]:
        """Give out what the current line does not belong to."""
        if self._table and self._source:
            yield self._given_table(self._table)
        elif self._header:
            yield self._given_header()
        self._table = None

    def _add(self, table: Table, *, complete: bool) -> Iterator[Piece]:
        """Add the current line to the table; where this page is full, the next one goes on with the header again."""
        if not self._moved and not self._has_room(table, complete=complete):
            self._moved = True
            yield Piece("", "", ends_page=True) if table.empty else self._given_table(table, ends_page=True)
            table = table.anew() if not table.empty else table
        if len(self._line) > _MAX_ROW:
            self._moved = False
            yield from self._end()
            yield from self.release()
        elif complete:
            self._table = table.plus(self._line)
            self._source += self._line
            self._line, self._moved = "", False
            if not self._fits(self._table):  # a row longer than a page: cut like any text
                yield self._given_table(self._table)

    def _has_room(self, table: Table, *, complete: bool) -> bool:
        """Tell whether the current line fits below the table; one that is not complete may turn out not to."""
        if len(self._line) > _MAX_ROW:
            return False
        if complete:
            return self._fits(table.plus(self._line))
        return table.least_size(self._line) <= self._free()

    def _fits(self, table: Table) -> bool:
        return units(table.text) <= self._free()

    def _given_table(self, table: Table, *, ends_page: bool = False) -> Piece:
        """Give out the part of the table that is collected; what follows is its next part."""
        source, self._source = self._source, ""
        self._table = table.anew()
        return Piece(source, table.text + "\n", ends_page)

    def _given_header(self) -> Piece:
        header, self._header = self._header, ""
        return Piece(header, header)


def _may_be_row(line: str) -> bool:
    """Tell whether a line, or one that begins so, may be a row."""
    return (len(line) <= _FIRST_PIPE or "|" in line[:_FIRST_PIPE]) and not _BLOCK.match(line)


def _may_be_delimiter(line: str) -> bool:
    return len(line) <= _MAX_HEADER and _HALF_DELIMITER.fullmatch(line) is not None


def _may_be_header(line: str) -> bool:
    return len(line) <= _MAX_HEADER and not _NO_HEADER.match(line) and not _BLOCK.match(line)
