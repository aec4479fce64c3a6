"""Answers questions: waits for its turn, asks the model, shows what comes, remembers it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from bot.chat.answers import AnswerView, Control, Finished, Limit, Question, Step
from bot.chat.memory import ConversationStore
from bot.chat.messages import EndReason, Receipt, StoredMessage
from bot.chat.model import End, LanguageModel, Text, Thinking
from bot.chat.models import same_model
from bot.chat.profiles import Profiles
from bot.chat.request import Preparation, Prepared, bare_receipt
from bot.chat.turns import Turns
from bot.chat.unbroken import unbroken
from bot.errors import ModelError, StreamBroken

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Record:
    """One answer on its way, filled in as it goes, so that whatever happens, what there is can be kept."""

    started: float
    answer_id: int | None = None
    """None until the question is stored, and always for private answers."""
    receipt: Receipt | None = None
    prepared: Prepared | None = None
    pieces: list[str] = field(default_factory=list)
    first_text: float | None = None
    end: End | None = None
    error: Exception | None = None


class Assistant:
    """The one way in which questions become answers."""

    def __init__(
        self,
        *,
        model: LanguageModel,
        profiles: Profiles,
        memory: ConversationStore,
        turns: Turns,
        num_ctx: int,
        patience: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the operator's context window in tokens, and after how many silent seconds to say what goes on."""
        self._model = model
        self._profiles = profiles
        self._memory = memory
        self._turns = turns
        self._preparation = Preparation(model=model, memory=memory, num_ctx=num_ctx)
        self._patience = patience
        self._clock = clock

    async def answer(
        self, question: Question, view: AnswerView, control: Control, *, remembered: Callable[[int, int], None]
    ) -> Finished:
        """Answer a question, showing it on `view` as it grows. Raises nothing: what went wrong is in the result.

        `remembered` hears the ids of question and answer once the memory has them, which it never does for a
        private question. The text that came is in the memory before this returns, also if it was stopped or failed.
        """
        record = _Record(self._clock())
        try:
            await control.run(self._in_turn(question, record, view, control, remembered=remembered))
        except Exception as error:  # noqa: BLE001  # whoever shows the end words it, unexpected ones with an id
            record.error = error
        return _finished(record, _reason(record, control))

    async def _in_turn(
        self,
        question: Question,
        record: _Record,
        view: AnswerView,
        control: Control,
        *,
        remembered: Callable[[int, int], None],
    ) -> None:
        # A private answer changes nothing that others wait for, so it waits only for a free place.
        line = object() if question.private else question.place.channel_id
        async with self._turns.turn(line, tell=view.waiting):
            try:
                await self._ask(question, record, view, remembered)
            finally:
                # Still in its turn, because the next question continues from here.
                await unbroken(self._keep(record, _reason(record, control)))

    async def _ask(
        self, question: Question, record: _Record, view: AnswerView, remembered: Callable[[int, int], None]
    ) -> None:
        profile = await self._profiles.resolve(question.place, persona=question.persona)
        record.receipt = bare_receipt(profile)
        window = await self._window(question, record, remembered)
        view.step(Step.STARTING, profile.model.value)
        async with self._saying_what_goes_on(view, profile.model.value) as silence_ends:
            prepared = record.prepared = await self._preparation.prepare(question, window, profile)
            record.receipt = prepared.receipt
            if not question.private and prepared.prompt.left_out and prepared.prompt.window_start:
                await self._memory.move_window(question.place, prepared.prompt.window_start)
            await self._read(prepared, record, view, silence_ends)

    async def _window(
        self, question: Question, record: _Record, remembered: Callable[[int, int], None]
    ) -> Sequence[StoredMessage]:
        if question.private:
            return await self._memory.window(question.place)
        return await unbroken(self._begin(question, record, remembered))

    async def _begin(
        self, question: Question, record: _Record, remembered: Callable[[int, int], None]
    ) -> Sequence[StoredMessage]:
        begun = await self._memory.begin(question.place, question.author, question.with_files(), question.images)
        record.answer_id = begun.answer_id
        remembered(begun.question_id, begun.answer_id)
        return begun.window

    async def _read(
        self, prepared: Prepared, record: _Record, view: AnswerView, silence_ends: Callable[[], object]
    ) -> None:
        async with aclosing(self._model.chat(prepared.request)) as events:
            async for event in events:
                silence_ends()
                match event:
                    case Text(text):
                        if record.first_text is None:
                            record.first_text = self._clock()
                        record.pieces.append(text)
                        view.text(text)
                    case Thinking():
                        view.step(Step.THINKING, prepared.request.model)
                    case End():
                        record.end = event
        if record.end is None:
            raise StreamBroken("The model stopped in the middle of its answer. Please ask again.")

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

    async def _keep(self, record: _Record, reason: EndReason) -> None:
        """Store what there is. If even that fails, say so in the result and the log: the text itself is shown."""
        if record.receipt is None:
            return
        record.receipt = self._filled_in(record, record.receipt)
        if record.answer_id is None:
            return
        try:
            await self._memory.finish(
                record.answer_id,
                "".join(record.pieces),
                reason,
                record.receipt,
                question_tokens=_question_tokens(record),
            )
        except Exception as error:  # noqa: BLE001  # must not hide the answer; what failed before it, if anything, counts in `answer`
            record.error = error

    def _filled_in(self, record: _Record, receipt: Receipt) -> Receipt:
        if record.end is not None:
            receipt = replace(
                receipt,
                prompt_tokens=record.end.prompt_tokens,
                answer_tokens=record.end.answer_tokens,
                load_seconds=record.end.load_seconds,
            )
        return replace(
            receipt,
            first_text_seconds=None if record.first_text is None else record.first_text - record.started,
            total_seconds=self._clock() - record.started,
        )


def _question_tokens(record: _Record) -> int | None:
    """The question's part of what the model counted; errors in the rest of the estimate even out in it."""
    if record.prepared is None or record.end is None or record.end.prompt_tokens is None:
        return None
    return max(record.end.prompt_tokens - record.prepared.prompt.beside_question, 1)


def _reason(record: _Record, control: Control) -> EndReason:
    if record.end is not None:
        return record.end.reason
    if control.reason is not None:
        return control.reason
    task = asyncio.current_task()
    # Cancelled, but not by its control: the whole process is being stopped.
    return EndReason.INTERRUPTED if task and task.cancelling() else EndReason.FAILED


def _finished(record: _Record, reason: EndReason) -> Finished:
    limit = None
    prepared = record.prepared
    if reason is EndReason.LENGTH and prepared:
        cut_by_window = prepared.prompt.num_predict < prepared.num_predict
        limit = Limit.CONTEXT_WINDOW if cut_by_window else Limit.NUM_PREDICT
    return Finished(
        reason=reason,
        model=record.receipt.model if record.receipt else "",
        persona=record.receipt.persona if record.receipt else "",
        error=record.error,
        limit=limit,
        num_predict=prepared.prompt.num_predict if prepared else None,
        left_out=prepared.prompt.left_out if prepared else 0,
        receipt=record.receipt,
    )
