"""Waiting for one's turn, and messages that are answered together, as people see them."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.messages import Place
from bot.client import Services
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, answers, said

ANSWER = f"Hello there.\n-# {MODEL} · assistant"


async def test_two_quick_messages_are_answered_together_below_the_second(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    guild: GuildHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
) -> None:
    gate = fake.between = Gate(env, before=0)
    await alice.send(channel, f"{me} What is this?")
    second = await alice.send(channel, f"{me} And why?")
    await gate.open()

    assert answers(env, channel) == [ANSWER]
    [answer] = [message for message in channel.history() if message.content == ANSWER]
    assert answer.reference is not None
    assert answer.reference.message_id == second.id
    assert fake.prompts[-1][-1] == ("user", "What is this?\n\nAnd why?")
    remembered = await services.memory.branch(Place(channel.id, guild.id))
    assert [message.content for message in remembered] == ["What is this?\n\nAnd why?", "Hello there."]


async def test_so_are_two_that_wait_in_line(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    gate = fake.between = Gate(env, before=1)
    await bob.send(channel, f"{me} Mine first?")
    await alice.send(channel, f"{me} What is this?")
    await alice.send(channel, f"{me} And why?")
    assert answers(env, channel)[1:] == ["-# Waiting: one other answer comes first."]
    await gate.open()

    assert answers(env, channel) == [ANSWER, ANSWER]
    assert fake.prompts[-1][-1][1].endswith("What is this?\n\nAnd why?")


async def test_two_people_at_the_same_time_are_answered_each(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    gate = fake.between = Gate(env, before=0)
    await alice.send(channel, f"{me} What is this?")
    await bob.send(channel, f"{me} And why?")
    await gate.open()

    assert answers(env, channel) == [ANSWER, ANSWER]


@pytest.mark.parametrize("deleted", [0, 1])
async def test_of_two_messages_on_their_way_to_one_answer_the_other_one_is_asked_when_one_is_deleted(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama, deleted: int
) -> None:
    gate = fake.between = Gate(env, before=0)
    both = [await alice.send(channel, f"{me} What is this?"), await alice.send(channel, f"{me} And why?")]
    await alice.delete(both[deleted])
    await gate.open()

    assert answers(env, channel) == [ANSWER]
    assert fake.prompts[-1][-1] == ("user", ["And why?", "What is this?"][deleted])


@pytest.mark.operator(MAX_PARALLEL_ANSWERS="1")
async def test_who_waits_reads_their_place_and_soon_also_how_long_it_takes(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, guild: GuildHandle, fake: FakeOllama
) -> None:
    other = guild.create_text_channel("other")
    await bob.slash(channel, "ask", prompt="Zero?")
    gate = fake.between = Gate(env, before=1)
    await bob.slash(channel, "ask", prompt="First?")

    waiting = await alice.slash(other, "ask", prompt="Second?")

    assert said(waiting) == "-# alice asked: Second?\n-# Waiting: one other answer comes first, about 5 s."
    await gate.open()
