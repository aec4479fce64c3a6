"""One answer as it is shown: takes text and news as fast as they come, writes them as fast as Discord allows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.chat.answers import Control, Finished, Step
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.pace import Pace
from bot.delivery.pages import LIMIT, Pages
from bot.delivery.surface import PASSING, Surface, SurfaceGone
from bot.delivery.text import fitting, units

log = logging.getLogger(__name__)

RESERVE = 100
"""Units that each page keeps free for the line below it; a longer footer goes into a message of its own."""

TRIES = 8
"""How often a failing write is repeated before the answer is left as it is shown; it stays in the memory."""


class LiveAnswer:
    """Shows an answer on a surface. Satisfies `bot.chat.answers.AnswerView`: its news methods never wait.

    Each write takes the newest text there is at the moment when it is allowed, so a slow Discord makes the answer
    coarser, never later. A closed page is written for good, unless the footer turns out to belong there; the page being
    written carries a line that says what goes on, where the footer will stand.
    """

    def __init__(self, surface: Surface, pace: Pace, control: Control, *, header: str = "") -> None:
        """Take the control with which the answer is stopped when nobody can see it any more."""
        self._surface = surface
        self._pace = pace
        self._control = control
        self._header = header
        self._pages = Pages(first_reserve=units(header) + 1, last_reserve=RESERVE)
        self._status = wording.step(Step.STARTING, "")
        self._waiting = False
        self._final: list[str] | None = None
        self._shown: dict[int, str] = {}
        self._settled = 0
        self._changed = asyncio.Event()
        self._changed.set()

    def waiting(self, ahead: int) -> None:
        """Say how many answers come first; once, since each write here takes one from the answer that is running."""
        if not self._waiting:
            self._waiting = True
            self._say(wording.waiting(ahead))

    def step(self, step: Step, model: str) -> None:
        """Say what goes on while there is no text; its beginning shows by itself."""
        if step is not Step.STARTING:
            self._say(wording.step(step, model))

    def text(self, text: str) -> None:
        """Take a further piece of the answer."""
        self._pages.feed(text)
        self._say(wording.WRITING)

    def finish(self, finished: Finished) -> None:
        """Take the end: from now on only what is final is written."""
        self._pages.flush()
        footer = wording.footer(finished)
        footer = footer[: fitting(footer, LIMIT)]
        if not self._pages.closed and finished.reason in {EndReason.COMPLETE, EndReason.LENGTH}:
            footer = f"{wording.nothing_said(finished)}\n{footer}"
        texts = [page.text for page in self._pages.closed] or [""]
        texts[0] = _joined(self._header, texts[0])
        last = _joined(texts[-1], footer)
        if units(last) <= LIMIT:
            texts[-1] = last
        else:
            texts.append(footer)
        self._final = texts
        # The last page may have been full already, with nothing but white space after it.
        self._settled = min(self._settled, len(texts) - 1)
        self._changed.set()

    def _say(self, status: str) -> None:
        self._status = status
        self._changed.set()

    async def show(self, on_written: Callable[[], Awaitable[None]]) -> bool:
        """Write until the end is shown, or nothing can be shown any more; `on_written` runs after each write.

        Returns False where Discord could not be brought to show the end, although the messages are there.
        """
        failures = 0
        while True:
            self._changed.clear()
            if self._next() is None:
                if self._final is not None:
                    return True
                await self._changed.wait()
                continue
            try:
                await self._write_newest()
            except SurfaceGone:
                self._control.stop()
                return True
            except PASSING as error:
                failures += 1
                if failures >= TRIES:
                    log.exception("An answer is left incomplete in Discord after %s failed writes", failures)
                    self._control.stop()
                    return False
                log.warning("A write to Discord failed and is repeated: %s", error)
                continue
            failures = 0
            await on_written()

    async def _write_newest(self) -> None:
        if (wanted := self._next()) is None:
            return
        bucket = self._surface.bucket_of(wanted[0])
        async with self._pace.bucket(bucket).turn():
            wanted = self._next()
            if wanted is None or self._surface.bucket_of(wanted[0]) != bucket:
                return
            page, content = wanted
            await self._surface.write(page, content)
            self._shown[page] = content

    def _next(self) -> tuple[int, str] | None:
        """The first page that does not read as it should, and how it should."""
        while True:
            content, final = self._wanted(self._settled)
            if not content:
                return None
            if self._shown.get(self._settled) != content:
                return self._settled, content
            if not final:
                return None
            self._shown.pop(self._settled - 1, None)
            self._settled += 1

    def _wanted(self, page: int) -> tuple[str, bool]:
        """How a page should read now, and whether for good; nothing where there is no such page yet."""
        if self._final is not None:
            return (self._final[page] if page < len(self._final) else ""), True
        header = self._header if page == 0 else ""
        closed = self._pages.closed
        if page < len(closed):
            return _joined(header, closed[page].text), True
        frame = self._pages.frame()
        if not frame and page > 0:
            return "", False
        return _joined(_joined(header, frame), self._status), False


def _joined(text: str, line: str) -> str:
    return f"{text}\n{line}" if text and line else text or line
