import asyncio

import discord
import pytest

from playground.discord import (
    Actor,
    ChannelHandle,
    EventKind,
    GuildHandle,
    LoopbackDiscord,
    MessageFlag,
    RefusedByClientError,
    ResponseKind,
)
from tests.playground.raw_client import raw_client
from tests.playground.small_bot import SmallBot


async def test_a_slash_command_thinks_edits_and_follows_up(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    asked = anna.slash(general, "ask", prompt="Hi", file=("a.txt", b"there"))

    thinking = await asked.message(lambda message: message.thinking)
    final = await asked.message(lambda message: message.content == "Hi there!")
    follow_up = await asked.message(lambda message: message.content == "and more")

    assert thinking.id == final.id
    assert not final.thinking
    assert final.edits == 2
    assert [message.id for message in general.messages()] == [final.id, follow_up.id]
    assert asked.followups == [follow_up]
    assert server.unknown_routes == []
    assert server.rate_limit_hits == 0


async def test_a_private_answer_is_reached_by_its_token_only(
    bot: SmallBot, general: ChannelHandle, anna: Actor
) -> None:
    asked = anna.slash(general, "ask", prompt="Hi", private=True)
    await asked.message(lambda message: message.content == "and more")

    with pytest.raises(discord.NotFound) as missing:
        await bot.place(general).get_partial_message(asked.original.id).edit(content="x")

    assert missing.value.code == 10008
    assert asked.original.flags & MessageFlag.EPHEMERAL
    assert asked.original.seen_by == anna.id
    assert general.messages() == []
    assert len(general.messages(hidden=True)) == 2


async def test_a_button_updates_its_message(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "ask", prompt="Hi")
    await asked.message(lambda message: message.content == "and more")

    pressed = anna.click(asked.original, "Stop")
    await pressed.response()

    assert pressed.original.id == asked.original.id
    assert pressed.original.content == "stopped"
    with pytest.raises(RefusedByClientError, match="has no 'Stop'"):
        anna.click(asked.original, "Stop")


async def test_a_select_gives_its_values(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "persona choose")
    await asked.message()

    chosen = anna.select(asked.original, "Which?", ["poet"])

    assert (await chosen.message()).content == "chose poet"
    with pytest.raises(RefusedByClientError):
        anna.select(asked.original, "Which?", ["plumber"])


async def test_a_modal_is_opened_filled_in_and_answered(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "persona edit")
    await asked.response()
    assert asked.modal["title"] == "Edit the persona"

    sent = await anna.submit(asked, {"Prompt": "Be short.", "Tone": "dry"}).message()

    assert sent.content == "saved: Be short. (dry)"
    assert sent.seen_by == anna.id


async def test_an_untouched_modal_keeps_its_defaults(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "persona edit")
    await asked.response()

    assert (await anna.submit(asked, {}).message()).content == "saved: Be kind. ()"


async def test_autocomplete_suggests(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    asked = anna.complete(general, "persona use", "name", "p")

    assert [choice["value"] for choice in await server.choices(asked)] == ["pirate", "poet"]


async def test_a_subcommand_reaches_its_callback(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    assert (await anna.slash(general, "persona use", name="poet").message()).content == "now poet"


async def test_a_command_works_in_direct_messages(bot: SmallBot, anna: Actor) -> None:
    assert (await anna.slash(anna.dm, "persona use", name="poet").message()).channel_id == anna.dm.id


async def test_a_message_can_be_asked_about(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    """The content of the target is there without the message content intent."""
    said = anna.say(general, "To be or not to be")

    asked = anna.message_command(general, "Explain", said)

    assert (await asked.message()).content == "explains: To be or not to be"


async def test_people_roles_and_channels_are_resolved(
    bot: SmallBot, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    role = guild.add_role("Helpers")

    asked = anna.slash(general, "point", user=guild.add_member("Ben"), role=role, channel=general, n=3)

    assert (await asked.message()).content == "Ben Helpers general 3"


async def test_a_command_works_in_a_thread(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    thread = general.thread("talk")

    assert (await anna.slash(thread, "persona use", name="poet").message()).channel_id == thread.id


async def test_components_version_2_are_kept_and_can_ping(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    message = await anna.slash(general, "layout").message()

    assert message.flags & MessageFlag.COMPONENTS_V2
    assert message.components[0]["content"].startswith("# Hello")
    assert message.pings.users == {anna.id}


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("ask", {}),
        ("ask", {"prompt": "x" * 51}),
        ("ask", {"prompt": 3}),
        ("ask", {"prompt": "x", "private": "yes"}),
        ("ask", {"prompt": "x", "colour": "red"}),
        ("persona", {}),
        ("persona sing", {}),
        ("sing", {}),
    ],
)
async def test_the_app_refuses_what_it_would_not_offer(
    command: str, options: dict[str, object], bot: SmallBot, general: ChannelHandle, anna: Actor
) -> None:
    with pytest.raises(RefusedByClientError):
        anna.slash(general, command, **options)


async def test_a_second_answer_is_refused(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "twice")

    assert (await asked.message(lambda message: "40060" in message.content)).content == "first, then 400 40060"


async def test_after_three_seconds_an_interaction_is_unknown(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    bot.may_answer.clear()
    asked = anna.slash(general, "late")
    await bot.was_called.wait()
    asked.interaction.opened -= 3
    bot.may_answer.set()

    assert await bot.outcome == (404, 10062)
    assert asked.interaction.response is None


async def test_a_dead_token_answers_401(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    bot.may_answer.clear()
    asked = anna.slash(general, "slow")
    await asked.response()
    asked.expire()
    bot.may_answer.set()

    assert await bot.outcome == (401, 50027)
    assert server.invalid_requests == 1


@pytest.mark.parametrize("reference", ["1", "original", "@me"])
async def test_a_message_that_is_none_of_the_interactions_is_unknown(
    reference: str, bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    asked = anna.slash(general, "persona use", name="poet")
    await asked.message()

    async with raw_client(server) as raw:
        path = f"/webhooks/{server.settings.bot_id}/{asked.interaction.token}/messages/{reference}"
        answer = await raw.call("GET", path)

    assert (answer.status, answer.body["code"]) == (404, 10008)


async def test_the_first_follow_up_fills_the_placeholder(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "slow")

    message = await asked.message()

    assert message.id == asked.original.id
    assert asked.followups == []
    assert asked.interaction.response is ResponseKind.DEFERRED_MESSAGE


async def test_an_answer_in_a_deleted_channel_is_lost(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    bot.may_answer.clear()
    asked = anna.slash(general, "slow")
    await asked.response()
    gone = asyncio.ensure_future(bot.wait_for("guild_channel_delete"))
    general.delete()
    await gone
    bot.may_answer.set()

    status, code = await bot.outcome
    assert (status, code) == (404, 10003)
    assert not [event for event in server.events if event.kind is EventKind.MESSAGE_UPDATE]
