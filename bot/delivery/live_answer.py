"""One answer as it is shown: takes text and news as fast as they come, writes them when Discord allows it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import discord
from discord.utils import MISSING

from bot.chat.answers import Control, Finished, Step
from bot.chat.display import Display
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.buttons import Row
from bot.delivery.lane import Lane
from bot.delivery.rendering import Look, Rendering
from bot.delivery.rhythm import Rhythm, is_set_within
from bot.delivery.schedule import Urgency
from bot.delivery.surface import PASSING, FileRefused, LaneLost, Payload, Surface, SurfaceGone, TextFile, TextRefused

log = logging.getLogger(__name__)

RETRIES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each repetition of a write that fails; then the answer is left as it is shown, and in the memory."""

LAST_SECONDS = 20.0
"""So long before Discord closes the last way to write, the answer is brought to its end."""

PLACEHOLDER_AFTER = 0.5
"""Seconds that the first message waits for the model's first words, so that it brings them and saves an edit."""

HINT_EVERY = 8.0
"""Seconds between two signs that something goes on; Discord shows each for 10."""


MakeView = Callable[[], discord.ui.View | None]


def no_view() -> None:
    """No buttons."""


class LiveAnswer:
    """Shows an answer on a surface. Satisfies `bot.chat.answers.AnswerView`: its news methods never wait.

    Each write takes the newest text there is at the moment when it is allowed, so a slow Discord makes the answer
    coarser, never later. First words, last words and new pages go at once; everything else in the budgets' rhythm.
    """

    def __init__(
        self,
        surface: Surface,
        control: Control,
        *,
        header: str = "",
        display: Display | None = None,
        placeholder_after: float = PLACEHOLDER_AFTER,
        stop_button: MakeView = no_view,
        writing: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the control with which the answer is stopped when nobody can see it any more.

        `writing` hears the answer's text so far just before any of it is shown, until the end is known.
        """
        display = display or Display()
        self._surface = surface
        self._control = control
        self._quiet = display.quiet
        self._placeholder_after = placeholder_after
        self._writing = writing
        self._rendering = Rendering(header, max_messages=display.max_messages)
        self._rhythm = Rhythm(surface)
        self._views = {Row.NONE: no_view, Row.STOP: stop_button, Row.END: no_view}
        self.is_gone = False
        """Whether nothing can be shown any more."""
        self.is_deleted = False
        """Whether that is so because one of its messages was deleted, or the channel."""
        self._waiting = False
        self._withdrawn = False
        self._out_of_time = False
        self._lane_lost = False
        self._refused = False
        self._begun = False
        self._words_written = False
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ended = asyncio.Event()

    def waiting(self, ahead: int, seconds: float | None = None) -> None:
        """Say how many answers come first: at once, then each time it is told, which is rarely."""
        self._say(wording.waiting(ahead, seconds))
        if not self._waiting:
            self._waiting = True
            self._hurry.set()

    def step(self, step: Step, model: str, *, seconds: int = 0) -> None:
        """Say what goes on while there is no text; its beginning shows by itself."""
        if step is not Step.STARTING:
            self._say(wording.step(step, model, seconds))

    def text(self, text: str) -> None:
        """Take a further piece of the answer."""
        self._rendering.feed(text)
        self._changed.set()
        if not self._words_written:
            self._hurry.set()

    def take_back(self) -> None:
        """Begin anew: what came so far were thoughts."""
        self._rendering.take_back()
        self._changed.set()

    def go_on(self, text: str) -> None:
        """Begin with what the surface's messages show already."""
        self._rendering.go_on(text, len(self._surface.message_ids))

    @property
    def is_finished(self) -> bool:
        """Whether its end is known."""
        return self._rendering.is_finished

    @property
    def length(self) -> int:
        """How many messages the answer has in the end."""
        return self._rendering.length

    def finish(self, finished: Finished, buttons: MakeView = no_view) -> None:
        """Take the end, and what makes its buttons: from now on only what is final is written."""
        self._views[Row.END] = buttons
        remark = wording.OUT_OF_TIME if self._out_of_time else ""
        is_old = self._surface.seconds_until_old(self._rendering.last) <= 0
        self._rendering.finish(finished, remark=remark, apart=is_old)
        for event in (self._changed, self._hurry, self._ended):
            event.set()

    def withdraw(self) -> None:
        """Write no more: the question is answered elsewhere."""
        self._withdrawn = True
        for event in (self._changed, self._hurry, self._ended):
            event.set()

    def _say(self, status: str) -> None:
        self._rendering.say(status)
        self._changed.set()

    async def show(self, on_written: Callable[[], Awaitable[None]]) -> bool:
        """Write until the end is shown, or nothing can be shown any more; `on_written` runs after each write.

        Returns False where Discord could not be brought to show the end, although the messages are there.
        """
        try:
            with ExitStack() as stack:
                if self._quiet:
                    await self._hold_back()
                else:
                    await is_set_within(self._hurry, self._placeholder_after)
                return await self._show(on_written, stack)
        except SurfaceGone as error:
            self.is_gone, self.is_deleted = True, error.is_deleted
            self._control.stop(EndReason.WITHDRAWN if error.is_deleted else EndReason.STOPPED)
            return True

    async def _hold_back(self) -> None:
        """Show no more than a hint until the end is known, where the person wants it quiet."""
        while (time_left := self._surface.seconds_to_begin - LAST_SECONDS) > 0:
            await self._surface.hint()
            if self._rendering.is_finished or await is_set_within(self._ended, min(HINT_EVERY, time_left)):
                break

    async def _show(self, on_written: Callable[[], Awaitable[None]], stack: ExitStack) -> bool:
        failures = 0
        shares = False
        while not self._withdrawn:
            self._changed.clear()
            self._hurry.clear()
            self._mind_the_time()
            page = self._rendering.pending()
            if page is None:
                if self._rendering.is_finished:
                    return True
                await is_set_within(self._changed, self._seconds_to_mind())
                continue
            if self._rendering.has_text and self._surface.message_ids and not shares:
                # Answers that only wait leave the buckets to those that grow.
                stack.enter_context(self._surface.sharing())
                shares = True
            lane = await self._rhythm.turn(page, self._urgency(page), unless=self._hurry)
            if lane is None:
                continue
            try:
                await self._write(page, lane)
            except TextRefused:
                await self._keep_what_stands()
                continue
            except PASSING as error:
                if failures == len(RETRIES):
                    log.exception("An answer is left incomplete in Discord after %s failed writes", failures + 1)
                    self._control.stop()
                    return False
                log.warning("A write to Discord failed and is repeated: %s", error)
                await asyncio.sleep(RETRIES[failures])
                failures += 1
                continue
            failures = 0
            await on_written()
            if self._surface.is_slow:
                await self._ended.wait()
        return True

    async def _keep_what_stands(self) -> None:
        """Say below what Discord took that it does not take the rest; raises SurfaceGone if it does not take that."""
        if self._refused:
            raise SurfaceGone
        self._refused = True
        self._control.stop()
        await self._ended.wait()
        self._rendering.refuse(len(self._surface.message_ids))

    def _urgency(self, page: int) -> Urgency:
        """First words, last words and a write that lost its lane can't wait, nor should a page with text behind it."""
        rendering = self._rendering
        first_words = rendering.has_text and not self._words_written
        if first_words or rendering.is_finished or self._lane_lost or not self._begun:
            return Urgency.URGENT
        if page < rendering.current or page >= len(self._surface.message_ids):
            return Urgency.EAGER
        return Urgency.ROUTINE

    def _mind_the_time(self) -> None:
        """Leave a message in time that soon can't be edited any more."""
        if self._seconds_to_mind() > 0:
            return
        if self._surface.seconds_left <= LAST_SECONDS:
            self._out_of_time = True
            self._control.stop()
        else:
            self._rendering.seal()

    def _seconds_to_mind(self) -> float:
        """Until `_mind_the_time` has something to do."""
        if self._rendering.is_finished or self._out_of_time:
            return math.inf
        return min(
            self._surface.seconds_left - LAST_SECONDS,
            self._surface.seconds_until_old(self._rendering.current),
        )

    async def _write(self, page: int, lane: Lane) -> None:
        rendering = self._rendering
        version, has_text = rendering.version, rendering.has_text
        look = rendering.look(page)
        if look != rendering.shown(page):
            if not rendering.is_finished:
                self._writing(rendering.text)
            try:
                await self._surface.write(page, self._payload(page, look), lane)
            except LaneLost:
                self._lane_lost = True
                return
            except FileRefused:
                log.info("A file with the whole answer is refused, so all of it comes as messages")
                rendering.without_file()
                return
            self._begun = True
            self._words_written = has_text
            self._lane_lost = False
        rendering.wrote(page, look, version)

    def _payload(self, page: int, look: Look) -> Payload:
        """Buttons and files are named only where they change; what an older version left behind goes."""
        shown = self._rendering.shown(page)
        view = MISSING if shown and shown.row is look.row else self._views[look.row]()
        file: TextFile | None = None if shown is None else MISSING
        if self._rendering.needs_file(page):
            file = TextFile(wording.FILE, self._rendering.text)
        return Payload(look.content, view, file)
