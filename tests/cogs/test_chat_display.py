"""How people choose to be shown their answers: quiet ones, and the note that one is ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.backend.models import Overwrite
from simcord.builders import ChannelHandle
from simcord.enums import OverwriteType
from simcord.env import Env

from bot.ui.notice import WORDS
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, answers, said, texts, written

SIGNATURE = f"-# {MODEL} · assistant"
VIEW = discord.Permissions(view_channel=True).value


async def choose(member: MemberActor, channel: ChannelHandle, **wanted: str) -> None:
    """Set something for oneself."""
    for name, value in wanted.items():
        await member.slash(channel, "settings set", parameter=name, value=value, scope="me")


def contents(env: Env, since: int) -> list[str]:
    """The text of everything that was written since then, but for what each person is told once."""
    return [body["content"] for body in written(env)[since:] if body["content"] not in WORDS.values()]


async def test_a_quiet_answer_to_a_mention_is_written_once_when_it_is_complete(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await choose(alice, channel, quiet="on")
    fake.between = gate = Gate(env, before=1)
    before = len(written(env))
    await alice.send(channel, f"{me} Why?")

    await env.advance_time(20)
    meanwhile = contents(env, before)
    typing = [entry for entry in env.http_requests if entry.path.endswith("/typing")]
    await gate.open()

    assert meanwhile == []
    assert len(typing) == 3  # Discord shows each for ten seconds
    assert contents(env, before) == [f"Hello there.\n{SIGNATURE}"]
    assert answers(env, channel) == [f"Hello there.\n{SIGNATURE}"]


async def test_a_quiet_answer_to_a_command_is_thinking_until_it_is_complete(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await choose(alice, channel, quiet="on")
    fake.between = gate = Gate(env, before=1)
    before = len(written(env))
    answer = await alice.slash(channel, "ask", prompt="Why?")

    await env.advance_time(20)
    meanwhile = (answer.deferred, contents(env, before))
    await gate.open()

    assert meanwhile == (True, [])
    assert contents(env, before) == [f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"]
    assert said(answer) == contents(env, before)[0]


async def test_a_private_answer_stays_private_when_it_is_quiet(
    env: Env, alice: MemberActor, channel: ChannelHandle
) -> None:
    await choose(alice, channel, quiet="on")

    answer = await alice.slash(channel, "ask", prompt="Why?", private=True)

    assert answer.ephemeral
    assert said(answer) == f"Hello there.\n{SIGNATURE}"
    assert texts(channel) == []


async def test_the_answers_of_others_are_not_quiet(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await choose(alice, channel, quiet="on")
    fake.between = gate = Gate(env, before=1)

    answer = await bob.slash(channel, "ask", prompt="Why?")
    await env.advance_time(2)
    meanwhile = said(answer)
    await gate.open()

    assert meanwhile == "-# bob asked: Why?\nHello\n-# Writing…"


async def test_a_quiet_answer_that_takes_too_long_for_discord_goes_on_aloud(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await choose(alice, channel, quiet="on")
    fake.between = gate = Gate(env, before=1)
    answer = await alice.slash(channel, "ask", prompt="Why?")

    await env.advance_time(14 * 60)
    meanwhile = said(answer)
    await gate.open()

    assert meanwhile == "-# alice asked: Why?\nHello\n-# Writing…"
    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"


def notes(env: Env) -> list[dict[str, Any]]:
    return [body for body in written(env) if "Your answer is ready" in body.get("content", "")]


@pytest.mark.parametrize("by_mention", [False, True])
async def test_the_end_of_a_slow_answer_is_announced_to_its_asker_alone(
    by_mention: bool, env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await choose(alice, channel, ready_after="60")
    fake.answer = ["word "] * 900
    fake.between = gate = Gate(env, before=1)
    if by_mention:
        await alice.send(channel, f"{me} Talk.")
    else:
        await alice.slash(channel, "ask", prompt="Talk.")

    await env.advance_time(70)
    too_early = notes(env)
    await gate.open()

    [*_, note] = channel.history()
    bot = env.bot.user
    assert bot is not None
    first = next(message for message in channel.history() if message.author.id == bot.id)
    assert too_early == []
    assert len(notes(env)) == 1
    assert note.content.endswith(f"Your answer is ready: {first.jump_url}")
    stored = env.backend.messages[channel.id][note.id]
    assert (set(stored.ping_user_ids), set(stored.ping_role_ids)) == ({alice.id}, set())
    [body] = notes(env)
    assert body["allowed_mentions"]["parse"] == []


@pytest.mark.parametrize(("seconds", "private"), [(50, False), (70, True)])
async def test_neither_a_quick_nor_a_private_answer_is_announced(
    seconds: int, private: bool, env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await choose(alice, channel, ready_after="60")
    fake.between = gate = Gate(env, before=1)
    await alice.slash(channel, "ask", prompt="Why?", private=private)

    await env.advance_time(seconds)
    await gate.open()

    assert notes(env) == []
    assert fake.closed == 0


def last_answer(env: Env, channel: ChannelHandle) -> int:
    """The id of the bot's newest message."""
    assert env.bot.user is not None
    return max(message.id for message in channel.history() if message.author.id == env.bot.user.id)


def fails(fake: FakeOllama) -> None:
    fake.error_line = "llama runner process has terminated"


ENDS: dict[str, Callable[[Env, ChannelHandle, int, FakeOllama], object]] = {
    "the answer is deleted": lambda env, channel, _question, _fake: env.backend.delete_message(
        channel.id, last_answer(env, channel)
    ),
    "the question is deleted": lambda env, channel, question, _fake: env.backend.delete_message(channel.id, question),
    "the channel is hidden": lambda env, channel, _question, _fake: env.backend.set_overwrite(
        channel.id, Overwrite(env.backend.bot_user.id, OverwriteType.MEMBER, 0, VIEW)
    ),
    "the model fails": lambda _env, _channel, _question, fake: fails(fake),
    "the answer turns out to be gone": lambda env, _channel, _question, _fake: env.inject_error(
        "PATCH", "/channels/*/messages/*", status=404, code=10008
    ),
}


@pytest.mark.parametrize("end", ENDS)
async def test_nothing_is_announced_where_there_is_no_complete_answer_to_be_seen(
    end: str, env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await choose(alice, channel, ready_after="60")
    fake.between = gate = Gate(env, before=1)
    question = await alice.send(channel, f"{me} Why?")
    await env.advance_time(70)

    ENDS[end](env, channel, question.id, fake)
    await env.settle()
    await gate.open()

    assert notes(env) == []


async def test_the_wish_of_one_person_announces_nothing_to_another(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await choose(alice, channel, ready_after="60")
    fake.between = gate = Gate(env, before=1)
    await bob.send(channel, f"{me} Why?")

    await env.advance_time(70)
    await gate.open()

    assert notes(env) == []
