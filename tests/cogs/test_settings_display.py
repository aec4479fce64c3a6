"""/settings: how answers are shown, for oneself, a channel and a server."""

from __future__ import annotations

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.display import OPTIONS
from bot.client import Bot
from tests.world import refused, said, texts, thread_in


async def shown(member: MemberActor, channel: ChannelHandle, name: str) -> str:
    """What `/settings show` says of one option, without when it was set."""
    text = said(await member.slash(channel, "settings show"))
    [found] = [line for line in text.splitlines() if line.startswith(f"`{name}`")]
    return found.removeprefix(f"`{name}` ").partition(" <t:")[0]


async def test_what_somebody_chooses_for_themselves_is_for_their_eyes_only(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle
) -> None:
    results = [
        await alice.slash(channel, "settings set", parameter="quiet", value="on", scope="me"),
        await alice.slash(channel, "settings set", parameter="quiet", value="ON", scope="me"),
        await alice.slash(channel, "settings set", parameter="quiet", value="off", scope="me"),
        await alice.slash(channel, "settings reset", parameter="quiet", scope="me"),
    ]

    assert [said(result) for result in results] == [
        "`quiet` is **on** for you now.",
        "`quiet` is **on** for you already.",
        "`quiet` is **off** for you now; it was on.",
        "Reset for you: `quiet` (was off).",
    ]
    assert all(result.ephemeral for result in results)
    assert texts(channel) == []
    assert await shown(bob, channel, "quiet") == "**off**, from the bot's own default"


async def test_ones_own_choice_is_shown_to_oneself_in_every_place(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, guild: GuildHandle
) -> None:
    await alice.slash(channel, "settings set", parameter="ready_after", value="60", scope="me")
    elsewhere = env.create_guild("Elsewhere")
    places = [
        (alice, thread_in(channel, alice)),
        (alice, guild.create_text_channel("other")),
        (elsewhere.add_member(alice.user), elsewhere.create_text_channel("room")),
    ]

    hers = [await shown(member, place, "ready_after") for member, place in places]
    directly = said(await alice.user.slash("settings show"))
    his = await shown(bob, channel, "ready_after")

    assert hers == ["**60**, from your own choice (set by alice"] * 3
    assert "`ready_after` **60**, from your own choice" in directly
    assert his == "**off**, from the bot's own default"


async def test_ones_own_choice_comes_before_the_channels_and_the_servers(
    alice: MemberActor, bob: MemberActor, boss: MemberActor, channel: ChannelHandle
) -> None:
    thread = thread_in(channel, boss)
    everybodys = [
        await boss.slash(channel, "settings set", parameter="quiet", value="on", scope="server"),
        await boss.slash(thread, "settings set", parameter="quiet", value="on"),
    ]
    await alice.slash(channel, "settings set", parameter="quiet", value="off", scope="me")

    assert [said(result) for result in everybodys] == [
        "`quiet` is **on** in this server now.",
        "`quiet` is **on** in this thread now.",
    ]
    assert not any(result.ephemeral for result in everybodys)
    assert await shown(alice, thread, "quiet") == "**off**, from your own choice (set by alice"
    assert await shown(bob, thread, "quiet") == "**on**, from this thread (set by boss"
    assert await shown(bob, channel, "quiet") == "**on**, from this server (set by boss"


async def test_in_a_direct_message_one_chooses_for_it_or_for_oneself(alice: MemberActor) -> None:
    for_here = await alice.user.slash("settings set", parameter="max_messages", value="2")
    for_me = await alice.user.slash("settings set", parameter="quiet", value="on", scope="me")

    assert said(for_here) == "`max_messages` is **2** in this conversation now."
    assert said(for_me) == "`quiet` is **on** for you now."


@pytest.mark.parametrize("name", ["temperature", "max_messages"])
async def test_what_concerns_everybody_can_not_be_set_for_oneself(
    name: str, boss: MemberActor, channel: ChannelHandle
) -> None:
    refusal = await boss.slash(channel, "settings set", parameter=name, value="1", scope="me")

    allowed = "for yourself you can set `quiet` and `ready_after`."
    assert refused(refusal) == f"`{name}` can be set for a channel or a server only; {allowed}"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("quiet", "maybe", "`quiet` takes on or off, not “maybe”."),
        ("ready_after", "-1", "`ready_after` takes a whole number of seconds up to 86400, or off, not “-1”."),
        ("max_messages", "21", "`max_messages` takes a whole number from 1 to 20, not “21”."),
    ],
)
async def test_a_wrong_value_is_refused_with_what_is_allowed(
    name: str, value: str, sentence: str, boss: MemberActor, channel: ChannelHandle
) -> None:
    refusal = await boss.slash(channel, "settings set", parameter=name, value=value)

    assert refused(refusal) == sentence
    assert "default" in await shown(boss, channel, name)


async def test_taking_back_a_channels_settings_leaves_ones_own_choice_alone(
    boss: MemberActor, channel: ChannelHandle
) -> None:
    await boss.slash(channel, "settings set", parameter="quiet", value="on", scope="me")
    await boss.slash(channel, "settings set", parameter="quiet", value="on")
    await boss.slash(channel, "settings set", parameter="max_messages", value="3")

    reset = await boss.slash(channel, "settings reset")

    assert said(reset) == "Reset in this channel: `quiet` (was on), `max_messages` (was 3)."
    assert await shown(boss, channel, "quiet") == "**on**, from your own choice (set by boss"


@pytest.mark.operator(MAX_ANSWER_MESSAGES="3")
async def test_the_operator_chooses_how_long_answers_are_where_nobody_else_does(
    boss: MemberActor, channel: ChannelHandle, guild: GuildHandle
) -> None:
    await boss.slash(channel, "settings set", parameter="max_messages", value="10")

    assert await shown(boss, guild.create_text_channel("other"), "max_messages") == "**3**, from the operator's default"
    assert await shown(boss, channel, "max_messages") == "**10**, from this channel (set by boss"


async def test_options_their_values_and_the_scopes_are_offered(
    env: Env, alice: MemberActor, channel: ChannelHandle
) -> None:
    names = await alice.autocomplete(channel, "settings set", "parameter", "quiet")
    values = {
        name: await alice.autocomplete(channel, "settings set", "value", "", parameter=name, scope="me")
        for name in OPTIONS
    }

    assert [choice["value"] for choice in names] == ["quiet"]
    assert {name: tuple(choice["value"] for choice in found) for name, found in values.items()} == {
        name: option.examples for name, option in OPTIONS.items()
    }
    assert isinstance(env.bot, Bot)
    for name in ("set", "reset"):
        group = env.bot.tree.get_command("settings")
        assert isinstance(group, discord.app_commands.Group)
        command = group.get_command(name)
        assert isinstance(command, discord.app_commands.Command)
        scope = command.get_parameter("scope")
        assert scope is not None
        assert [(choice.name, choice.value) for choice in scope.choices] == [
            (word, word) for word in ("me", "channel", "server")
        ]
