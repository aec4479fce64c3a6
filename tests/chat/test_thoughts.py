"""What becomes of the thoughts of a thinking model on their way through the assistant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.chat.answers import Control, Question, Step
from bot.chat.history import ExportFormat
from bot.chat.messages import EndReason
from bot.chat.scopes import ScopeKind
from bot.chat.thoughts import TrainOfThought
from tests.fake_ollama import MODEL, FakeOllama

from .parts import ANNA, GENERAL, PLACE, Asked, Hold, Parts, View

THINKER = {"context_length": 8192, "capabilities": ["completion", "thinking"]}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def thoughts_of(parts: Parts, asked: Asked) -> str | None:
    [(_, answer_id)] = asked.stored
    found = await parts.memory.thoughts(answer_id)
    return found.text if found else None


def in_the_field(fake: FakeOllama) -> None:
    fake.thoughts, fake.answer = ["\nLet me ", "see.\n"], ["Yes", "."]


def in_tags(fake: FakeOllama) -> None:
    fake.answer = [" <th", "ink>\nLet ", "me see.", "\n</thi", "nk>", "\n\n", "Yes", "."]


def after_the_templates_tag(fake: FakeOllama) -> None:
    fake.models[MODEL] = THINKER | {"template": "{{ .Prompt }}<|assistant|>\n<think>\n{{- end }}\n"}
    fake.answer = ["Let me ", "see.\n</", "think>\n\nYes", "."]


@pytest.mark.parametrize("think", [in_the_field, in_tags, after_the_templates_tag])
async def test_thoughts_go_neither_into_the_text_nor_into_the_memory(
    parts: Parts, think: Callable[[FakeOllama], None]
) -> None:
    think(parts.fake)

    asked = parts.start("Is it so?")
    finished = await asked.task
    await parts.ask("Sure?")

    assert finished.reason is EndReason.COMPLETE
    assert finished.thought_seconds is not None
    assert asked.view.steps[-1] == (Step.THINKING, MODEL)
    assert asked.view.shown == "Yes."
    assert (await parts.contents())[:2] == ["Is it so?", "Yes."]
    assert parts.fake.prompts[1][1:] == [("user", "Is it so?"), ("assistant", "Yes."), ("user", "Sure?")]
    assert await thoughts_of(parts, asked) == "Let me see."


async def test_thoughts_that_leak_from_a_model_that_cannot_but_think_are_taken_back(parts: Parts) -> None:
    parts.fake.models[MODEL] = THINKER
    parts.fake.answer = ["Let me ", "see.", "\n</th", "ink>\n", "\nYes."]

    asked = parts.start("Is it so?")
    finished = await asked.task

    assert asked.view.taken_back == ["Let me see.\n"]
    assert asked.view.shown == "Yes."
    assert await parts.contents() == ["Is it so?", "Yes."]
    assert await thoughts_of(parts, asked) == "Let me see."
    assert finished.receipt is not None
    assert finished.receipt.first_text_seconds is not None


@pytest.mark.parametrize("think", [None, "on"], ids=["can't think", "told to think"])
async def test_only_a_model_that_thinks_unbidden_leaks(parts: Parts, think: str | None) -> None:
    if think:
        parts.fake.models[MODEL] = THINKER
        await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "think", think, by=ANNA)
    parts.fake.answer = ["It ends with\n", "</think>\n", "alone."]

    await parts.ask("How?")

    assert await parts.contents() == ["How?", "It ends with\n</think>\nalone."]


@pytest.mark.parametrize("kind", ExportFormat)
async def test_an_export_holds_no_thoughts(parts: Parts, kind: ExportFormat) -> None:
    in_the_field(parts.fake)
    await parts.ask("Is it so?")

    exported = await parts.history.export(PLACE, kind)

    assert "Yes." in exported
    assert "Let me" not in exported


async def test_thoughts_count_as_tokens_of_the_answer_but_not_of_its_text(parts: Parts) -> None:
    in_the_field(parts.fake)
    parts.fake.ending = {"done_reason": "stop", "eval_count": 500}

    finished = await parts.ask("Is it so?")

    assert finished.receipt is not None
    assert finished.receipt.answer_tokens == 500
    assert [message.tokens for message in await parts.memory.branch(PLACE)][1] is None


async def test_whom_the_model_answered_and_where_is_kept_with_its_thoughts(parts: Parts) -> None:
    in_the_field(parts.fake)
    asked = parts.start("Is it so?")
    await asked.task

    found = await parts.memory.thoughts(asked.stored[0][1])

    assert found is not None
    assert (found.asker_id, found.channel_id) == (ANNA.id, GENERAL)


async def test_an_answer_without_thoughts_has_none(parts: Parts) -> None:
    parts.fake.answer = ["<think>\n\n</think>\n\n", "Yes."]
    asked = parts.start("Is it so?")
    finished = await asked.task

    assert finished.thought_seconds is None
    assert (Step.THINKING, MODEL) not in asked.view.steps
    assert asked.view.shown == "Yes."
    assert await thoughts_of(parts, asked) is None


async def test_an_answer_that_goes_on_was_still_thought_out(parts: Parts) -> None:
    in_the_field(parts.fake)
    parts.fake.ending = {"done_reason": "length"}
    asked = parts.start("Is it so?")
    first = await asked.task
    answer = await parts.memory.answer(GENERAL, asked.stored[0][1])
    assert answer is not None
    parts.fake.thoughts, parts.fake.answer = [], ["\n", "And ", "no."]

    more = await parts.assistant.answer(
        Question(PLACE, ANNA, "Is it so?", more_of=answer), View(), Control(), remembered=lambda *_: None
    )

    assert more.thought_seconds == first.thought_seconds
    assert await parts.contents() == ["Is it so?", "Yes.\nAnd no."]
    assert await thoughts_of(parts, asked) == "Let me see."


async def test_a_private_answer_leaves_no_thoughts_behind(parts: Parts) -> None:
    in_the_field(parts.fake)
    finished = await parts.ask("Between us?", private=True)

    assert finished.thought_seconds is not None
    assert [await parts.memory.thoughts(number) for number in range(5)] == [None] * 5


@pytest.mark.parametrize("pieces", [["<think>", "So, "], ["<think>So, ", "</thin"]])
async def test_stopped_in_the_middle_of_its_thoughts_a_model_leaves_them_and_no_answer(
    parts: Parts, pieces: list[str]
) -> None:
    parts.fake.answer = pieces
    hold = parts.fake.between = Hold(at=2)
    asked = parts.start("Is it so?")
    await hold.reached.wait()
    asked.control.stop()
    finished = await asked.task

    assert finished.reason is EndReason.STOPPED
    assert asked.view.shown == ""
    assert (await thoughts_of(parts, asked) or "").startswith("So,")
    assert await parts.contents() == []


@pytest.mark.parametrize("reason", ["stop", "length"])
async def test_thoughts_that_never_end_are_all_that_there_is(parts: Parts, reason: str) -> None:
    parts.fake.answer = ["<think>", "On and on"]
    parts.fake.ending = {"done_reason": reason}
    asked = parts.start("Is it so?")
    await asked.task

    assert asked.view.shown == ""
    assert await thoughts_of(parts, asked) == "On and on"
    assert await parts.contents() == []


async def test_a_stream_that_breaks_loses_nothing_that_was_held_back(parts: Parts) -> None:
    parts.fake.answer, parts.fake.ending = ["  <thi"], None
    asked = parts.start("Is it so?")
    finished = await asked.task

    assert finished.reason is EndReason.FAILED
    assert asked.view.shown == "  <thi"
    assert await parts.contents() == ["Is it so?", "  <thi"]


@pytest.mark.parametrize("think", ["on", "high"])
async def test_a_server_that_was_told_to_think_tells_thoughts_apart_itself(parts: Parts, think: str) -> None:
    after_the_templates_tag(parts.fake)
    parts.fake.answer = ["Yes."]
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "think", think, by=ANNA)
    asked = parts.start("Is it so?")
    await asked.task

    assert asked.view.shown == "Yes."


def test_how_long_a_model_thinks_is_said_every_five_seconds() -> None:
    clock = Clock()
    train = TrainOfThought(clock)
    said = []
    for _ in range(130):
        said.append(train.take("Hm. "))
        clock.now += 0.1

    assert [seconds for seconds in said if seconds is not None] == [0, 5, 10]
    assert train.seconds == pytest.approx(12.9)


def test_a_train_of_thought_begins_with_its_first_word() -> None:
    clock = Clock()
    train = TrainOfThought(clock)

    said = [train.take("\n"), train.take(" \n")]
    clock.now += 60
    said += [train.take("Hm.\n")]
    clock.now += 1
    said += [train.take("Hm!\n")]

    assert said == [None, None, 0, None]
    assert (train.text, train.seconds) == ("Hm.\nHm!", 1)
