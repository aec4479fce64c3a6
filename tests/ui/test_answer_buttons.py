"""Which buttons an answer has in which state."""

from __future__ import annotations

import pytest

from bot.chat.messages import Answer, Author, EndReason, Place, Receipt
from bot.ui.answer_buttons import AnswerButtons, faces

RECEIPT = Receipt("tiny:1b", "assistant", 0, {})


def answer(
    reason: EndReason = EndReason.COMPLETE,
    content: str = "Words.",
    *,
    receipt: Receipt | None = RECEIPT,
    versions: tuple[int, ...] = (5,),
    has_thoughts: bool = False,
) -> Answer:
    return Answer(
        id=5,
        place=Place(1),
        asker=Author(2, "Anna"),
        question_id=4,
        question="Why?",
        content=content,
        end_reason=reason,
        receipt=receipt,
        versions=versions,
        discord_ids=(7,),
        question_discord_id=None,
        has_thoughts=has_thoughts,
    )


WHOLE, CUT = "Regenerate Details Delete", "Regenerate Continue Details Delete"


@pytest.mark.parametrize(
    ("state", "labels"),
    [
        (answer(EndReason.COMPLETE), WHOLE),
        (answer(EndReason.LENGTH), CUT),
        (answer(EndReason.STOPPED), CUT),
        (answer(EndReason.INTERRUPTED), CUT),
        (answer(EndReason.FAILED), CUT),
        (answer(EndReason.LENGTH, ""), WHOLE),
        (answer(EndReason.FAILED, ""), WHOLE),
        (answer(EndReason.INTERRUPTED, "", receipt=None), "Regenerate Delete"),
        (answer(has_thoughts=True), "Regenerate Details Thoughts Delete"),
        (answer(EndReason.LENGTH, has_thoughts=True), "Regenerate Continue Details Thoughts Delete"),
        (answer(versions=(5, 8)), f"{WHOLE} (◀) (1/2) ▶"),
        (answer(versions=(3, 5)), f"{WHOLE} ◀ (2/2) (▶)"),
        (answer(versions=(3, 5, 8)), f"{WHOLE} ◀ (2/3) ▶"),
    ],
)
async def test_an_answer_has_the_buttons_of_its_state(state: Answer, labels: str) -> None:
    shown = [face.label if face.enabled else f"({face.label})" for face in faces(state)]

    rows = AnswerButtons().end(state).to_components()

    assert " ".join(shown) == labels
    assert [button["label"] for row in rows for button in row["components"]] == labels.translate(
        str.maketrans("", "", "()")
    ).split()
    assert all(len(row["components"]) <= 5 for row in rows)
    assert all(len(button["custom_id"]) <= 100 for row in rows for button in row["components"])


async def test_an_answer_on_its_way_can_be_stopped_and_its_button_names_it() -> None:
    [row] = AnswerButtons().stop("0123abcd").to_components()

    assert [(button["label"], button["custom_id"]) for button in row["components"]] == [
        ("Stop", "answer:stop:0123abcd")
    ]
