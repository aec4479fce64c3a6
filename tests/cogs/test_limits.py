"""/limits, and what people hear who have reached one."""

from __future__ import annotations

import re

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.client import Services
from tests.fake_ollama import FakeOllama
from tests.world import answers, refused, said

LIMITED = (
    r"You asked one question within a minute, which is as many as you may\. "
    r"You can ask again in \d+ s \(<t:\d+:R>\)\."
)


async def test_where_nobody_set_anything_nothing_is_limited(alice: MemberActor, channel: ChannelHandle) -> None:
    shown = await alice.slash(channel, "limits show")

    assert refused(shown) == "You may ask **any number of** questions a minute and use **any number of** tokens a day."


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="1", LIMIT_TOKENS_PER_DAY="5000")
async def test_the_operators_limits_are_shown_with_what_was_used(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.ending = {"done_reason": "stop", "prompt_eval_count": 1000, "eval_count": 234}
    await alice.slash(channel, "ask", prompt="Hello?")

    shown = await alice.slash(channel, "limits show")

    assert said(shown) == (
        "You may ask **1** question a minute and use **5,000** tokens a day (1,234 of them used today)."
    )


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="1")
async def test_a_command_too_many_is_refused_to_its_giver_alone_with_when_it_goes_on(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="First?")

    second = await alice.slash(channel, "ask", prompt="Second?")
    other = await bob.slash(channel, "ask", prompt="Mine?")

    assert re.fullmatch(LIMITED, refused(second))
    assert "Hello there." in said(other)
    assert len(fake.asked) == 2


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="1")
async def test_a_long_question_that_is_refused_is_given_back(alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="First?")

    second = await alice.slash(channel, "ask", prompt="long " * 100)

    assert [followup.content for followup in second.followups] == ["Here is your question:"]


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="1")
async def test_a_mention_too_many_is_answered_in_a_direct_message_once(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await alice.send(channel, f"{me} First?")
    for _ in range(3):
        await alice.send(channel, f"{me} Again?")

    told = [message.content for message in alice.user.dm_channel.history() if "You asked" in message.content]
    assert len(told) == 1
    assert re.match(LIMITED, told[0])
    assert len(answers(env, channel)) == 1
    assert len(fake.asked) == 1


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="2", LIMIT_TOKENS_PER_DAY="100")
async def test_who_was_told_of_one_limit_is_told_of_another_one_too(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, guild: GuildHandle, me: str, fake: FakeOllama
) -> None:
    fake.ending = {"done_reason": "stop", "prompt_eval_count": 80, "eval_count": 20}
    staff = guild.create_role("staff")
    carla = guild.add_member(alice.user._env.create_user("carla"), roles=[staff])
    await carla.send(channel, f"{me} First?")
    await carla.send(channel, f"{me} Too many tokens?")
    await boss.slash(channel, "limits set", role=staff, limit="tokens_per_day", value="none")
    for _ in range(3):
        await carla.send(channel, f"{me} Again?")

    told = [message.content.split(".")[0] for message in carla.user.dm_channel.history() if "You " in message.content]
    assert len(fake.asked) == 2
    assert told == [
        "You have used your 100 tokens for today",
        "You asked 2 questions within a minute, which is as many as you may",
    ]


@pytest.mark.operator(LIMIT_TOKENS_PER_DAY="100")
async def test_who_used_up_their_tokens_asks_again_tomorrow(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.ending = {"done_reason": "stop", "prompt_eval_count": 80, "eval_count": 20}
    await alice.slash(channel, "ask", prompt="First?")

    second = await alice.slash(channel, "ask", prompt="Second?")
    await bob.slash(channel, "ask", prompt="Mine?")

    assert refused(second).startswith("You have used your 100 tokens for today. You can ask again in ")
    assert len(fake.asked) == 2


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="1")
async def test_a_role_may_do_more_and_everybody_sees_that_it_was_set(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, guild: GuildHandle, fake: FakeOllama
) -> None:
    staff = guild.create_role("staff")
    done = await boss.slash(channel, "limits set", role=staff, limit="questions_per_minute", value="2")
    again = await boss.slash(channel, "limits set", role=staff, limit="questions_per_minute", value=" 2 ")
    carla = guild.add_member(alice.user._env.create_user("carla"), roles=[staff])
    for _ in range(3):
        last = await carla.slash(channel, "ask", prompt="Hello?")

    assert said(done) == "**staff** may have **2** questions a minute now."
    assert not done.ephemeral
    assert refused(again) == "**staff** may have **2** questions a minute already."
    assert "2 questions within a minute" in refused(last)
    assert len(fake.asked) == 2
    shown = said(await alice.slash(channel, "limits show")).splitlines()
    assert re.fullmatch(r"- staff: \*\*2\*\* questions a minute \(set by boss <t:\d+:R>\)", shown[1])


async def test_limits_can_be_taken_back(boss: MemberActor, channel: ChannelHandle, guild: GuildHandle) -> None:
    staff, guests = guild.create_role("staff"), guild.create_role("guests")
    for role in (staff, guests):
        await boss.slash(channel, "limits set", role=role, limit="tokens_per_day", value="1,000")

    one = await boss.slash(channel, "limits reset", role=staff)
    rest = await boss.slash(channel, "limits reset", limit="tokens_per_day")
    nothing = await boss.slash(channel, "limits reset")

    assert said(one) == "Taken back: staff (1,000 tokens a day)."
    assert said(rest) == "Taken back: guests (1,000 tokens a day)."
    assert refused(nothing) == "Nothing of that was set in this server."


async def test_a_wrong_value_is_refused_with_what_is_allowed(
    boss: MemberActor, channel: ChannelHandle, guild: GuildHandle, services: Services
) -> None:
    refusal = await boss.slash(
        channel, "limits set", role=guild.create_role("staff"), limit="tokens_per_day", value="lots"
    )

    assert refused(refusal) == "`tokens_per_day` takes a whole number from 1 to 1000000000, or none, not “lots”."
    assert await services.limits.of_roles(guild.id) == []
