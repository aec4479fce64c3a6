"""All answers on their way: begins each one, stops it when nobody can see it any more, finishes them at shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from bot.chat.answers import Control, Finished, Question
from bot.chat.assistant import Assistant
from bot.chat.display import Display
from bot.chat.memory import ConversationStore, OpenMessageStore
from bot.chat.messages import Author, EndReason, Place
from bot.delivery import wording
from bot.delivery.calls import monotonic
from bot.delivery.live_answer import PLACEHOLDER_AFTER, LiveAnswer
from bot.delivery.surface import PASSING, Surface, SurfaceGone, TextFile
from bot.delivery.traces import Traces
from bot.errors import QueueFull

log = logging.getLogger(__name__)

GRACE = 6.0
"""Seconds that running answers get to end by themselves when the bot is shut down."""
LAST_WORDS = 3.0
"""Seconds that they then get to show that they were interrupted."""

UNKNOWN_KEPT = 100
"""Ids of deleted messages that are remembered, the newest ones."""


@dataclass(eq=False, slots=True)
class _Running:
    question: Question
    surface: Surface
    control: Control
    question_message: int | None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def consists_of(self, message_id: int) -> bool:
        """Whether a message is the question or one of the pages."""
        return message_id == self.question_message or message_id in self.surface.message_ids

    def is_about(self, discord_id: int) -> bool:
        """Whether a message (the question or a page), channel, thread or server of this id carries the answer."""
        place = self.question.place
        places = {place.channel_id, place.parent_id, place.guild_id}
        return discord_id in {self.question_message, *places, *self.surface.message_ids}


def _is_visible(running: _Running, header: str) -> bool:
    """Whether the whole question can be read in Discord: as a message of its own, or above the answer."""
    return running.question_message is not None or (bool(header) and not wording.is_shortened(running.question.text))


class Deliveries:
    """The one way in which a question becomes messages in Discord."""

    def __init__(
        self,
        *,
        assistant: Assistant,
        display: Callable[[Place, Author], Awaitable[Display]],
        memory: ConversationStore,
        open_messages: OpenMessageStore,
        placeholder_after: float = PLACEHOLDER_AFTER,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._assistant = assistant
        self._display = display
        self._memory = memory
        self._open_messages = open_messages
        self._placeholder_after = placeholder_after
        self._clock = clock
        self._running: set[_Running] = set()
        self._unknown: deque[int] = deque(maxlen=UNKNOWN_KEPT)
        """What was deleted lately and belonged to no answer that we knew of."""
        self._closing = False

    async def answer(
        self, question: Question, surface: Surface, *, header: str = "", question_message: int | None = None
    ) -> Finished:
        """Answer a question on a surface, to the end. `question_message` is the Discord message that asked."""
        if self._closing:
            raise QueueFull("The bot is being restarted; please ask again in a minute.")
        running = _Running(question, surface, Control(), question_message)
        self._running.add(running)
        try:
            return await self._answer(running, header)
        finally:
            running.done.set()
            self._running.discard(running)

    async def _answer(self, running: _Running, header: str) -> Finished:
        question, surface, asked_at = running.question, running.surface, self._clock()
        display = await self._chosen_display(question)
        live = LiveAnswer(
            surface, running.control, header=header, display=display, placeholder_after=self._placeholder_after
        )
        traces = Traces(
            question,
            surface,
            memory=self._memory,
            open_messages=self._open_messages,
            question_message=running.question_message,
        )
        noting: list[asyncio.Task[None]] = []

        def remembered(question_id: int, answer_id: int) -> None:
            traces.remembered(question_id, answer_id)
            # The next write may be a long time off, and a crash may come before it.
            noting.append(asyncio.create_task(traces.update()))

        async def written() -> None:
            if any(map(running.consists_of, self._unknown)):
                self._stop([running])
            await traces.update()

        showing = asyncio.create_task(live.show(written))
        # Whatever ends the showing, the model does not go on writing for nobody.
        showing.add_done_callback(lambda _: running.control.stop())
        finished = await self._assistant.answer(question, live, running.control, remembered=remembered)
        live.finish(finished)
        shown = await showing
        await asyncio.gather(*noting)
        await traces.close(shown=shown)
        if finished.reason in {EndReason.FAILED, EndReason.INTERRUPTED} and not _is_visible(running, header):
            # The question stands nowhere else in Discord, and nothing that a person wrote is lost.
            await self._attach_question(running)
        took_long = display.ready_after is not None and self._clock() - asked_at > display.ready_after
        if took_long and finished.reason in {EndReason.COMPLETE, EndReason.LENGTH} and not live.is_gone:
            await self._announce(running)
        return finished

    async def _chosen_display(self, question: Question) -> Display:
        try:
            return await self._display(question.place, question.author)
        except Exception:
            # The answer, which needs the database too, will say that it fails.
            log.exception("How answers are to be shown could not be read")
            return Display()

    async def _attach_question(self, running: _Running) -> None:
        try:
            await running.surface.send_file(TextFile("question.txt", running.question.text))
        except SurfaceGone:
            pass
        except PASSING:
            log.exception("A question could not be given back as a file")

    async def _announce(self, running: _Running) -> None:
        """Notify the person who asked; whoever sees a private answer is looking at it already."""
        question, message_ids = running.question, running.surface.message_ids
        if question.private or not message_ids:
            return
        place = question.place
        url = f"https://discord.com/channels/{place.guild_id or '@me'}/{place.channel_id}/{message_ids[0]}"
        try:
            await running.surface.announce(question.author.id, wording.ready(url))
        except (SurfaceGone, *PASSING) as error:
            log.info("That an answer is ready could not be said: %s", error)

    def stop_about(self, discord_id: int) -> None:
        """Stop the answers whose message, question, channel, thread or server has this id, because it is gone."""
        about = [running for running in self._running if running.is_about(discord_id)]
        self._stop(about)
        if not about:
            # Perhaps a message whose id is still on its way to us.
            self._unknown.append(discord_id)

    def stop_where(self, is_closed: Callable[[Place], bool]) -> None:
        """Stop the answers in places that the bot sees no more, if it needs to see them."""
        self._stop([it for it in self._running if it.surface.needs_sight and is_closed(it.question.place)])

    def _stop(self, stopped: Iterable[_Running]) -> None:
        for running in stopped:
            log.info("An answer in channel %s is stopped: nobody could see it", running.question.place.channel_id)
            running.control.stop()

    async def close(self) -> None:
        """Let running answers end, then interrupt the rest, within 9 seconds; the next start mends what is left."""
        self._closing = True
        if not self._running:
            return
        log.info("Waiting for %s answers to end", len(self._running))
        await self._all_done(GRACE)
        for running in self._running:
            running.control.stop(EndReason.INTERRUPTED)
        await self._all_done(LAST_WORDS)

    async def _all_done(self, seconds: float) -> None:
        waits = [asyncio.create_task(running.done.wait()) for running in self._running]
        if waits:
            _, late = await asyncio.wait(waits, timeout=seconds)
            for wait in late:
                wait.cancel()
