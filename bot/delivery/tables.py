"""Pipe tables of GitHub Flavored Markdown, laid out for a code block, since Discord shows no tables.

Deviations from GFM, because what is read is a model's answer: a line without a pipe ends the table (GFM would make it a
row of one cell, but it is the next sentence), and cells beyond the last column are kept, as part of the last one.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wcwidth import center, ljust, rjust, width

from bot.delivery.markdown import Scan
from bot.delivery.marks import closing
from bot.delivery.text import units

# A wider cell does not widen its column, so that only its own row sticks out.
_MAX_COLUMN = 40
_MAX_PADDING = 160  # of all columns together, so that many columns do not make short rows long

_SEPARATOR = " | "
_PIPE = re.compile(r"(?<!\\)\|")  # as in GFM, only a backslash keeps a pipe in its cell; inline code does not
_DASHES = re.compile(r":?-+:?")
_FENCE_RUN = re.compile(r"`{3,}")
_MAY_BE_MARKUP = re.compile(r"\s*[!-/:-@\[-`{-~]\s*")

# Bounded, so that a cell of half-open markers costs no more than plain text.
_INLINE = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`)(?P<code>.{1,500}?)(?<!`)(?P=ticks)(?!`)"
    r"|!?\[(?P<label>[^\[\]]{1,300})\]\(<?(?P<url>[^\s()<>]{1,500}(?:\([^\s()<>]{0,100}\)[^\s()<>]{0,100}){0,3})>?"
    r"(?:\s\"[^\"]{0,200}\")?\)"
    r"|<(?P<angle>https?://[^\s<>]{1,500})>"
    r"|(?P<address>https?://[^\s<]*[^\s<*_~|`])"
    r"|(?P<line>\s?<br ?/?>\s?)"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?<![0-9A-Za-z*])(?P<star>\*{1,3})(?=[^\s*])(?P<starred>.{1,500}?)(?<=[^\s*])(?P=star)(?!\*)"
    r"|(?<![0-9A-Za-z_])(?P<low>_{1,3})(?=[^\s_])(?P<underlined>.{1,500}?)(?<=[^\s_])(?P=low)(?![0-9A-Za-z_])"
    r"|~~(?=[^\s~])(?P<struck>.{1,500}?)(?<=[^\s~])~~"
)

Row = tuple[str, ...]
Alignment = Callable[[str, int], str]
_ALIGNMENTS: dict[tuple[str, str], Alignment] = {
    ("-", "-"): ljust,
    (":", "-"): ljust,
    ("-", ":"): rjust,
    (":", ":"): center,
}


def table_of(header: str, delimiter: str) -> "Table | None":
    """Return the table that begins with these two lines; None where they don't make one."""
    columns = [_ALIGNMENTS[cell[0], cell[-1]] for cell in _split(delimiter) if _DASHES.fullmatch(cell)]
    if not (is_row(delimiter) and len(columns) == len(_split(delimiter)) == len(_split(header))):
        return None
    return Table(columns, _row(header, len(columns))).anew()


def is_row(line: str) -> bool:
    """Tell whether a line has a pipe that separates cells."""
    return _PIPE.search(line) is not None


class Table(NamedTuple):
    """Rows of a table that stand together in one code block, each column as wide as they need."""

    columns: Sequence[Alignment]
    header: Row
    rows: Sequence[Row] = ()  # the first is the header
    widths: Sequence[int] = ()
    lines: Sequence[str] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing but the header."""
        return len(self.rows) <= 1

    @property
    def text(self) -> str:
        """The code block, without a line end after it."""
        rule = "-+-".join("-" * max(1, size) for size in self.widths)
        return "\n".join(["```", self.lines[0], rule, *self.lines[1:], "```"])

    def plus(self, line: str) -> "Table":
        """Return the table with one more row, read from a line of Markdown."""
        row = _row(line, len(self.columns))
        return self._plus(row, widened_by=row)

    def begun(self, line: str) -> "Table":
        """Return the table with the beginning of one more row, whose last cell does not widen its column yet."""
        *whole, half = _cells(line, len(self.columns))
        cells = tuple(map(_as_read, whole))
        return self._plus((*cells, _as_begun(half)), widened_by=cells)

    def least_size(self, line: str) -> int:
        """Return how many units the table has at least once the row that begins so is complete."""
        *whole, half = _cells(line, len(self.columns))
        cells = tuple(map(_as_read, whole))
        return units(self._plus(cells, widened_by=cells).text) + units(_certain(half))

    def anew(self) -> "Table":
        """Return the table's next part, which has no rows yet."""
        part = Table(self.columns, self.header)
        return part._plus(self.header, widened_by=self.header)

    def _plus(self, row: Row, *, widened_by: Row) -> "Table":
        most = min(_MAX_COLUMN, _MAX_PADDING // len(self.columns))
        sizes = [size if size <= most else 0 for size in map(width, widened_by)]
        sizes += [0] * (len(self.columns) - len(sizes))
        widths = [max(pair) for pair in zip(self.widths or sizes, sizes, strict=True)]
        rows = [*self.rows, row]
        kept = self.lines if widths == self.widths else []
        lines = [*kept, *(self._line(cells, widths) for cells in rows[len(kept) :])]
        return self._replace(rows=rows, widths=widths, lines=lines)

    def _line(self, row: Row, widths: Sequence[int]) -> str:
        # A row that is being written has fewer cells than there are columns.
        cells = (align(cell, size) for align, cell, size in zip(self.columns, row, widths, strict=False))
        return _SEPARATOR.join(cells).rstrip()


def _split(line: str) -> list[str]:
    """Return a row's cells as they are written."""
    line = line.strip().removeprefix("|")
    cells = [cell.strip() for cell in _PIPE.split(line)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _cells(line: str, most: int) -> list[str]:
    """Return a row's cells as they are written; what is too much joins the last one."""
    cells = _split(line)
    rest = cells[most - 1 :]
    while len(rest) > 1 and not rest[-1]:
        rest.pop()
    return [*cells[: most - 1], _SEPARATOR.join(rest)] if rest else cells


def _row(line: str, count: int) -> Row:
    """Return `count` cells as they are read; what is missing is empty."""
    cells = tuple(map(_as_read, _cells(line, count)))
    return (*cells, *[""] * (count - len(cells)))


def _as_read(cell: str) -> str:
    """Return what a cell's Markdown reads as, on one line and without anything that ends a code block."""
    text = _without_markup(" ".join(cell.replace("\\|", "|").split()))
    return _FENCE_RUN.sub(lambda run: "\u200b".join(run[0]), text)


def _as_begun(cell: str) -> str:
    """Return what a cell that is being written reads as, without the markup that is half typed."""
    scan = Scan(cell).as_shown()
    end = scan.retreat(scan.held)
    return _as_read(cell[:end] + closing(scan.state(end)))


def _certain(cell: str) -> str:
    """Return the part of a cell that is being written that shows whatever follows."""
    before, bracket, after = cell.partition("](")
    without_title = before + bracket + after.partition('"')[0]
    return _MAY_BE_MARKUP.sub("", " ".join(without_title.split()))


def _without_markup(text: str) -> str:
    return _INLINE.sub(_meaning, text)


def _meaning(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    match kind:
        case "code":
            return found[kind].strip() or found[kind]
        case "url":
            return f"{_without_markup(found['label'])} ({found['url']})"
        case "line":
            return " / "
        case "starred" | "underlined" | "struck":
            return _without_markup(found[kind])
        case _:
            return found[kind]
