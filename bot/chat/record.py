"""What there is of one answer while it comes, and what is said of it in the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot.chat.answers import Finished, Limit
from bot.chat.messages import Answer, EndReason, Receipt
from bot.chat.model import End
from bot.chat.request import Prepared
from bot.chat.thoughts import TrainOfThought

_Number = TypeVar("_Number", int, float)


@dataclass(slots=True)
class Record:
    """One answer on its way, filled in as it goes, so that whatever happens, what there is can be kept."""

    started: float
    thoughts: TrainOfThought
    begun_with: Answer | None = None
    """What it goes on from."""
    takes_over: bool = False
    """Whether what was said after its older version is to follow it."""
    replaces: bool = False
    """Whether older versions are to be forgotten."""
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
    """The receipt with what is known in the end, of the whole answer where it went on from an earlier end."""
    if record.end is not None:
        receipt = replace(
            receipt,
            prompt_tokens=record.end.prompt_tokens,
            answer_tokens=record.end.answer_tokens,
            load_seconds=record.end.load_seconds,
            writing_seconds=record.end.writing_seconds,
        )
    receipt = replace(
        receipt,
        first_text_seconds=None if record.first_text is None else record.first_text - record.started,
        total_seconds=now - record.started,
        thought_seconds=record.thoughts.seconds,
        waited_seconds=None if record.turn is None else record.turn - record.started,
    )
    return _together(record.begun_with.receipt, receipt) if record.begun_with else receipt


def _together(earlier: Receipt | None, later: Receipt) -> Receipt:
    """An answer that went on: its beginning is the earlier one's, and what both took is added where both know it.

    Nothing is known of an `earlier` one that a crash cut off.
    """
    earlier = earlier or Receipt(later.model, later.persona, later.persona_version, {})
    return replace(
        later,
        answer_tokens=_sum(earlier.answer_tokens, later.answer_tokens),
        writing_seconds=_sum(earlier.writing_seconds, later.writing_seconds),
        total_seconds=_sum(earlier.total_seconds, later.total_seconds),
        first_text_seconds=earlier.first_text_seconds,
        waited_seconds=earlier.waited_seconds,
        load_seconds=earlier.load_seconds,
        # Only the beginning may have been thought out.
        thought_seconds=later.thought_seconds or earlier.thought_seconds,
    )


def _sum(earlier: _Number | None, later: _Number | None) -> _Number | None:
    return None if earlier is None or later is None else earlier + later


def used_tokens(record: Record) -> int:
    """What an answer took, for the limit of its day.

    Thoughts are written as well: else to stop a model before its answer would be a way round the limit.
    """
    prompt = record.receipt.prompt_estimate if record.receipt else None
    return tokens_of(record.end, prompt, len(record.pieces) + record.thoughts.count)


def tokens_of(end: End | None, prompt_estimate: int | None, pieces: int) -> int:
    """What the model read and wrote, as it counted; where it was stopped before its end, a piece is about a token."""
    if end is not None:
        return (end.prompt_tokens or 0) + (end.answer_tokens or 0)
    return (prompt_estimate or 0) + pieces if pieces else 0


def question_tokens(record: Record) -> int | None:
    """The question's part of what the model counted; errors in the rest of the estimate even out in it."""
    if record.prepared is None or record.end is None or record.end.prompt_tokens is None or record.begun_with:
        return None
    return max(record.end.prompt_tokens - record.prepared.prompt.beside_question, 1)
