"""A new version that ends before its first word: the answer before it stays, on the screen as in the memory."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, answers

from .test_answers import HEADER, SIGNATURE, labels, pages, press, told

BEFORE = [f"{HEADER}\nHello there.\n{SIGNATURE}"]
BUTTONS = ["Regenerate", "Details", "Delete"]


async def goes_on(alice: MemberActor, channel: ChannelHandle, fake: FakeOllama) -> list[tuple[str, str]]:
    """What the model reads with the next question, after the system prompt."""
    fake.answer, fake.error_line, fake.thoughts, fake.ending = ["So."], None, [], {"done_reason": "stop"}
    await alice.slash(channel, "ask", prompt="And then?")
    return fake.prompts[-1][1:]


async def test_the_old_answer_is_shown_again_and_the_failure_is_told_to_whoever_pressed(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    fake.error_line, fake.answer = "the model broke", []

    pressed = await press(boss, env, channel, "Regenerate")

    [failure] = told(pressed)
    assert failure.startswith("Ollama failed at this.")
    assert answers(env, channel) == BEFORE
    assert labels(pages(env, channel)[0]) == BUTTONS
    assert await goes_on(alice, channel, fake) == [
        ("user", "Why?"),
        ("assistant", "Hello there."),
        ("user", "And then?"),
    ]


async def test_the_buttons_of_the_old_answer_work_again(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    fake.error_line, fake.answer = "the model broke", []
    await press(alice, env, channel, "Regenerate")
    fake.error_line, fake.answer = None, ["Because."]

    again = await press(alice, env, channel, "Regenerate")

    assert told(again) == []
    assert answers(env, channel) == [f"{HEADER}\nBecause.\n{SIGNATURE}"]
    assert labels(pages(env, channel)[0]) == [*BUTTONS, "◀", "(2/2)", "(▶)"]


@pytest.mark.parametrize(
    ("thoughts", "reason", "sentence"),
    [
        ([], "stop", "The model said nothing. Please ask again, or ask it differently."),
        (
            ["Hm."],
            "length",
            (
                "The model used up the room for its answer, on thinking, and said nothing. "
                "Please ask again, or ask something simpler."
            ),
        ),
    ],
)
async def test_a_model_that_says_nothing_has_not_replaced_what_it_said(
    thoughts: list[str],
    reason: str,
    sentence: str,
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    fake.answer, fake.thoughts, fake.ending = [], thoughts, {"done_reason": reason}

    pressed = await press(alice, env, channel, "Regenerate")

    assert told(pressed) == [sentence]
    assert answers(env, channel) == BEFORE
    assert ("assistant", "Hello there.") in await goes_on(alice, channel, fake)


async def test_stopped_before_its_first_word_nothing_has_changed(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    await alice.slash(channel, "ask", prompt="And then?")
    older, before = pages(env, channel)[0], answers(env, channel)
    fake.between = gate = Gate(env, before=0)
    regenerated = await alice.click(older, label="Regenerate")

    await alice.click(pages(env, channel)[0], label="Stop")
    await gate.open()

    assert told(regenerated) == []
    assert answers(env, channel) == before
    assert labels(pages(env, channel)[0]) == BUTTONS


async def test_what_somebody_deletes_meanwhile_does_not_come_back(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    fake.between = gate = Gate(env, before=0)
    await press(alice, env, channel, "Regenerate")

    await boss.delete(pages(env, channel)[0])
    await gate.open()

    assert answers(env, channel) == []


async def test_a_long_answer_comes_back_with_all_its_pages(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = [f"word{number} " for number in range(400)]
    await alice.slash(channel, "ask", prompt="Why?")
    before = answers(env, channel)
    fake.error_line, fake.answer = "the model broke", []

    await press(alice, env, channel, "Regenerate")

    assert len(before) == 2
    assert answers(env, channel) == before
    assert [labels(page) for page in pages(env, channel)] == [[], BUTTONS]


async def test_an_answer_without_a_word_gives_way_to_how_the_next_one_failed(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = []
    await alice.slash(channel, "ask", prompt="Why?")
    silent = answers(env, channel)
    fake.error_line = "the model broke"

    await press(alice, env, channel, "Regenerate")

    assert f"*The model said nothing. Please ask again, or ask it differently.*\n-# {MODEL}" in silent[0]
    [shown] = answers(env, channel)
    assert "⚠️ Ollama failed at this." in shown
