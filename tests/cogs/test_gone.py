"""What stops an answer from outside, and what does not."""

from __future__ import annotations

from collections.abc import Callable

import discord
import pytest
from simcord.actors import MemberActor
from simcord.backend.models import Overwrite
from simcord.builders import ChannelHandle, GuildHandle, RoleHandle
from simcord.enums import OverwriteType
from simcord.env import Env

from bot.client import Bot
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, answers, said, thread_in

SIGNATURE = f"-# {MODEL} · assistant"
VIEW = discord.Permissions(view_channel=True).value


@pytest.fixture
def seer(env: Env, guild: GuildHandle) -> RoleHandle:
    """The bot's own role, the only one by which it sees anything here."""
    hidden = discord.Permissions.all_channel().value & ~VIEW
    env.backend.edit_role(guild.id, guild.default_role.id, {"permissions": hidden})
    return guild.roles[env.backend.bot_user.name]


def hide(env: Env, channel: ChannelHandle) -> None:
    env.backend.set_overwrite(channel.id, Overwrite(env.backend.bot_user.id, OverwriteType.MEMBER, 0, VIEW))


LOSSES: dict[str, Callable[[Env, GuildHandle, ChannelHandle, RoleHandle], object]] = {
    "an overwrite": lambda env, _guild, channel, _seer: hide(env, channel),
    "a role that changes": lambda env, guild, _channel, seer: env.backend.edit_role(
        guild.id, seer.id, {"permissions": 0}
    ),
    "a role that is deleted": lambda env, guild, _channel, seer: env.backend.delete_role(guild.id, seer.id),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("in_thread", [False, True])
async def test_losing_sight_of_the_channel_stops_the_model(
    loss: str,
    in_thread: bool,
    env: Env,
    guild: GuildHandle,
    boss: MemberActor,
    channel: ChannelHandle,
    seer: RoleHandle,
    me: str,
    fake: FakeOllama,
) -> None:
    env.backend.edit_role(guild.id, guild.roles["boss"].id, {"permissions": discord.Permissions.all().value})
    fake.between = Gate(env, before=1)
    await boss.send(thread_in(channel, boss) if in_thread else channel, f"{me} Why?")
    before = fake.closed

    LOSSES[loss](env, guild, channel, seer)
    await env.settle()

    assert (before, fake.closed) == (0, 1)


async def test_changes_that_hide_nothing_stop_nothing(
    env: Env,
    guild: GuildHandle,
    alice: MemberActor,
    bob: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
) -> None:
    role = guild.create_role("team")
    other = guild.create_text_channel("other")
    thread = thread_in(channel, alice)
    fake.between = gate = Gate(env, before=1)
    await alice.send(channel, f"{me} Why?")

    hide(env, other)
    env.backend.edit_role(guild.id, role.id, {"permissions": 0})
    env.backend.add_member_role(guild.id, bob.id, role.id)
    env.backend.remove_member_role(guild.id, bob.id, role.id)
    env.backend.edit_channel(channel.id, {"topic": "All about answers"})
    env.backend.edit_channel(thread.id, {}, thread_metadata={"archived": True})
    env.backend.remove_guild(env.create_guild("Elsewhere").id)
    await env.settle()
    await gate.open()

    assert answers(env, channel) == [f"Hello there.\n{SIGNATURE}"]
    assert fake.closed == 0


CHANGES: dict[str, Callable[[Env, GuildHandle, ChannelHandle, RoleHandle], object]] = {
    "the channel": lambda env, _guild, channel, _role: env.backend.edit_channel(channel.id, {"topic": "Answers"}),
    "a role": lambda env, guild, _channel, role: env.backend.edit_role(guild.id, role.id, {"permissions": 0}),
    "a role that is deleted": lambda env, guild, _channel, role: env.backend.delete_role(guild.id, role.id),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_command_in_a_channel_that_the_bot_never_saw_is_answered_whatever_changes(
    change: str, env: Env, guild: GuildHandle, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    role = guild.create_role("team")
    hide(env, channel)
    fake.between = gate = Gate(env, before=1)
    answer = await alice.slash(channel, "ask", prompt="Why?")

    CHANGES[change](env, guild, channel, role)
    await env.settle()
    await gate.open()

    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"
    assert fake.closed == 0


@pytest.mark.parametrize("change", ["archived", "locked"])
async def test_a_thread_that_is_closed_stops_the_model(
    change: str, env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    thread = thread_in(channel, alice)
    fake.between = Gate(env, before=1)
    await alice.send(thread, f"{me} Why?")

    env.backend.edit_channel(thread.id, {}, thread_metadata={change: True})
    await env.settle()

    assert fake.closed == 1


async def test_a_server_that_throws_the_bot_out_stops_the_model(
    env: Env, guild: GuildHandle, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.between = Gate(env, before=1)
    await alice.send(channel, f"{me} Why?")

    env.backend.remove_guild(guild.id)
    await env.settle()

    assert fake.closed == 1


async def test_a_thread_that_was_closed_and_opened_again_is_answered_to_the_end(
    env: Env, alice: MemberActor, channel: ChannelHandle, simcord_bot: Bot
) -> None:
    """What went away once is no reason to stop what comes later, even where a message had the id of a thread."""
    simcord_bot.services.deliveries.withdraw({channel.id})

    answer = await alice.slash(channel, "ask", prompt="Why?")

    assert said(answer).endswith(f"Hello there.\n{SIGNATURE}")
