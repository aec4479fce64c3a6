"""Answers questions: waits for its turn, asks the model, shows what comes, remembers it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from bot.chat.answers import AnswerView, Control, Finished, Question, Step
from bot.chat.arrears import Arrears
from bot.chat.memory import Begun, ConversationStore
from bot.chat.messages import Author, EndReason, Receipt, StoredMessage
from bot.chat.model import End, LanguageModel, Text
from bot.chat.models import same_model
from bot.chat.privacy import NOT_KEPT
from bot.chat.profiles import Profiles
from bot.chat.record import Record, filled_in, finished, question_tokens, used_tokens
from bot.chat.request import Preparation, Prepared, bare_receipt
from bot.chat.sharing import Conversations
from bot.chat.think_tags import Part, TakenBack, ThinkTags
from bot.chat.thoughts import TrainOfThought
from bot.chat.turns import Turns
from bot.chat.unbroken import unbroken
from bot.chat.waiting_room import WaitingRoom
from bot.errors import BadInput, DatabaseDamaged, ModelError, StorageError, StreamBroken

log = logging.getLogger(__name__)

NOT_REMEMBERED = "This question and its answer are not remembered. {}"
NOT_YET_REMEMBERED = "This answer could not be remembered when it ended, and I keep trying until it is. {}"


class Assistant:
    """The one way in which questions become answers."""

    def __init__(
        self,
        *,
        model: LanguageModel,
        profiles: Profiles,
        memory: ConversationStore,
        turns: Turns,
        spent: Callable[[Author, int], Awaitable[None]],
        conversations: Conversations,
        is_opted_out: Callable[[Author], Awaitable[bool]],
        preparation: Preparation,
        patience: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take after how many silent seconds to say what goes on."""
        self._model = model
        self._profiles = profiles
        self._memory = memory
        self._arrears = Arrears()
        self._waiting_room = WaitingRoom(turns, default_model=profiles.default_model, clock=clock)
        self._conversations = conversations
        self._is_opted_out = is_opted_out
        self._preparation = preparation
        self._spent = spent
        self._patience = patience
        self._clock = clock

    async def answer(
        self,
        question: Question,
        view: AnswerView,
        control: Control,
        *,
        remembered: Callable[[int, int], None],
        joins: bool = False,
    ) -> Finished:
        """Answer a question, showing it on `view` as it grows. Raises nothing: what went wrong is in the result.

        One that `joins` may be joined by the next such one of the same person, and is then not answered by itself.

        `remembered` hears the ids of question and answer once the memory has them, which it never does for a
        private question. The text that came is in the memory before this returns, also if it was stopped or failed.
        """
        record = Record(self._clock(), TrainOfThought(self._clock))
        try:
            await control.run(self._in_turn(question, record, view, control, remembered=remembered, joins=joins))
        except Exception as error:  # noqa: BLE001  # whoever shows the end words it, unexpected ones with an id
            record.error = error
        await self._spent(question.asked_by or question.author, used_tokens(record))
        return replace(finished(record, _reason(record, control)), stopped_by=control.by)

    async def _in_turn(
        self,
        question: Question,
        record: Record,
        view: AnswerView,
        control: Control,
        *,
        remembered: Callable[[int, int], None],
        joins: bool,
    ) -> None:
        if not (question.again or question.more_of):  # those belong where they are
            question = replace(question, place=await self._conversations.of(question.place, question.author))
        room = self._waiting_room
        async with room.turn(question, view, control, has_words=lambda: bool(record.pieces), joins=joins) as turn:
            record.turn = self._clock()
            try:
                await self._ask(turn.question, record, view, remembered)
            finally:
                room.over(turn, record.receipt.model if record.receipt else None)
                # Still in its turn, because the next question continues from here.
                await unbroken(self._keep(record, _reason(record, control)))

    async def _ask(
        self, question: Question, record: Record, view: AnswerView, remembered: Callable[[int, int], None]
    ) -> None:
        profile = await self._profiles.resolve(question.place, persona=question.persona)
        record.receipt = bare_receipt(profile)
        window = await self._window(question, record, remembered)
        view.step(Step.STARTING, profile.model.value)
        async with self._saying_what_goes_on(view, profile.model.value) as silence_ends:
            prepared = record.prepared = await self._preparation.prepare(question, window, profile)
            record.receipt = prepared.receipt
            if record.answer_id and prepared.prompt.left_out and prepared.prompt.window_start:
                await self._memory.move_window(question.place, prepared.prompt.window_start)
            await self._read(prepared, record, view, silence_ends)

    async def _window(
        self, question: Question, record: Record, remembered: Callable[[int, int], None]
    ) -> Sequence[StoredMessage]:
        opted_out = await self._is_opted_out(question.author)
        if opted_out and (question.again or question.more_of):
            raise BadInput(NOT_KEPT)
        if question.private or opted_out:
            return await self._memory.window(question.place)
        try:
            return await unbroken(self._begin(question, record, remembered))
        except StorageError as error:
            if not question.is_new:
                raise
            # Who asks gets an answer all the same, if what the model is to read can be had.
            record.error = StorageError(NOT_REMEMBERED.format(error))
            return await self._memory.window(question.place)

    async def _begin(
        self, question: Question, record: Record, remembered: Callable[[int, int], None]
    ) -> Sequence[StoredMessage]:
        await self._arrears.settle()
        begun = await self._begun(question)
        if question.more_of:
            record.begun_with = question.more_of
            record.pieces.append(question.more_of.content)
        record.answer_id = begun.answer_id
        record.takes_over, record.replaces = question.is_corrected, question.is_halved
        remembered(begun.question_id, begun.answer_id)
        return begun.window

    async def _begun(self, question: Question) -> Begun:
        if question.again:
            return await self._memory.begin_again(question.again.id)
        if question.more_of:
            return await self._memory.resume(question.more_of.id)
        return await self._memory.begin(
            question.place,
            question.author,
            question.with_files(),
            question.images,
            after=question.after,
            on_way=question.on_way,
        )

    async def _read(
        self, prepared: Prepared, record: Record, view: AnswerView, silence_ends: Callable[[], object]
    ) -> None:
        tags = ThinkTags.of(prepared.request, prepared.details)
        try:
            async with aclosing(self._model.chat(prepared.request)) as events:
                async for event in events:
                    silence_ends()
                    self._take(tags.parts(event), record, view)
                    if isinstance(event, End):
                        record.end = event
        finally:
            self._take(tags.flush(), record, view)
        if record.end is None:
            raise StreamBroken("The model stopped in the middle of its answer. Please ask again.")

    def _take(self, parts: Iterable[Part], record: Record, view: AnswerView) -> None:
        for part in parts:
            if isinstance(part, Text):
                if record.first_text is None:
                    record.first_text = self._clock()
                record.pieces.append(part.text)
                view.text(part.text)
            elif isinstance(part, TakenBack):
                record.thoughts.adopt(record.pieces, record.first_text or record.started)
                record.pieces.clear()
                record.first_text = None
                view.take_back()
            elif (seconds := record.thoughts.take(part.text)) is not None and not record.pieces and record.receipt:
                view.step(Step.THINKING, record.receipt.model, seconds=seconds)

    @asynccontextmanager
    async def _saying_what_goes_on(self, view: AnswerView, model: str) -> AsyncGenerator[Callable[[], object], None]:
        """Every few silent seconds, find out why there is no text yet; ends with the first event or the block."""
        watch = asyncio.create_task(self._watch(view, model))
        try:
            yield watch.cancel
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self, view: AnswerView, model: str) -> None:
        with suppress(ModelError):  # the request itself will say it better
            while True:
                await asyncio.sleep(self._patience)
                loaded = any(same_model(name, model) for name in await self._model.loaded())
                view.step(Step.READING if loaded else Step.LOADING, model)

    async def _keep(self, record: Record, reason: EndReason) -> None:
        """Store what there is. If even that fails, say so in the result and the log: the text itself is shown."""
        if record.receipt is None:
            return
        record.receipt = filled_in(record, record.receipt, now=self._clock())
        if record.answer_id is None:
            return
        try:
            await self._arrears.store(partial(self._finish, record, record.answer_id, record.receipt, reason))
        except Exception as error:  # noqa: BLE001  # must not hide the answer; what failed before it, if anything, counts in `answer`
            record.error = _not_remembered(error)

    async def _finish(self, record: Record, answer_id: int, receipt: Receipt, reason: EndReason) -> None:
        await self._memory.finish(
            answer_id,
            "".join(record.pieces),
            reason,
            receipt,
            question_tokens=question_tokens(record),
            thoughts=record.thoughts.text,
            takes_over=record.takes_over,
            replaces=record.replaces,
            goes_on=record.begun_with is not None,
        )
        if reason in {EndReason.JOINED, EndReason.WITHDRAWN}:
            await self._memory.remove(answer_id)

    async def close(self) -> None:
        """Store what could not be stored before; the last chance for it."""
        await self._arrears.close()


def _not_remembered(error: Exception) -> Exception:
    """Why an answer is not in the memory, for whoever reads it."""
    if isinstance(error, DatabaseDamaged):
        return StorageError(NOT_REMEMBERED.format(error))
    return StorageError(NOT_YET_REMEMBERED.format(error)) if isinstance(error, StorageError) else error


def _reason(record: Record, control: Control) -> EndReason:
    if record.end is not None:
        return record.end.reason
    if control.reason is not None:
        return control.reason
    task = asyncio.current_task()
    # Cancelled, but not by its control: the whole process is being stopped.
    return EndReason.INTERRUPTED if task and task.cancelling() else EndReason.FAILED
