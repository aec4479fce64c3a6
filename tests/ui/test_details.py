"""The words of Details and Replay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.messages import Answer, Author, EndReason, Place, Receipt
from bot.chat.parameters import REGISTRY
from bot.chat.receipts import Details, Repetition
from bot.chat.scopes import Source
from bot.delivery.text import units
from bot.ui.comparison import difference, verdict
from bot.ui.details import details_text

RECEIPT = Receipt(
    "tiny:1b",
    "Pirate",
    2,
    {"temperature": 0.8, "seed": 7, "num_predict": 50, "num_ctx": 4096},
    digest="sha256:0123456789abcdef0123",
    prompt_tokens=1234,
    answer_tokens=50,
    load_seconds=12.345,
    first_text_seconds=15.04,
    total_seconds=17.5,
    waited_seconds=2.04,
    writing_seconds=2.5,
    sources={"model": "this server", "persona": "this thread's channel", "seed": "drawn for this answer"},
    keep_alive="5m",
    think=False,
    remembered=4,
)


def details(receipt: Receipt = RECEIPT, *, before: int = 6, reason: EndReason = EndReason.LENGTH) -> Details:
    answer = Answer(2, Place(1), Author(1, "Anna"), 1, "Why?", "So.", reason, receipt, (2, 5), (9,), None)
    return Details(answer, receipt, before)


def test_everything_is_said_in_one_line_each() -> None:
    assert details_text(details()).splitlines() == [
        "**Details of this answer**, version 1 of 2",
        "- **Model:** tiny:1b (this server), digest `0123456789ab`",
        "- **Persona:** Pirate, version 2 (this thread's channel)",
        (
            "- **Options:** temperature `0.8`, seed `7` (drawn for this answer), num_predict `50`, keep_alive `5m`, "
            "think `off`, num_ctx `4096`"
        ),
        (
            "- **Left to the model:** top_k, top_p, min_p, repeat_penalty, repeat_last_n, presence_penalty, "
            "frequency_penalty, stop"
        ),
        "- **Tokens:** 1,234 in, 50 out, 20 a second",
        "- **Time:** first words after 15 s (2.0 s waiting in line, 12 s loading the model), 18 s in all",
        "- **Memory:** the newest 4 of 6 earlier messages fitted into the context window",
        "- **End:** cut off at the limit of 50 tokens",
    ]


@pytest.mark.parametrize(
    ("sent", "before", "says"),
    [
        (0, 0, "nothing had been said before"),
        (0, 2, "none of the 2 earlier messages fitted into the context window"),
        (2, 2, "all 2 earlier messages fitted into the context window"),
        (2, 0, "2 earlier messages fitted into the context window; some of them are forgotten by now"),
    ],
)
def test_the_memory_is_told_as_it_was(sent: int, before: int, says: str) -> None:
    text = details_text(details(replace(RECEIPT, remembered=sent), before=before))

    assert f"- **Memory:** {says}" in text.splitlines()


def test_what_is_not_known_is_not_made_up() -> None:
    text = details_text(details(Receipt("tiny:1b", "assistant", 0, {}), reason=EndReason.STOPPED))

    assert text.splitlines()[1:3] == ["- **Model:** tiny:1b, digest `unknown`", "- **Persona:** assistant"]
    assert text.splitlines()[-2:] == [
        "- **Tokens:** not counted, because the answer did not come to its end",
        "- **End:** somebody stopped it",
    ]


def test_an_answer_that_went_on_after_a_crash_says_what_was_counted() -> None:
    text = details_text(details(replace(RECEIPT, prompt_tokens=1234, answer_tokens=None)))

    assert "- **Tokens:** 1,234 in; those out were not counted before the answer went on" in text.splitlines()


def test_the_longest_details_fit_into_a_message() -> None:
    longest: dict[str, object] = {name: -1234567.891 for name, entry in REGISTRY.items() if entry.is_option}
    longest |= {"stop": ["`@everyone **" * 3] * 4, "num_ctx": 4_194_304}
    source = max(Source, key=len).value
    sources = dict.fromkeys([*longest, "model", "persona", "keep_alive", "think"], source)
    receipt = replace(
        RECEIPT,
        model="x" * 200,
        persona="_" * 32,
        options=longest,
        sources=sources,
        think="medium",
        keep_alive="1" * 12,
    )

    assert units(details_text(details(receipt, before=10**9))) <= 2000


@given(st.text(), st.text())
def test_texts_are_identical_or_the_first_difference_is_named(then: str, now: str) -> None:
    said = verdict(Repetition(then, now, is_whole=True))

    assert said.startswith("**Identical.**") is (then == now)
    assert units(said) <= 2000
    if then != now:
        place = int(said.removeprefix("**Different** from character ").split(" ")[0].replace(",", ""))
        assert then[: place - 1] == now[: place - 1]
        assert then[:place] != now[:place]


def test_a_text_that_only_ends_earlier_differs_from_there_on() -> None:
    said = verdict(Repetition("One two", "One", is_whole=True)).splitlines()

    assert said[0].startswith("**Different** from character 4 on.")
    assert said[1:3] == ["- Then: “One two”", "- Now: it ends here"]


def test_the_difference_is_given_line_by_line() -> None:
    text = difference(Repetition("a\nb", "a\nc", is_whole=True))

    assert text.splitlines() == ["--- then", "+++ now", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]
