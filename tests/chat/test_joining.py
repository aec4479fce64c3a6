"""Messages of one person in quick succession: one question, one answer, and nothing of it lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.answers import Control, Question, TextFile
from bot.chat.fairness import Ticket
from bot.chat.joining import TOGETHER, Joining, joined
from bot.chat.messages import Author, EndReason, Image

from .parts import ANNA, BERND, OTHER_PLACE, PLACE, Hold, put_together

FIRST, SECOND = Question(PLACE, ANNA, "What is this?"), Question(PLACE, ANNA, "And why?")


class Asking:
    """Asks at moments of the test's choice."""

    def __init__(self) -> None:
        self.now = 100.0
        self.words = False
        self.joining = Joining(lambda: self.now)

    def ask(self, question: Question, *, control: Control | None = None) -> str:
        """What is asked in the end."""
        ticket = Ticket(question.place, (question.author.id,))
        asked, _ = self.joining.ask(question, ticket, control or Control(), lambda: self.words)
        return asked.text


def test_a_second_message_within_two_seconds_joins_the_first_and_a_third_joins_both() -> None:
    asking = Asking()
    texts = []
    for question in (FIRST, SECOND, replace(SECOND, text="Well?")):
        texts.append(asking.ask(question))
        asking.now += TOGETHER

    assert texts == ["What is this?", "What is this?\n\nAnd why?", "What is this?\n\nAnd why?\n\nWell?"]


@pytest.mark.parametrize(
    "second",
    [
        replace(SECOND, author=BERND),
        replace(SECOND, place=OTHER_PLACE),
        replace(SECOND, persona="pirate"),
        replace(SECOND, private=True),
        replace(SECOND, after=7),
    ],
    ids=["somebody else", "elsewhere", "to another persona", "in private", "about an older answer"],
)
def test_what_differs_in_more_than_its_words_is_a_question_of_its_own(second: Question) -> None:
    asking = Asking()
    asking.ask(FIRST)

    assert asking.ask(second) == "And why?"


def test_what_comes_later_is_a_question_of_its_own() -> None:
    asking = Asking()
    asking.ask(FIRST)
    asking.now += TOGETHER + 0.01

    assert asking.ask(SECOND) == "And why?"


def test_what_comes_after_the_answers_first_words_is_a_question_of_its_own() -> None:
    asking = Asking()
    asking.ask(FIRST)
    asking.words = True

    assert asking.ask(SECOND) == "And why?"


def test_nothing_joins_a_question_that_was_stopped() -> None:
    asking, control = Asking(), Control()
    asking.ask(FIRST, control=control)
    control.stop()

    assert asking.ask(SECOND) == "And why?"


def test_a_person_who_changes_their_name_in_between_is_the_same_person() -> None:
    asking = Asking()
    asking.ask(FIRST)

    assert asking.ask(replace(SECOND, author=Author(ANNA.id, "Anna 🦙"))) == "What is this?\n\nAnd why?"


def test_files_are_joined_in_their_order_and_an_empty_text_adds_nothing() -> None:
    text, image = TextFile("a.txt", "a"), Image("b.png", b"b")

    both = joined(replace(FIRST, text="", files=(text,)), replace(SECOND, files=(image,)))

    assert (both.text, both.files) == ("And why?", (text, image))


@pytest.mark.parametrize("place", ["in its turn", "in line"])
async def test_both_questions_go_to_the_model_and_into_the_memory_once(place: str, tmp_path: Path) -> None:
    async with put_together(tmp_path, parallel=1) as parts:
        hold = Hold()
        parts.fake.between = hold
        if place == "in line":
            other = parts.start("Busy?", author=BERND, place=OTHER_PLACE)
            await hold.reached.wait()
        first = parts.start("What is this?", joins=True)
        await (first.view.waits if place == "in line" else hold.reached).wait()
        second = parts.start("And why?", joins=True)
        assert (await first.task).reason is EndReason.JOINED
        hold.go.set()

        finished = await second.task

        assert finished.reason is EndReason.COMPLETE
        assert parts.fake.prompts[-1][-1] == ("user", "What is this?\n\nAnd why?")
        assert await parts.contents() == ["What is this?\n\nAnd why?", "Hello there."]
        assert await parts.memory.count(PLACE) == 2
        if place == "in line":
            await other.task


async def test_a_question_whose_answer_has_begun_is_answered_by_itself(tmp_path: Path) -> None:
    async with put_together(tmp_path) as parts:
        hold = parts.fake.between = Hold(at=1)
        first = parts.start("What is this?", joins=True)
        await first.view.shows.wait()
        second = parts.start("And why?", joins=True)
        await second.view.waits.wait()
        hold.go.set()

        ends = [(await asked.task).reason for asked in (first, second)]

        assert ends == [EndReason.COMPLETE, EndReason.COMPLETE]
        assert await parts.contents() == ["What is this?", "Hello there.", "And why?", "Hello there."]


async def test_a_command_is_never_joined(tmp_path: Path) -> None:
    async with put_together(tmp_path) as parts:
        hold = parts.fake.between = Hold()
        first = parts.start("What is this?")
        await hold.reached.wait()
        second = parts.start("And why?")
        hold.go.set()

        assert [(await asked.task).reason for asked in (first, second)] == [EndReason.COMPLETE] * 2
