from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.answers import Finished, Limit, Step
from bot.chat.messages import EndReason, Receipt
from bot.delivery import wording
from bot.errors import BadInput, StorageError, StreamBroken
from playground import transcript

DONE = EndReason.COMPLETE


def finished(reason: EndReason = DONE, **more: object) -> Finished:
    return Finished(reason, "llama3.2", "assistant", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "footer"),
    [
        (finished(), "-# llama3.2 · assistant"),
        (finished(EndReason.STOPPED), "-# llama3.2 · assistant · stopped"),
        (
            finished(EndReason.LENGTH, limit=Limit.NUM_PREDICT, num_predict=50),
            (
                "-# llama3.2 · assistant · cut off at the token limit of 50; "
                "`/settings set parameter:num_predict value:100` allows more"
            ),
        ),
        (
            finished(EndReason.LENGTH, limit=Limit.NUM_PREDICT, num_predict=50, is_kept=True, has_text=True),
            (
                "-# llama3.2 · assistant · cut off at the token limit of 50; Continue goes on, "
                "`/settings set parameter:num_predict value:100` allows more"
            ),
        ),
        (
            finished(EndReason.LENGTH, limit=Limit.CONTEXT_WINDOW, num_predict=9),
            (
                "-# llama3.2 · assistant · cut off because this conversation is as long as the model can read; "
                "`/history clear` forgets it and makes room"
            ),
        ),
        (
            finished(left_out=4),
            (
                "-# llama3.2 · assistant · this conversation is longer than the model can read, so it no longer sees "
                "the oldest messages"
            ),
        ),
        (
            finished(EndReason.INTERRUPTED),
            "⚠️ Interrupted by a restart of the bot. Please ask again.\n-# llama3.2 · assistant",
        ),
        (
            finished(EndReason.FAILED, error=StreamBroken("The stream broke.")),
            "⚠️ The stream broke.\n-# llama3.2 · assistant",
        ),
        (finished(error=StorageError("The disk is full.")), "⚠️ The disk is full.\n-# llama3.2 · assistant"),
        (Finished(EndReason.STOPPED), "-# stopped"),
        (Finished(EndReason.FAILED, error=BadInput("No.")), "⚠️ No."),
        (Finished(DONE), ""),
    ],
)
def test_the_footer_says_who_answered_and_what_went_wrong(end: Finished, footer: str) -> None:
    assert wording.footer(end) == footer


@pytest.mark.parametrize("reason", [EndReason.FAILED, DONE], ids=["in place of an answer", "beside a whole answer"])
def test_an_unexpected_error_is_shown_by_its_id_only(reason: EndReason, caplog: pytest.LogCaptureFixture) -> None:
    footer = wording.footer(finished(reason, error=ZeroDivisionError("a secret")))

    found = re.search(r"log as error ([0-9a-f]{8})\.", footer)
    assert found
    assert "secret" not in footer
    assert found[1] in caplog.text
    assert footer.splitlines()[1:] == ["-# llama3.2 · assistant"]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (DONE, "*The model said nothing. Please ask again, or ask it differently.*"),
        (
            EndReason.LENGTH,
            (
                "*The model used up the room for its answer, most likely on thinking, and said nothing. "
                "Please ask again, or ask something simpler.*"
            ),
        ),
    ],
)
def test_an_answer_without_a_word_says_why_there_is_none(reason: EndReason, sentence: str) -> None:
    assert wording.nothing_said(finished(reason)) == sentence


def thought_for(seconds: float, reason: EndReason = DONE) -> Finished:
    receipt = Receipt("llama3.2", "assistant", 0, {}, thought_seconds=seconds)
    return finished(reason, receipt=receipt)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (DONE, "*The model thought, but gave no answer. Please ask again, or ask it differently.*"),
        (
            EndReason.LENGTH,
            (
                "*The model used up the room for its answer, on thinking, and said nothing. "
                "Please ask again, or ask something simpler.*"
            ),
        ),
    ],
)
def test_thoughts_without_an_answer_are_said_to_be_just_that(reason: EndReason, sentence: str) -> None:
    assert wording.nothing_said(thought_for(3, reason)) == sentence


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "1 s"), (12.9, "12 s"), (59.9, "59 s"), (60, "1 min 0 s"), (125, "2 min 5 s")]
)
def test_the_footer_says_how_long_a_model_thought(seconds: float, words: str) -> None:
    assert wording.footer(thought_for(seconds)) == f"-# llama3.2 · assistant · thought for {words}"


@pytest.mark.parametrize(
    ("seconds", "line"), [(0, "-# Thinking…"), (5, "-# Thinking… 5 s"), (65, "-# Thinking… 1 min 5 s")]
)
def test_while_a_model_thinks_a_line_says_for_how_long(seconds: int, line: str) -> None:
    assert wording.step(Step.THINKING, "llama3.2", seconds) == line
    assert transcript.is_status(line)


@pytest.mark.parametrize(("ahead", "words"), [(1, "one other answer comes"), (2, "2 other answers come")])
def test_who_waits_reads_how_many_come_first(ahead: int, words: str) -> None:
    assert wording.waiting(ahead) == f"-# Waiting: {words} first."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "5 s"), (40, "40 s"), (41, "45 s"), (119, "120 s"), (121, "3 min"), (3600, "60 min"), (7201, "3 h")],
)
def test_who_waits_reads_about_how_long_it_takes_where_that_is_known(seconds: float, words: str) -> None:
    assert wording.waiting(2, seconds) == f"-# Waiting: 2 other answers come first, about {words}."


@pytest.mark.parametrize("step", Step)
def test_every_step_is_one_small_line(step: Step) -> None:
    line = wording.step(step, "llama3.2")

    assert line.startswith("-# ")
    assert "\n" not in line
    assert line.endswith(("…", "…)", "time."))


def test_loading_and_reading_name_the_model() -> None:
    assert "Loading llama3.2 into memory" in wording.step(Step.LOADING, "llama3.2")
    assert "llama3.2 is busy reading" in wording.step(Step.READING, "llama3.2")


def test_the_header_says_who_asked_what() -> None:
    assert wording.header("Anna", "Why is\n the sky blue?") == "-# Anna asked: Why is the sky blue?"


@pytest.mark.parametrize(("length", "shortened"), [(300, False), (301, True)])
def test_a_long_question_is_shortened(length: int, shortened: bool) -> None:
    question = "x" * length

    header = wording.header("Anna", question)

    assert wording.is_shortened(question) is shortened
    assert len(header.removeprefix("-# Anna asked: ")) == 300
    assert header.endswith("…") is shortened


@given(st.text(), st.text())
def test_a_header_is_one_line_in_which_nothing_is_markdown(name: str, question: str) -> None:
    header = wording.header(name, question)

    bare = re.sub(r"\\[\\*_~|`<>\[\]()#]", "", header.removeprefix("-# "))
    assert not set(bare) & set("\\*_~|`<>[]()#")
    assert len(header.splitlines()) == 1


def test_an_address_in_a_header_stays_as_it_is() -> None:
    header = wording.header("*Anna*", "See https://example.com/a_b_(c)#d_e and _this_ <http://x.org/_y_>")

    assert header == (r"-# \*Anna\* asked: See https://example.com/a_b_(c)#d_e and \_this\_ \<http://x.org/_y_\>")


@pytest.mark.parametrize("turning", "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_nothing_in_a_header_turns_the_direction_of_the_writing(turning: str) -> None:
    assert wording.header(f"An{turning}na", f"Why{turning}?") == "-# Anna asked: Why?"
