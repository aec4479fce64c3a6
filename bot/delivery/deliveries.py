"""All answers on their way: begins each one, stops it when nobody can see it any more, finishes them at shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial

from bot.chat.answers import Control, Finished, Question, finished_before
from bot.chat.assistant import Assistant
from bot.chat.display import Display
from bot.chat.memory import BEING_WRITTEN, ConversationStore, OpenMessageStore
from bot.chat.messages import Answer, Author, EndReason, Place
from bot.delivery import wording
from bot.delivery.buttons import Buttons, NoButtons
from bot.delivery.calls import monotonic
from bot.delivery.channel_surface import ChannelSurface
from bot.delivery.live_answer import PLACEHOLDER_AFTER, LiveAnswer, MakeView, no_view
from bot.delivery.running import Running, is_visible
from bot.delivery.surface import PASSING, Surface, SurfaceGone, TextFile, persist
from bot.delivery.traces import Traces
from bot.errors import BadInput, QueueFull

log = logging.getLogger(__name__)

GRACE = 6.0
"""Seconds that running answers get to end by themselves when the bot is shut down."""
LAST_WORDS = 3.0
"""Seconds that they then get to show that they were interrupted."""

UNKNOWN_KEPT = 100
"""Ids of deleted messages that are remembered, the newest ones."""


class Deliveries:
    """The one way in which a question becomes messages in Discord."""

    def __init__(
        self,
        *,
        assistant: Assistant,
        display: Callable[[Place, Author], Awaitable[Display]],
        memory: ConversationStore,
        open_messages: OpenMessageStore,
        buttons: Buttons | None = None,
        placeholder_after: float = PLACEHOLDER_AFTER,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._assistant = assistant
        self._display = display
        self._memory = memory
        self._open_messages = open_messages
        self._buttons = buttons or NoButtons()
        self._placeholder_after = placeholder_after
        self._clock = clock
        self._running: set[Running] = set()
        self._unknown: deque[int] = deque(maxlen=UNKNOWN_KEPT)
        """What was deleted lately and belonged to no answer that we knew of."""
        self._closing = False

    async def answer(
        self, question: Question, surface: Surface, *, header: str = "", question_message: int | None = None
    ) -> Finished:
        """Answer a question on a surface, to the end. `question_message` is the Discord message that asked."""
        async with self._run(Running(question, surface, Control(), question_message)) as running:
            return await self._answer(running, header)

    async def write_over(
        self, question: Question, surface: ChannelSurface, *, header: str = "", question_message: int | None = None
    ) -> Finished:
        """The same with the messages of an older answer: a new version of it, or more of it.

        Raises BadInput where an answer is on its way in that conversation, and what went wrong where nothing came of
        it at all: then the older answer stands there again.
        """
        self.check_idle(question.place)
        async with self._run(Running(question, surface, Control(), question_message)) as running:
            if question.again:
                await self._shorten(surface, 1)
            finished = await self._answer(running, header)
            await self._shorten(surface, running.length)
            if question.again and not running.is_stored:
                await self._show(running, question.again, surface, header)
                if finished.error:
                    raise finished.error
            return finished

    async def show(self, answer: Answer, surface: ChannelSurface, *, header: str = "") -> None:
        """Show a finished answer on the messages of another version. Raises as `write_over` does."""
        self.check_idle(answer.place)
        question = Question(answer.place, answer.asker, answer.question, again=answer)
        async with self._run(Running(question, surface, Control(), answer.question_discord_id)) as running:
            await self._show(running, answer, surface, header)

    async def _show(self, running: Running, answer: Answer, surface: ChannelSurface, header: str) -> None:
        display = await self._chosen_display(running.question)
        live = LiveAnswer(surface, running.control, header=header, display=display, placeholder_after=0)
        live.text(answer.content)
        live.finish(finished_before(answer), lambda: self._buttons.end(answer))
        traces = self._traces(running)
        traces.remembered(answer.question_id, answer.id)
        shown = await live.show(traces.update)
        await self._shorten(surface, live.length)
        await traces.close(shown=shown)

    def check_idle(self, place: Place) -> None:
        """Raise BadInput where an answer is on its way in a conversation."""
        if any(running.is_in(place) for running in self._running):
            raise BadInput(BEING_WRITTEN)

    async def _shorten(self, surface: ChannelSurface, length: int) -> None:
        """Delete the messages that an answer needs no more; they are forgotten first, or the answer would be."""
        if surplus := surface.message_ids[length:]:
            await self._memory.not_shown(surplus)
            await surface.shorten(length)

    @asynccontextmanager
    async def _run(self, running: Running) -> AsyncGenerator[Running, None]:
        if self._closing:
            raise QueueFull("The bot is being restarted; please ask again in a minute.")
        self._running.add(running)
        try:
            yield running
        finally:
            running.done.set()
            self._running.discard(running)

    async def _answer(self, running: Running, header: str) -> Finished:
        question, asked_at = running.question, self._clock()
        display = await self._chosen_display(question)
        live = LiveAnswer(
            running.surface,
            running.control,
            header=header,
            display=display,
            placeholder_after=self._placeholder_after,
            stop_button=lambda: self._buttons.stop(running.key),
        )
        if question.more_of:
            live.go_on(question.more_of.content)
        finished = await self._write(running, live)
        running.length = live.length or running.length
        is_lost = finished.reason in {EndReason.FAILED, EndReason.INTERRUPTED} and question.is_new
        if is_lost and not is_visible(running, header):
            # The question stands nowhere else in Discord, and nothing that a person wrote is lost.
            await self._attach_question(running)
        took_long = display.ready_after is not None and self._clock() - asked_at > display.ready_after
        if took_long and finished.reason in {EndReason.COMPLETE, EndReason.LENGTH} and not live.is_gone:
            await self._announce(running)
        return finished

    async def _write(self, running: Running, live: LiveAnswer) -> Finished:
        """Let the answer be written and shown, to the end of both."""
        question, traces = running.question, self._traces(running)
        noting: list[asyncio.Task[None]] = []
        stored: list[int] = []

        def remembered(question_id: int, answer_id: int) -> None:
            stored.append(answer_id)
            running.is_stored = True
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
        joins = question.is_new and running.question_message is not None
        finished = await self._assistant.answer(question, live, running.control, remembered=remembered, joins=joins)
        if finished.reason is EndReason.JOINED:
            live.withdraw()
        else:
            live.finish(finished, await self._end_buttons(question, stored))
        shown = await showing
        await asyncio.gather(*noting)
        if finished.reason is EndReason.JOINED:
            await self._give_way(running)
        await traces.close(shown=shown)
        return finished

    def _traces(self, running: Running) -> Traces:
        return Traces(
            running.question,
            running.surface,
            memory=self._memory,
            open_messages=self._open_messages,
            question_message=running.question_message,
            joined=running.joined,
        )

    async def _give_way(self, running: Running) -> None:
        """Leave the question to the answer that takes it up, and take away what was shown here."""
        for other in self._running:
            if other.control is running.control.heir and running.question_message is not None:
                other.joined += [*running.joined, running.question_message]
        if isinstance(running.surface, ChannelSurface):
            await self._shorten(running.surface, 0)

    async def _end_buttons(self, question: Question, stored: list[int]) -> MakeView:
        """What makes the buttons of an answer that is remembered, as the memory has it now."""
        try:
            answer = await self._memory.answer(question.place.channel_id, stored[0]) if stored else question.more_of
        except Exception:
            log.exception("What the buttons of an answer are could not be read")
            return no_view
        return partial(self._buttons.end, answer) if answer else no_view

    async def _chosen_display(self, question: Question) -> Display:
        try:
            return await self._display(question.place, question.author)
        except Exception:
            # The answer, which needs the database too, will say that it fails.
            log.exception("How answers are to be shown could not be read")
            return Display()

    async def _attach_question(self, running: Running) -> None:
        try:
            await persist(partial(running.surface.send_file, TextFile("question.txt", running.question.text)))
        except SurfaceGone:
            pass
        except PASSING:
            log.exception("A question could not be given back as a file")

    async def _announce(self, running: Running) -> None:
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

    def asker(self, key: str) -> Author | None:
        """Who asked for the answer that is on its way under this key; None where there is none (any more)."""
        return next((running.question.author for running in self._running if running.key == key), None)

    def stop(self, key: str, *, by: str) -> None:
        """Stop the answer under this key, out of the line or off the model, in a person's name."""
        for running in self._running:
            if running.key == key:
                log.info("An answer in channel %s is stopped by hand", running.question.place.channel_id)
                running.control.stop(by=by)

    def stop_about(self, discord_id: int) -> None:
        """Stop the answers whose message, question, channel, thread or server has this id, because it is gone."""
        about = [running for running in self._running if running.is_about(discord_id)]
        self._stop(about)
        if not about:
            # Perhaps a message whose id is still on its way to us.
            self._unknown.append(discord_id)

    def stop_of(self, person_id: int) -> None:
        """Stop the answers to a person, those that wait in line too, because nothing more of them is to be stored."""
        for running in self._running:
            if running.question.author.id == person_id:
                running.control.stop()

    def stop_where(self, is_closed: Callable[[Place], bool]) -> None:
        """Stop the answers in places that the bot sees no more, if it needs to see them."""
        self._stop([it for it in self._running if it.surface.needs_sight and is_closed(it.question.place)])

    def _stop(self, stopped: Iterable[Running]) -> None:
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
