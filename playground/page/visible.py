"""How many of the model's tokens can be read in the messages right now.

Nothing but its text ties a message to an answer. Both are compared without what Markdown, line breaks and tables set in
columns may change. Where they differ all the same, the end of the message decides: a gauge must go on where one
character is different, unlike the benchmark's reading, which must find just that one.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from playground.discord import Message
from playground.model.exchange import Exchange

_LAYOUT = re.compile(r"[\s*_~|`#>+=:\-\\\[\]()<>\u200b\u2500-\u257f]+")
# What the bot says around an answer.
_SAID_AROUND = ("-# ", "⚠️ ")
_FENCE = ("```", "~~~")
_TAIL = 24
"""Characters by which the end of a message is found again."""
_SLACK = 400
"""Characters that a page may have more or less than the text it shows, such as the header of a table once more."""


def _essence(text: str) -> str:
    return _LAYOUT.sub("", text)


@dataclass(slots=True)
class _Written:
    """The essence of what a model wrote, and where in it each token ends."""

    exchange: Exchange
    text: str = ""
    ends: list[int] = field(default_factory=list)

    def catch_up(self) -> None:
        for token in self.exchange.tokens[len(self.ends) :]:
            self.text += _essence(token)
            self.ends.append(len(self.text))

    def tokens_within(self, length: int) -> int:
        return bisect_right(self.ends, length) if length else 0


@dataclass(frozen=True, slots=True)
class _Page:
    """The essence of one message; one that reopens a code block can be read without that line, too."""

    channel_id: int
    bodies: tuple[str, ...]
    files: frozenset[str]


def _page(message: Message) -> _Page:
    lines = [line for line in message.content.split("\n") if not line.startswith(_SAID_AROUND)]
    readings = [lines, lines[1:]] if lines and lines[0].startswith(_FENCE) else [lines]
    files = (file.data.decode(errors="replace") for file in message.attachments)
    return _Page(
        message.channel_id,
        tuple(body for reading in readings if (body := _essence("\n".join(reading)))),
        frozenset(filter(None, map(_essence, files))),
    )


def _read(page: _Page, truth: str, start: int) -> tuple[int, bool] | None:
    """Return where a page that goes on at `start` ends, and whether it is that to the letter; None if it is another."""
    if truth in page.files:
        return len(truth), True
    for body in page.bodies:
        if truth.startswith(body, start):
            return start + len(body), True
    ends = (_end_by_tail(body, truth, start) for body in page.bodies)
    return next(((end, False) for end in ends if end is not None), None)


def _end_by_tail(body: str, truth: str, start: int) -> int | None:
    if len(body) < 2 * _TAIL:
        return None
    tail, expected = body[-_TAIL:], start + len(body)
    found = truth.rfind(tail, max(start, expected - _SLACK), expected)
    if found < 0:
        found = truth.find(tail, expected - _TAIL, expected + _SLACK)
    return None if found < 0 else found + _TAIL


class Visible:
    """Finds out which messages show which answer; cheap to ask again and again, since it reads only what is new."""

    def __init__(self, message_of: Callable[[int], Message | None]) -> None:
        self._message_of = message_of
        self._changed: dict[int, float] = {}
        self._written: dict[int, _Written] = {}
        self._pages: dict[int, _Page] = {}
        self._owners: dict[int, int] = {}

    def changed(self, message_id: int, at: float) -> None:
        """Note that one of the bot's messages is new or reads otherwise since a monotonic moment."""
        self._changed[message_id] = at

    def tokens(self, exchanges: Sequence[Exchange]) -> dict[int, int]:
        """Return how many tokens of each answer are visible, by its number."""
        numbers = {exchange.number for exchange in exchanges}
        self._written = {one.number: self._written.get(one.number) or _Written(one) for one in exchanges}
        for written in self._written.values():
            written.catch_up()
        self._forget(
            lambda message_id: self._owners[message_id] in numbers and self._message_of(message_id) is not None
        )
        for message_id, at in sorted(self._changed.items()):
            self._assign(message_id, at)
        self._changed.clear()
        return {number: written.tokens_within(self._end(number)) for number, written in self._written.items()}

    def _forget(self, keep: Callable[[int], bool]) -> None:
        for message_id in [one for one in self._owners if not keep(one)]:
            del self._owners[message_id], self._pages[message_id]

    def _assign(self, message_id: int, at: float) -> None:
        """Give a message to the answer that it fits best; while there are only few words, that may change."""
        owner = self._owners.pop(message_id, None)
        self._pages.pop(message_id, None)
        message = self._message_of(message_id)
        if message is None or not any(written.exchange.began <= at for written in self._written.values()):
            return
        page = _page(message)
        fits = {
            number: (found[1], number == owner, number not in self._owners.values())
            for number, written in self._written.items()
            if written.exchange.began <= at
            and (found := _read(page, written.text, self._end(number, message_id, page)))
        }
        if fits:
            self._owners[message_id] = max(fits, key=lambda number: fits[number])
            self._pages[message_id] = page

    def _end(self, number: int, before: int | None = None, beside: _Page | None = None) -> int:
        """Return how far the messages show an answer: all, or those before a message in its channel."""
        end = 0
        for page in self._shown(number, before, beside):
            if found := _read(page, self._written[number].text, end):
                end, _ = found
        return end

    def _shown(self, number: int, before: int | None, beside: _Page | None) -> Iterator[_Page]:
        for message_id in sorted(one for one, owner in self._owners.items() if owner == number):
            page = self._pages[message_id]
            if before is None or (message_id < before and beside and page.channel_id == beside.channel_id):
                yield page
