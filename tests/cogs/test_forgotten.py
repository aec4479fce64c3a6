"""What is deleted in Discord is not remembered, and what belongs to it goes as well."""

from __future__ import annotations

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.messages import Place
from bot.client import Services
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, answers, said, thread_in

SIGNATURE = f"-# {MODEL} · assistant"
ANSWER = f"Hello there.\n{SIGNATURE}"


@pytest.fixture
def place(channel: ChannelHandle, guild: GuildHandle) -> Place:
    return Place(channel.id, guild.id)


async def remembered(services: Services, place: Place) -> list[str]:
    return [message.content for message in await services.memory.branch(place)]


async def test_a_deleted_question_takes_its_answer_along_and_what_was_said_since_stays(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, services: Services, place: Place
) -> None:
    first = await alice.send(channel, f"{me} My secret.")
    await alice.send(channel, f"{me} And now?")

    await alice.delete(first)

    assert answers(env, channel) == [ANSWER]
    assert await remembered(services, place) == ["And now?", "Hello there."]


async def test_a_deleted_answer_is_forgotten_with_its_question_and_all_its_pages(
    env: Env,
    alice: MemberActor,
    boss: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    services: Services,
    place: Place,
) -> None:
    fake.answer = [f"word{number} " for number in range(500)]
    answer = await alice.slash(channel, "ask", prompt="Count")
    assert answer.response
    assert len(answers(env, channel)) > 1

    await boss.delete(answer.response)

    assert answers(env, channel) == []
    assert await remembered(services, place) == []


@pytest.mark.operator(LIMIT_TOKENS_PER_DAY="1000")  # so a moment passes before the answer is on its way
async def test_a_question_that_is_deleted_at_once_leaves_nothing(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, services: Services, place: Place
) -> None:
    for number in range(10):
        question = env.backend.create_message(channel.id, alice.id, f"{me} Secret {number}")
        env.backend.delete_message(channel.id, question.id)
        await env.settle()

    assert answers(env, channel) == []
    assert await remembered(services, place) == []


async def test_many_messages_deleted_at_once_are_all_forgotten(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, services: Services, place: Place
) -> None:
    questions = [await alice.send(channel, f"{me} Question {number}") for number in range(3)]

    env.backend.bulk_delete_messages(channel.id, [question.id for question in questions[:2]])
    await env.settle()

    assert answers(env, channel) == [ANSWER]
    assert await remembered(services, place) == ["Question 2", "Hello there."]


@pytest.mark.parametrize("deleted", [0, 1])
async def test_of_two_messages_that_asked_together_the_other_one_is_answered_anew(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
    deleted: int,
) -> None:
    gate = fake.between = Gate(env, before=0)
    both = [await alice.send(channel, f"{me} What is this?"), await alice.send(channel, f"{me} And why?")]
    await gate.open()

    await alice.delete(both[deleted])

    left = ["And why?", "What is this?"][deleted]
    assert fake.prompts[-1][-1] == ("user", left)
    assert answers(env, channel) == [ANSWER]
    assert await remembered(services, place) == [left, "Hello there."]


@pytest.mark.parametrize("when", ["complete", "on its way"])
async def test_what_was_answered_to_a_part_that_was_deleted_comes_back_with_no_button(
    env: Env,
    alice: MemberActor,
    bob: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
    when: str,
) -> None:
    fake.reply = lambda body: ["To ", f"{body['messages'][-1]['content'].splitlines()}."]
    gate = fake.between = Gate(env, before=0)
    secret, other = [await alice.send(channel, f"{me} My secret."), await alice.send(channel, f"{me} And why?")]
    fake.between = Gate(env, before=1) if when == "on its way" else None
    await gate.open()
    if when == "complete":
        await alice.click(channel.history()[-1], label="Regenerate")
        await bob.send(channel, f"{me} Bob's?")
    fake.between = None

    await alice.delete(secret)

    [page] = [message for message in channel.history() if "And why?" in message.content and message.id > other.id]
    assert page.content == f"To ['And why?'].\n{SIGNATURE}"
    assert [len(row.children) for row in page.components if isinstance(row, discord.ActionRow)] == [3], "no arrows"
    left = await remembered(services, place)
    assert left[:2] == ["And why?", "To ['And why?']."]
    assert left[2:3] == ([] if when == "on its way" else ["Bob's?"])
    shown = await services.memory.answer_in(place, page.id)
    assert shown
    answer = await services.memory.answer(channel.id, shown.id)
    assert answer
    assert answer.versions == (shown.id,)


@pytest.mark.parametrize("deleted", [0, 1])
async def test_of_two_that_wait_together_the_other_one_is_asked(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama, deleted: int
) -> None:
    gate = fake.between = Gate(env, before=1)
    await bob.send(channel, f"{me} Mine first?")
    both = [await alice.send(channel, f"{me} What is this?"), await alice.send(channel, f"{me} And why?")]

    await alice.delete(both[deleted])
    await gate.open()

    assert answers(env, channel) == [ANSWER, ANSWER]
    assert fake.prompts[-1][-1][1].endswith(f"alice: {['And why?', 'What is this?'][deleted]}")
    assert len(fake.asked) == 2


async def test_the_next_question_in_line_knows_nothing_of_one_that_was_deleted_in_its_answer(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.between = Gate(env, before=1)
    first = await alice.send(channel, f"{me} My secret.")
    await bob.send(channel, f"{me} And mine?")
    fake.between = None

    await alice.delete(first)

    assert answers(env, channel) == [ANSWER]
    assert fake.prompts[-1][1:] == [("user", "And mine?")]


async def test_a_version_on_its_way_is_deleted_with_all_others(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama, services: Services, place: Place
) -> None:
    question = await alice.send(channel, f"{me} Why?")
    fake.between = Gate(env, before=1)
    [page] = [message for message in channel.history() if message.content == ANSWER]
    await alice.click(page, label="Regenerate")

    await alice.delete(question)

    assert fake.closed == 1
    assert answers(env, channel) == []
    assert await remembered(services, place) == []
    assert await services.memory.authors(place) == set()


@pytest.mark.parametrize("deleted", ["channel", "thread"])
async def test_what_was_said_in_a_channel_goes_with_it_and_so_do_its_threads(
    env: Env,
    alice: MemberActor,
    guild: GuildHandle,
    channel: ChannelHandle,
    services: Services,
    place: Place,
    deleted: str,
) -> None:
    thread, other = thread_in(channel, alice), guild.create_text_channel("other")
    places = [Place(channel.id, guild.id), Place(thread.id, guild.id, channel.id), Place(other.id, guild.id)]
    for where in (channel, thread, other):
        said(await alice.slash(where, "ask", prompt="Why?"))

    env.backend.delete_channel(thread.id if deleted == "thread" else channel.id)
    await env.settle()

    left = [bool(await remembered(services, where)) for where in places]
    assert left == [deleted == "thread", False, True]


async def test_other_peoples_messages_can_be_deleted_without_any_effect(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, services: Services, place: Place
) -> None:
    await alice.send(channel, f"{me} Why?")
    chatter = await bob.send(channel, "Just talking.")

    await bob.delete(chatter)

    assert answers(env, channel) == [ANSWER]
    assert await remembered(services, place) == ["Why?", "Hello there."]


async def test_a_complete_answer_to_somebody_who_opted_out_stays_when_the_question_is_deleted(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str
) -> None:
    await alice.slash(channel, "privacy opt-out")
    question = await alice.send(channel, f"{me} My secret.")

    await alice.delete(question)

    assert answers(env, channel) == [ANSWER], "nobody knows any more which question it belonged to; README says so"
    assert channel.history()[-1].components == []
