"""Asking where the place goes away, or Discord says no."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import (
    Gate,
    answers,
    said,
    texts,
    thread_in,
)

SIGNATURE = f"-# {MODEL} · assistant"


async def test_deleting_the_answer_stops_the_model(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = Gate(env, before=1)
    answer = await boss.slash(channel, "ask", prompt="Why?")
    assert answer.response is not None

    await boss.delete(answer.response)

    assert fake.closed == 1
    assert answers(env, channel) == []


async def test_deleting_the_question_stops_the_model_and_takes_the_answer_away(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = Gate(env, before=1)
    question = await alice.send(channel, f"{me} Why?")

    await alice.delete(question)

    assert fake.closed == 1
    assert answers(env, channel) == []


async def test_many_messages_deleted_at_once_stop_the_model_too(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = Gate(env, before=1)
    question = await alice.send(channel, f"{me} Why?")
    chatter = await alice.send(channel, "Never mind.")

    env.backend.bulk_delete_messages(channel.id, [question.id, chatter.id])
    await env.settle()

    assert fake.closed == 1


@pytest.mark.parametrize("where", ["channel", "thread", "channel of the thread"])
async def test_deleting_the_place_stops_the_model(
    where: str, env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    thread = thread_in(channel, alice)
    fake.between = Gate(env, before=1)
    await alice.slash(channel if where == "channel" else thread, "ask", prompt="Why?")

    env.backend.delete_channel(thread.id if where == "thread" else channel.id)
    await env.settle()

    assert fake.closed == 1


async def test_a_question_deleted_while_it_waits_is_never_asked(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = gate = Gate(env, before=1)
    await alice.send(channel, f"{me} First?")
    second = await alice.send(channel, f"{me} Second?")

    await alice.delete(second)
    await gate.open()

    assert len(fake.asked) == 1
    assert answers(env, channel) == [f"Hello there.\n{SIGNATURE}"]


async def test_without_the_permission_to_send_the_person_is_told_privately(
    env: Env, alice: MemberActor, guild: GuildHandle, me: str, fake: FakeOllama
) -> None:
    assert guild.me is not None
    silent = guild.create_text_channel(
        "silent", overwrites={guild.me: discord.PermissionOverwrite(send_messages=False)}
    )

    await alice.send(silent, f"{me} Why?")

    [told] = alice.user.dm_channel.history()
    assert told.content == (
        f"I can't answer you in <#{silent.id}>, because I lack the permission “Send Messages” there. "
        "Please ask a server manager to grant it, or ask me here."
    )
    assert texts(silent) == [f"{me} Why?"]
    assert fake.asked == []


async def test_a_thread_needs_its_own_permission(
    alice: MemberActor, guild: GuildHandle, me: str, fake: FakeOllama
) -> None:
    assert guild.me is not None
    channel = guild.create_text_channel(
        "silent", overwrites={guild.me: discord.PermissionOverwrite(send_messages_in_threads=False)}
    )
    thread = thread_in(channel, alice)

    await alice.send(thread, f"{me} Why?")

    [told] = alice.user.dm_channel.history()
    assert "“Send Messages in Threads”" in told.content
    assert fake.asked == []


async def test_a_permission_that_is_lost_in_mid_answer_stops_the_model(
    env: Env, alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.answer = ["word "] * 900
    fake.between = gate = Gate(env, before=10)
    await alice.send(channel, f"{me} Talk.")

    env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await gate.open()

    assert len(answers(env, channel)) == 1
    asked = len(fake.asked)
    fake.between = None
    fake.answer = ["Short."]
    env.backend.faults.clear()
    await alice.send(channel, f"{me} Still there?")
    assert len(fake.asked) == asked + 1
    assert answers(env, channel)[-1] == f"Short.\n{SIGNATURE}"


async def test_a_discord_that_stumbles_loses_nothing(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    env.inject_error("PATCH", "/webhooks/*", status=500, times=3)

    answer = await alice.slash(channel, "ask", prompt="Why?")

    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"


async def test_a_confirmation_that_gets_lost_doubles_nothing(
    env: Env, alice: MemberActor, channel: ChannelHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord has the response already, but the bot does not hear of it and tries again."""
    request = env._webhook_adapter.request
    lost: list[str] = []

    async def losing_the_first(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # whatever discord.py asks for
        reply = await request(*args, **kwargs)
        if not lost:
            lost.append("once")
            raise ConnectionResetError
        return reply

    monkeypatch.setattr(env._webhook_adapter, "request", losing_the_first)

    answer = await alice.slash(channel, "ask", prompt="Why?")

    assert lost
    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"
    assert len(texts(channel)) == 1


async def test_where_direct_messages_are_closed_too_nobody_is_told(
    env: Env, alice: MemberActor, guild: GuildHandle, me: str, fake: FakeOllama
) -> None:
    assert guild.me is not None
    silent = guild.create_text_channel(
        "silent", overwrites={guild.me: discord.PermissionOverwrite(send_messages=False)}
    )
    env.inject_error("POST", "/users/@me/channels", status=403, code=50007)

    await alice.send(silent, f"{me} Why?")

    assert fake.asked == []
    assert env.errors == []


async def test_a_hint_that_can_not_be_sent_is_let_go(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str
) -> None:
    env.inject_error("POST", "/channels/*/messages", status=400, code=200000)

    await alice.send(channel, me)

    assert texts(channel) == [me]
    assert env.errors == []
