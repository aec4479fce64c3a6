"""Questions that were asked before, to be asked once more."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.answers import Question
from bot.chat.messages import Answer, Image
from bot.chat.scopes import Source


def new_version(answer: Answer, images: Sequence[Image]) -> Question:
    """The answer's question, with the pictures that came with it, for another answer beside that one."""
    return Question(
        answer.place, answer.asker, answer.question, tuple(images), persona=_chosen_persona(answer), again=answer
    )


def continuation(answer: Answer, images: Sequence[Image]) -> Question:
    """The same, for an answer that goes on where it was cut off."""
    return Question(
        answer.place, answer.asker, answer.question, tuple(images), persona=_chosen_persona(answer), more_of=answer
    )


def correction(answer: Answer, question: Question, *, is_halved: bool = False) -> Question:
    """What was asked reads otherwise now: a new version, after which goes on what was said since.

    Where a part of it was deleted, it is the only version.
    """
    return Question(
        answer.place,
        answer.asker,
        question.with_files(),
        question.images,
        persona=_chosen_persona(answer),
        again=answer,
        is_corrected=True,
        is_halved=is_halved,
    )


def _chosen_persona(answer: Answer) -> str | None:
    """The persona that was asked for by name; else the place's own of today answers."""
    receipt = answer.receipt
    return receipt.persona if receipt and receipt.sources.get("persona") == Source.QUESTION else None
