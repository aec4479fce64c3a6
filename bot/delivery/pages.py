"""An answer that grows, as Discord messages that are valid on their own. Lengths are in units (UTF-16 code units).

A page is closed as soon as the text is certain to go on beyond it, and never changes again. Where it is cut depends
on the text alone, not on the pieces it came in.

What is shown differs from the model's text in these ways only:

- lone surrogates are U+FFFD;
- a table outside any code block, list and quote is shown as a code block with aligned columns, and each page on which
  it goes on begins with its header again; in its cells, Markdown is what it reads as (`tables`);
- what is open at a joint is closed (`Page.suffix`) and opened again (`Page.prefix`), and a code block that the model
  left open at the very end is closed, too;
- whitespace at a joint, at the start and at the end is not shown, because Discord would drop it; in a code block
  that goes for blank lines only. A closing marker right after a joint is not shown either: the page before it is
  closed already. Both are kept in `Page.lead`, so that nothing is lost.
"""

from collections.abc import Iterable, Sequence

from bot.delivery.draft import LOOKAHEAD, Draft, Page
from bot.delivery.table_reader import Piece, TableReader
from bot.delivery.text import ends_in_half_a_pair, without_lone_surrogates

LIMIT = 2000
MIN_ROOM = 300  # the deepest nesting's markers, opened and closed, and about as much text

_STEP = 1024  # characters taken in at once, so that no buffer grows with the size of a piece
_SPOILER = 2  # units that close the only markup that may be open around a table


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
        self._draft = Draft()
        self._reader = TableReader(reads_code=self._draft.reads_code, free=self._free)
        self._given = 0
        self._replaced: list[tuple[int, Piece]] = []  # tables, and where each stands in the shown text

    @property
    def closed(self) -> Sequence[Page]:
        """The pages that will never change again; all of them after `flush`."""
        return self._closed

    @property
    def begun(self) -> bool:
        """Whether the page being written has something to show that is not white space."""
        return self._draft.begun or (not self._flushed and bool(self._reader.pending.strip()))

    def feed(self, text: str) -> None:
        """Take in the next piece of the answer."""
        if self._flushed:
            raise RuntimeError("An answer cannot go on after its end")
        text = self._half_pair + text
        self._half_pair = text[-1] if ends_in_half_a_pair(text) else ""
        text = without_lone_surrogates(text[: len(text) - len(self._half_pair)])
        for start in range(0, len(text), _STEP):
            self._take(self._reader.read(text[start : start + _STEP]))

    def flush(self) -> None:
        """Take note that the answer is complete: the last page is closed."""
        if self._flushed:
            return
        self._take(self._reader.read(without_lone_surrogates(self._half_pair)))
        self._take(self._reader.close())
        self._half_pair = ""
        self._flushed = True
        self._draft.complete()
        while not self._draft.is_blank:
            self._keep(self._draft.last(self._room) or self._draft.cut(self._room))

    def seal(self) -> None:
        """Close the page being written where `frame` ends now; what follows begins on a new page."""
        if not self.frame():
            return
        for piece in self._reader.release():
            self._add(piece)
        self._keep(self._draft.seal(self._room))
        self._cut_what_is_full()

    def frame(self) -> str:
        """Return what to show of the page being written, closed where it is open; empty where there is nothing yet."""
        pending = self._reader.shown
        draft = self._draft.followed_by(pending) if pending else self._draft
        return draft.frame(self._room)

    def joined(self) -> str:
        """Return the model's text so far, put together again from the pages."""
        shown = "".join(page.lead + page.body for page in self._closed) + self._draft.joined
        parts, end = [], 0
        for start, table in self._replaced:
            parts += [shown[end:start], table.source]
            end = start + len(table.shown)
        return "".join([*parts, shown[end:], self._reader.pending])

    @property
    def _room(self) -> int:
        return self._limit if self._closed else self._limit - self._first_reserve

    def _free(self) -> int:
        """Return how many units are free for a table."""
        while self._draft.size > self._room:
            self._keep(self._draft.cut(self._room))
        return self._room - self._draft.size - _SPOILER

    def _take(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._add(piece)
            self._cut_what_is_full()
            if piece.ends_page:
                self._keep(self._draft.seal(self._room))

    def _add(self, piece: Piece) -> None:
        if piece.shown != piece.source:
            self._replaced.append((self._given, piece))
        self._given += len(piece.shown)
        self._draft.add(piece.shown)

    def _cut_what_is_full(self) -> None:
        while self._draft.size > self._room + LOOKAHEAD:
            self._keep(self._draft.cut(self._room))

    def _keep(self, page: Page | None) -> None:
        if page:
            self._closed.append(page)
