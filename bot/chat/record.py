"""What there is of one answer while it comes, and what is said of it in the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.chat.answers import Finished, Limit
from bot.chat.messages import Answer, EndReason, Receipt
from bot.chat.model import End
from bot.chat.request import Prepared
from bot.chat.thoughts import TrainOfThought


@dataclass(slots=True)
class Record:
    """One answer on its way, filled in as it goes, so that whatever happens, what there is can be kept."""

    started: float
    thoughts: TrainOfThought
    begun_with: Answer | None = None
    """What it goes on from."""
    takes_over: bool = False
    """Whether what was said after its older version is to follow it."""
    answer_id: int | None = None
    """None until the question is stored, and always where nothing is."""
    receipt: Receipt | None = None
    prepared: Prepared | None = None
    pieces: list[str] = field(default_factory=list)
    turn: float | None = None
    """When its turn came."""
    first_text: float | None = None
    end: End | None = None
    error: Exception | None = None


def finished(record: Record, reason: EndReason) -> Finished:
    """What is said of its end."""
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
        is_kept=record.answer_id is not None,
        has_text=any(record.pieces),
    )


def filled_in(record: Record, receipt: Receipt, *, now: float) -> Receipt:
    """The receipt with what is known in the end."""
    if record.end is not None:
        receipt = replace(
            receipt,
            prompt_tokens=record.end.prompt_tokens,
            answer_tokens=_all_tokens(record, record.end),
            load_seconds=record.end.load_seconds,
            writing_seconds=_all_seconds(record, record.end),
        )
    return replace(
        receipt,
        first_text_seconds=None if record.first_text is None else record.first_text - record.started,
        total_seconds=now - record.started,
        thought_seconds=_thought_seconds(record),
        waited_seconds=None if record.turn is None else record.turn - record.started,
    )


def _thought_seconds(record: Record) -> float | None:
    """Where only the beginning was thought out, that long."""
    if record.thoughts.seconds is None and record.begun_with and record.begun_with.receipt:
        return record.begun_with.receipt.thought_seconds
    return record.thoughts.seconds


def _all_tokens(record: Record, end: End) -> int | None:
    """Also those that the model wrote before the answer was cut off, where they were counted."""
    if record.begun_with is None or end.answer_tokens is None:
        return end.answer_tokens
    earlier = record.begun_with.receipt
    return None if earlier is None or earlier.answer_tokens is None else earlier.answer_tokens + end.answer_tokens


def _all_seconds(record: Record, end: End) -> float | None:
    """The same for the time that writing them took."""
    if record.begun_with is None or end.writing_seconds is None:
        return end.writing_seconds
    earlier = record.begun_with.receipt
    return None if earlier is None or earlier.writing_seconds is None else earlier.writing_seconds + end.writing_seconds


def used_tokens(record: Record) -> int:
    """What the model read and wrote, as it counted; in an answer that was stopped, a piece is about a token.

    Thoughts are written as well: else to stop a model before its answer would be a way round the limit.
    """
    if record.end is not None:
        return (record.end.prompt_tokens or 0) + (record.end.answer_tokens or 0)
    prompt = record.receipt.prompt_estimate if record.receipt else None
    came = len(record.pieces) + record.thoughts.count
    return (prompt or 0) + came if came else 0


def question_tokens(record: Record) -> int | None:
    """The question's part of what the model counted; errors in the rest of the estimate even out in it."""
    if record.prepared is None or record.end is None or record.end.prompt_tokens is None or record.begun_with:
        return None
    return max(record.end.prompt_tokens - record.prepared.prompt.beside_question, 1)
