from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.messages import Author, Message, Role, StoredMessage
from bot.chat.prompt import Prompt, PromptBuilder, spoken
from bot.chat.tokens import MESSAGE_OVERHEAD, Estimator, estimate
from bot.errors import PromptTooLong

from .parts import ANNA, BERND

THEN = datetime(2026, 1, 2, tzinfo=UTC)
CARLA = Author(3, "Carla")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
AUTHORS = st.sampled_from([ANNA, BERND, CARLA, Author(4, "Anna"), Author(5, "🦙" * 32)])
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@dataclass
class Talk:
    """A place's memory, with a model that counts `rate` tokens for each that the texts let expect."""

    num_ctx: int = 1024
    num_predict: int = 100
    system: str = "Be kind."
    rate: float = 0.8
    calibrated: bool = True
    history: list[StoredMessage] = field(default_factory=list)
    observed: tuple[int, int] | None = None
    jumps: int = 0

    def build(self, author: Author, question: str) -> Prompt:
        builder = PromptBuilder(
            model="tiny", num_ctx=self.num_ctx, num_predict=self.num_predict, estimator=Estimator(self.observed)
        )
        return builder.build(system=self.system, history=self.history, author=author, question=question)

    def count(self, prompt: Prompt) -> int:
        return round(sum(estimate(message.content) + MESSAGE_OVERHEAD for message in prompt.messages) * self.rate)

    def ask(self, author: Author, question: str, answer: str) -> Prompt:
        prompt = self.build(author, question)
        self.jumps += bool(prompt.left_out)
        self.history = self.history[prompt.left_out :]
        count = self.count(prompt)
        asked, said = max(count - prompt.beside_question, 1), round(estimate(answer) * self.rate)
        self._remember(Role.USER, question, author, asked if self.calibrated else None)
        self._remember(Role.ASSISTANT, answer, None, said if self.calibrated else None)
        if self.calibrated:
            self.observed = (prompt.raw_estimate, count)
        return prompt

    def _remember(self, role: Role, text: str, author: Author | None, tokens: int | None) -> None:
        number = self.history[-1].id + 1 if self.history else 1
        tokenizer = None if tokens is None else "tiny"
        self.history.append(StoredMessage(number, role, text, THEN, author, tokens=tokens, tokenizer=tokenizer))


def spoken_by(*messages: tuple[str, Author | None]) -> list[str]:
    return spoken(messages)


def test_system_memory_and_question_come_in_this_order() -> None:
    talk = Talk()
    talk.ask(ANNA, "One?", "1.")

    prompt = talk.build(ANNA, "Two?")

    assert prompt.messages == (
        Message(Role.SYSTEM, "Be kind."),
        Message(Role.USER, "One?"),
        Message(Role.ASSISTANT, "1."),
        Message(Role.USER, "Two?"),
    )
    assert (prompt.window_start, prompt.left_out, prompt.num_predict) == (1, 0, 100)


def test_the_first_prompt_has_no_memory() -> None:
    prompt = Talk().build(ANNA, "One?")

    assert [message.role for message in prompt.messages] == [Role.SYSTEM, Role.USER]
    assert prompt.window_start is None


def test_who_speaks_alone_is_not_named() -> None:
    assert spoken_by(("One?", ANNA), ("1.", None), ("Two?", ANNA)) == ["One?", "1.", "Two?"]


def test_names_begin_with_the_second_speaker() -> None:
    assert spoken_by(("One?", ANNA), ("1.", None), ("Two?", BERND), ("2.", None), ("Three?", ANNA)) == [
        "One?",
        "1.",
        "[Until now Anna was speaking. From here on each message begins with its speaker's name.]\nBernd: Two?",
        "2.",
        "Anna: Three?",
    ]


def test_two_people_of_one_name_are_told_apart() -> None:
    other = Author(9, "Anna")

    *_, second, third, fourth = spoken_by(
        ("1", ANNA), ("2", other), ("3", ANNA), ("4", other), ("5", Author(8, "Anna"))
    )

    assert [second, third, fourth] == ["Anna: 3", "Anna (2): 4", "Anna (3): 5"]


def test_a_new_name_does_not_make_a_new_person() -> None:
    renamed = replace(ANNA, name="Bernd")

    assert spoken_by(("1", ANNA), ("2", BERND), ("3", renamed))[-1] == "Anna: 3"
    assert spoken_by(("1", ANNA), ("2", renamed)) == ["1", "2"]


@given(st.lists(st.tuples(TEXTS, st.none() | AUTHORS)), st.tuples(TEXTS, st.none() | AUTHORS))
def test_a_later_message_never_changes_an_earlier_one(
    messages: list[tuple[str, Author | None]], later: tuple[str, Author | None]
) -> None:
    assert spoken([*messages, later])[:-1] == spoken(messages)


@given(st.lists(st.tuples(st.just("text"), AUTHORS), min_size=2))
def test_each_speaker_has_one_name_and_each_name_one_speaker(messages: list[tuple[str, Author | None]]) -> None:
    texts = spoken(messages)

    names: dict[str, set[int]] = {}
    for text, (_, author) in zip(texts, messages, strict=True):
        if author and text != "text":
            names.setdefault(text.rpartition(": ")[0].rpartition("\n")[2], set()).add(author.id)
    assert all(len(speakers) == 1 for speakers in names.values())
    assert len({author.id for _, author in messages if author}) in {1, len(names), len(names) + 1}


@given(NAMES, NAMES)
def test_a_name_brings_no_line_break_and_no_colon(first: str, second: str) -> None:
    one, two = spoken_by(("one", Author(1, first)), ("two", Author(2, second)))

    note, named = two.split("\n")
    assert one == "one"
    assert note.startswith("[Until now ")
    assert note.endswith(" was speaking. From here on each message begins with its speaker's name.]")
    assert ":" not in note
    assert named.count(":") == 1
    assert named.endswith(": two")
    assert len(two.splitlines()) == 2
    assert 1 <= len(named.removesuffix(": two")) <= 36


@pytest.mark.parametrize("name", ["", " ", ":::", "\n\r\u2028\x85", "\x00"])
def test_who_has_no_name_is_someone(name: str) -> None:
    assert spoken_by(("1", ANNA), ("2", Author(2, name)))[1].endswith("\nSomeone: 2")


TURNS = st.lists(st.tuples(AUTHORS, TEXTS, TEXTS), min_size=1, max_size=25)


@settings(deadline=None)
@given(TURNS, st.integers(256, 2048), st.integers(1, 4096), TEXTS, st.booleans())
def test_a_prompt_fits_its_window_by_our_count_whatever_is_said(
    turns: list[tuple[Author, str, str]], num_ctx: int, num_predict: int, system: str, calibrated: bool
) -> None:
    talk = Talk(num_ctx, num_predict, system, calibrated=calibrated)
    for author, question, answer in turns:
        try:
            prompt = talk.ask(author, question, answer)
        except PromptTooLong as error:
            assert "about" in str(error)  # noqa: PT017  # both outcomes are right, each in its place
            continue
        reckoned = sum(Estimator(talk.observed).message(message.content) for message in prompt.messages)
        assert prompt.estimate <= num_ctx - min(num_predict, num_ctx // 4)
        assert prompt.estimate + prompt.num_predict <= num_ctx
        assert 1 <= prompt.num_predict <= num_predict
        assert calibrated or reckoned <= prompt.estimate


@settings(deadline=None)
@given(TURNS, st.integers(256, 2048), st.sampled_from([0.5, 0.8, 1.0, 1.3]))
def test_a_prompt_fits_its_window_by_the_models_count(
    turns: list[tuple[Author, str, str]], num_ctx: int, rate: float
) -> None:
    """As soon as the model has reported one prompt; before that, only our raw estimate stands between."""
    talk = Talk(num_ctx, num_ctx, rate=rate)
    talk.ask(ANNA, "Please explain to me why the sky is blue.", "Because it is.")
    for author, question, answer in turns:
        try:
            prompt = talk.ask(author, question, answer)
        except PromptTooLong:
            continue
        assert talk.count(prompt) <= num_ctx


@settings(deadline=None)
@given(TURNS, st.integers(256, 2048))
def test_a_prompt_begins_as_the_one_before_until_the_window_jumps(
    turns: list[tuple[Author, str, str]], num_ctx: int
) -> None:
    talk = Talk(num_ctx)
    before: tuple[Message, ...] | None = None
    for author, question, answer in turns:
        try:
            prompt = talk.ask(author, question, answer)
        except PromptTooLong:
            continue
        assert prompt.messages[0] == Message(Role.SYSTEM, "Be kind.")
        assert prompt.messages[1].role is Role.USER
        if before and not prompt.left_out:
            assert prompt.messages[: len(before)] == before
        before = (*prompt.messages, Message(Role.ASSISTANT, answer))


@settings(deadline=None)
@given(TURNS, st.integers(512, 1024), AUTHORS, TEXTS)
def test_the_same_messages_go_with_any_question_that_there_is_room_for_and_with_no_longer_one(
    turns: list[tuple[Author, str, str]], num_ctx: int, author: Author, question: str
) -> None:
    talk = Talk(num_ctx)
    for speaker, *said in turns:
        with suppress(PromptTooLong):
            talk.ask(speaker, *said)
    without_a_word = talk.build(author, "")
    none = without_a_word.estimate - without_a_word.beside_question

    try:
        prompt = talk.build(author, question)
    except PromptTooLong as error:
        found = re.search(r"has about ([0-9,]+) tokens", str(error))
        assert found  # both outcomes are right, each in its place
        assert int(found[1].replace(",", "")) - without_a_word.system - none > without_a_word.room
        return
    more = prompt.estimate - prompt.beside_question - none

    assert (prompt.window_start == without_a_word.window_start) == (more <= without_a_word.room)
    if more <= without_a_word.room:
        assert prompt.messages[:-1] == without_a_word.messages[:-1]


def test_over_many_turns_the_window_jumps_seldom() -> None:
    talk = Talk(num_ctx=4096, num_predict=1024)
    read = sent = 0
    known: tuple[Message, ...] = ()

    for turn in range(400):
        author = (ANNA, BERND)[turn % 3 == 0]
        prompt = talk.ask(author, f"What comes after number {turn}, and why is that so?", f"It is {turn + 1}. " * 5)
        common = sum(1 for one, other in zip(prompt.messages, known, strict=False) if one == other)
        sent += talk.count(prompt)
        read += sum(estimate(message.content) + MESSAGE_OVERHEAD for message in prompt.messages[common:])
        known = prompt.messages

    assert 0 < talk.jumps < 400 / 10
    assert read * 6 < sent


def test_a_question_that_cannot_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(PromptTooLong, match=r"it has about 2,0\d\d tokens, and 924 fit"):
        Talk().build(ANNA, "7" * 2000)


def test_a_long_question_leaves_out_memory_rather_than_the_system_prompt() -> None:
    talk = Talk()
    for number in range(5):
        talk.ask(ANNA, f"{number}" * 80, f"{number}" * 80)

    prompt = talk.build(ANNA, "7" * 880)

    assert prompt.messages == (Message(Role.SYSTEM, "Be kind."), Message(Role.USER, "7" * 880))
    assert (prompt.left_out, prompt.window_start) == (10, None)


def test_sizes_that_another_model_counted_do_not_count() -> None:
    def with_tokenizer(name: str) -> int:
        message = StoredMessage(1, Role.USER, "7" * 100, THEN, ANNA, tokens=5, tokenizer=name)
        return Talk(history=[message]).build(ANNA, "?").beside_question

    assert with_tokenizer("other") - with_tokenizer("tiny") >= 95


def test_calibration_settles_and_does_not_swing() -> None:
    """What is compared with the model's count must not itself be scaled by the comparison before."""
    talk = Talk(rate=0.7)
    ratios = []
    for number in range(6):
        talk.ask(ANNA, f"{number}" * 50, "ok")
        assert talk.observed
        ratios.append(talk.observed[1] / talk.observed[0])

    assert ratios == pytest.approx([0.7] * 6, abs=0.02)
