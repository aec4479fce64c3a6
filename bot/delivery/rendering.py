"""How the messages of an answer should read at any moment. No I/O: what is written when is another's business."""

from __future__ import annotations

from typing import NamedTuple

from bot.chat.answers import Finished, Step
from bot.chat.display import MAX_MESSAGES
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.buttons import Row
from bot.delivery.pages import LIMIT, Pages
from bot.delivery.text import fitting, units

RESERVE = 100
"""Units that each page keeps free for the line below it; a longer footer goes into a message of its own."""


class Look(NamedTuple):
    """How one message looks."""

    content: str
    row: Row


class Rendering:
    """Pages with a header above, a line that says what goes on below, and in the end the footer in its place.

    A closed page stays as it is, unless the footer turns out to belong there. What goes beyond `max_messages` pages is
    not shown: the whole answer then comes as a file.
    """

    def __init__(self, header: str = "", *, max_messages: int = MAX_MESSAGES) -> None:
        self._header = header
        self._max_messages = max_messages
        self._pages = self._blank_pages()
        self._taken_back = False
        self._surplus = 0
        self._pieces: list[str] = []
        self._status = wording.step(Step.STARTING, "")
        self._left: list[str] = []
        self._sealed: set[int] = set()
        self._footer = ""
        self._apart = False
        self._final: list[str] | None = None
        self._settled = 0
        self._shown: dict[int, tuple[int, Look]] = {}
        self._kept: list[str] | None = None
        self.version = 0
        """Changes with every change to what should be shown."""

    @property
    def is_finished(self) -> bool:
        """Whether the end is known."""
        return self._final is not None

    @property
    def has_text(self) -> bool:
        """Whether there is any text to show."""
        return self._pages.begun or bool(self._pages.closed)

    @property
    def current(self) -> int:
        """The page that is being written."""
        return len(self._left) + len(self._pages.closed)

    @property
    def last(self) -> int:
        """The page that the footer would stand on if this were the end."""
        has_text = self._pages.begun or not self._pages.closed
        return len(self._left) + min(len(self._pages.closed) - (not has_text), self._max_messages - 1)

    @property
    def is_too_long(self) -> bool:
        """Whether there is more text than the messages may hold."""
        closed = len(self._pages.closed)
        return closed > self._max_messages or (closed == self._max_messages and self._pages.begun)

    @property
    def text(self) -> str:
        """The model's text so far."""
        return "".join(self._pieces)

    def say(self, status: str) -> None:
        """Change the line that says what goes on."""
        self._status = status
        self.version += 1

    def feed(self, text: str) -> None:
        """Take a further piece of the answer."""
        self._pieces.append(text)
        self._pages.feed(text)
        self.say(wording.WRITING)

    def take_back(self) -> None:
        """Begin anew with the same messages: what came so far were thoughts."""
        self._pages = self._blank_pages()
        self._pieces.clear()
        self._sealed.clear()
        self._settled = 0
        self._taken_back = True
        self.say(wording.step(Step.THINKING, ""))

    def _blank_pages(self) -> Pages:
        return Pages(first_reserve=units(self._header) + 1, last_reserve=RESERVE)

    def seal(self) -> None:
        """Let what is being written now go on in a new message, because this one can't be edited any more."""
        closed = len(self._pages.closed)
        self._pages.seal()
        if len(self._pages.closed) > closed:
            self._sealed.add(closed)
        elif not closed and not self._left:
            self._left.append(_joined(self._header, wording.CONTINUED))
            self._header = ""
        self.version += 1

    def finish(self, finished: Finished, *, remark: str = "", apart: bool = False) -> None:
        """Take the end: from now on there is nothing but what is final.

        A `remark` goes into the footer, which stands `apart` where the newest message can't be edited any more.
        """
        self._pages.flush()
        self._apart = apart
        self._footer = _joined(remark, wording.footer(finished))
        if not self.has_text and finished.reason in {EndReason.COMPLETE, EndReason.LENGTH}:
            self._footer = _joined(wording.nothing_said(finished), self._footer)
        self._footer = self._footer[: fitting(self._footer, LIMIT)]
        self._compose()

    def without_file(self) -> None:
        """No file can be sent there: after the end, show all of the answer in messages."""
        self._max_messages = len(self._pages.closed) + 1
        self._compose()

    def refuse(self, count: int) -> None:
        """Keep the first `count` messages as they are: Discord takes no more text, and the end says so."""
        self._kept = [look.content for page in range(count) if (look := self.shown(page))]
        if self._final is not None:
            self._compose()

    def _compose(self) -> None:
        """Bring pages and footer together."""
        footer = self._footer
        if self._kept is not None:
            *before, last = self._kept or [""]
            self._final = [*before, _cut_off(last, _joined(wording.REFUSED, footer))]
            self._settled = 0
            self.version += 1
            return
        texts = [self._closed(number) for number in range(min(len(self._pages.closed), self._max_messages))]
        texts = texts or [self._header]
        if self.is_too_long:
            footer = _joined(wording.IN_FILE, footer)
        last = _joined(texts[-1], footer)
        if units(last) <= LIMIT and not self._apart:
            texts[-1] = last
        else:
            texts.append(footer)
        self._final = [*self._left, *filter(None, texts)]
        if self._taken_back:
            self._surplus = max(max(self._shown, default=0) + 1 - len(self._final), 0)
            self._final += [wording.TAKEN_BACK] * self._surplus
        # A page that was final may get the footer after all, or have said that a file follows.
        self._settled = 0
        self.version += 1

    def pending(self) -> int | None:
        """The first page that may not read as it should; None where all is well. Cheap."""
        while self._exists(self._settled):
            version, look = self._shown.get(self._settled, (-1, None))
            if not self._is_final(self._settled):
                return self._settled if version != self.version else None
            if look != self.look(self._settled):
                return self._settled
            self._settled += 1
        return None

    def look(self, page: int) -> Look:
        """How a page should look now."""
        return Look(self.content(page), self._row(page))

    def content(self, page: int) -> str:
        """How a page should read now, with every Markdown construct closed."""
        if self._final is not None:
            return self._final[page]
        if page < len(self._left):
            return self._left[page]
        number, closed = page - len(self._left), len(self._pages.closed)
        if number < closed:
            text = self._closed(number)
            is_last = number == self._max_messages - 1 and self.is_too_long and number not in self._sealed
            return _joined(text, wording.WRITING_FILE) if is_last else text
        return _joined(_joined("" if number else self._header, self._pages.frame()), self._status)

    def needs_file(self, page: int) -> bool:
        """Whether the page, as it is now, brings the whole answer as a file."""
        if self._final is None or self._kept is not None:
            return False
        return self.is_too_long and page == len(self._final) - 1 - self._surplus

    @property
    def length(self) -> int:
        """How many messages the answer has in the end."""
        return len(self._final or ())

    def shown(self, page: int) -> Look | None:
        """How the page looks now; None where that is not known."""
        return self._shown.get(page, (-1, None))[1]

    def wrote(self, page: int, look: Look, version: int) -> None:
        """Take note of how a page looks now; `version` is the state that it was rendered from."""
        self._shown[page] = (version, look)

    def go_on(self, text: str, pages: int) -> None:
        """Begin with what stands there already, in so many messages."""
        self.feed(text)
        if pages == self.current + 1:  # else they were cut by the clock, or end elsewhere
            for page in range(self.current):
                self.wrote(page, self.look(page), self.version)

    def _row(self, page: int) -> Row:
        if self._final is not None:
            return Row.END if page == len(self._final) - 1 - self._surplus else Row.NONE
        goes_on = page < self.current and page - len(self._left) < self._max_messages - 1
        return Row.NONE if goes_on else Row.STOP

    def _closed(self, number: int) -> str:
        text = _joined("" if number else self._header, self._pages.closed[number].text)
        return _joined(text, wording.CONTINUED) if number in self._sealed else text

    def _exists(self, page: int) -> bool:
        if self._final is not None:
            return page < len(self._final)
        number, closed = page - len(self._left), len(self._pages.closed)
        if number < closed:
            return number < self._max_messages
        is_placeholder = number == 0 and not self._left
        return number == closed and (is_placeholder or self._pages.begun) and number < self._max_messages

    def _is_final(self, page: int) -> bool:
        return self._final is not None or page - len(self._left) < len(self._pages.closed)


def _cut_off(content: str, footer: str) -> str:
    """A message with a footer in place of the line that says what goes on."""
    text = wording.without_status(content)
    return _joined(text[: fitting(text, LIMIT - units(footer) - 1)], footer)


def _joined(text: str, line: str) -> str:
    return f"{text}\n{line}" if text and line else text or line
