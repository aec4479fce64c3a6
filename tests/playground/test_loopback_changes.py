"""What happens to a bot's place while it writes: each change is one call, is announced, and is enforced."""

from collections.abc import Awaitable, Callable

import discord
import pytest

from playground.discord import (
    USUAL,
    Actor,
    ChannelHandle,
    EventKind,
    GuildHandle,
    LoopbackDiscord,
    Permission,
    RefusedByClientError,
)
from tests.playground.small_bot import SmallBot, running


async def code_of(call: Awaitable[object]) -> tuple[int, int]:
    with pytest.raises(discord.HTTPException) as refused:
        await call
    return refused.value.status, refused.value.code


def rights_of(bot: SmallBot, guild: GuildHandle, channel: ChannelHandle | None = None) -> discord.Permissions:
    cached = bot.get_guild(guild.id)
    assert cached
    if channel is None:
        return cached.me.guild_permissions
    place = cached.get_channel_or_thread(channel.id)
    assert place
    return place.permissions_for(cached.me)


async def test_a_right_taken_in_the_whole_server_is_announced_with_each_role(
    bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle
) -> None:
    sent = await bot.place(general).send("a")
    own = bot.wait_for("guild_role_update", check=lambda _, role: role.name == "Llampost")

    guild.deny_bot(Permission.SEND_MESSAGES)

    assert not (await own)[1].permissions.send_messages
    assert not rights_of(bot, guild).send_messages
    assert await code_of(bot.place(general).send("b")) == (403, 50013)
    await sent.edit(content="edits need no right of their own")
    guild.allow_bot(Permission.SEND_MESSAGES)
    await bot.place(general).send("c")
    roles = [event.role.name for event in server.events if event.kind is EventKind.GUILD_ROLE_UPDATE and event.role]
    assert roles == ["@everyone", "Llampost", "Llampost"]


async def test_a_role_taken_from_the_bot_is_announced_without_the_members_intent(server: LoopbackDiscord) -> None:
    guild = server.add_guild(bot_permissions=0)
    guild.set_permissions(guild.everyone, int(USUAL & ~Permission.SEND_MESSAGES))
    general = guild.add_channel()
    async with running(server, SmallBot()) as bot:
        writer = guild.add_role("Writer", permissions=Permission.SEND_MESSAGES)
        told = bot.wait_for("member_update")
        guild.set_bot_roles([writer])
        await told
        assert rights_of(bot, guild).send_messages
        await bot.place(general).send("a")

        told = bot.wait_for("member_update")
        guild.set_bot_roles([])

        assert [role.name for role in (await told)[1].roles] == ["@everyone", "Llampost"]
        assert not rights_of(bot, guild).send_messages
        assert await code_of(bot.place(general).send("b")) == (403, 50013)


@pytest.mark.parametrize(
    ("taken", "posting", "editing"),
    [
        (Permission.SEND_MESSAGES, (403, 50013), None),
        (Permission.VIEW_CHANNEL, (403, 50001), (403, 50001)),
    ],
)
async def test_a_right_taken_in_a_channel_is_announced_with_its_overwrites(
    taken: Permission,
    posting: tuple[int, int],
    editing: tuple[int, int] | None,
    bot: SmallBot,
    guild: GuildHandle,
    general: ChannelHandle,
) -> None:
    sent = await bot.place(general).send("a")
    told = bot.wait_for("guild_channel_update")

    general.deny_bot(taken)

    _, changed = await told
    assert [(target.id, int(deny.value)) for target, (_, deny) in overwrites(changed)] == [
        (bot.application_id, int(taken))
    ]
    assert not rights_of(bot, guild, general).send_messages
    assert await code_of(bot.place(general).send("b")) == posting
    if editing:
        assert await code_of(sent.edit(content="b")) == editing
    general.deny_bot(0)
    await sent.edit(content="c")


def overwrites(
    channel: discord.abc.GuildChannel,
) -> list[tuple[discord.abc.Snowflake, tuple[discord.Permissions, discord.Permissions]]]:
    return [(target, overwrite.pair()) for target, overwrite in channel.overwrites.items()]


async def test_files_need_a_right_of_their_own_also_in_an_edit(bot: SmallBot, general: ChannelHandle) -> None:
    sent = await bot.place(general).send("a")
    general.deny_bot(Permission.ATTACH_FILES)

    assert await code_of(sent.edit(attachments=[discord.File(__file__)])) == (403, 50013)
    assert general.messages()[0].attachments == ()


async def test_a_bot_that_is_thrown_out_has_no_access_until_it_is_invited_again(
    bot: SmallBot, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    sent = await bot.place(general).send("a")
    left = bot.wait_for("guild_remove")

    guild.remove_bot()

    assert (await left).id == guild.id
    for call in (
        bot.place(general).send("b"),
        sent.edit(content="b"),
        sent.delete(),
        bot.fetch_channel(general.id),
        bot.fetch_guild(guild.id),
    ):
        assert await code_of(call) == (403, 50001)
    anna.say(general, "Where is it?")
    with pytest.raises(RefusedByClientError):
        anna.slash(general, "ask", prompt="Hi")
    with pytest.raises(AssertionError):
        rights_of(bot, guild)

    joined = bot.wait_for("guild_join")
    guild.invite_bot()
    assert (await joined).id == guild.id
    await sent.edit(content="back")


async def test_a_bot_does_not_hear_of_servers_that_it_left(server: LoopbackDiscord, guild: GuildHandle) -> None:
    guild.remove_bot()
    other = server.add_guild("Other")

    async with running(server, SmallBot()) as bot:
        assert [known.id for known in bot.guilds] == [other.id]


async def test_a_locked_thread_takes_no_posts_and_no_edits(bot: SmallBot, general: ChannelHandle) -> None:
    thread = general.thread("talk")
    sent = await bot.place(thread).send("a")
    told = bot.wait_for("thread_update")

    thread.lock()

    assert (await told)[1].locked
    assert await code_of(bot.place(thread).send("b")) == (403, 160005)
    assert await code_of(sent.edit(content="b")) == (403, 160005)
    thread.reopen()
    await sent.edit(content="c")


async def test_an_archived_thread_takes_no_edits_and_is_reopened_by_a_post(
    bot: SmallBot, general: ChannelHandle
) -> None:
    thread = general.thread("talk")
    sent = await bot.place(thread).send("a")
    told = bot.wait_for("thread_update")

    thread.archive()

    assert (await told)[1].archived
    assert await code_of(sent.edit(content="b")) == (400, 50083)
    await bot.place(thread).send("reopens it")
    assert not thread.model.archived
    await sent.edit(content="c")


async def test_an_archived_thread_that_is_locked_takes_not_even_deletions(
    bot: SmallBot, general: ChannelHandle
) -> None:
    thread = general.thread("talk")
    first, second = await bot.place(thread).send("a"), await bot.place(thread).send("b")
    thread.archive()
    await first.delete()
    thread.archive(locked=True)

    for call in (second.delete(), second.edit(content="c"), bot.place(thread).send("c")):
        assert await code_of(call) == (400, 50083)


async def test_who_manages_threads_writes_in_locked_ones_but_edits_no_archived_ones(server: LoopbackDiscord) -> None:
    guild = server.add_guild(bot_permissions=int(USUAL | Permission.MANAGE_THREADS))
    thread = guild.add_channel().thread("talk")
    async with running(server, SmallBot()) as bot:
        sent = await bot.place(thread).send("a")
        thread.lock()
        await sent.edit(content="b")
        thread.archive(locked=True)

        assert await code_of(sent.edit(content="c")) == (400, 50083)
        await bot.place(thread).send("reopens it")

    assert not thread.model.archived


async def test_deletions_are_announced_and_leave_nothing_behind(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    thread = general.thread("talk")
    sent, aside = await bot.place(general).send("a"), await bot.place(thread).send("a")
    stored = general.messages()[0]
    changes: list[tuple[str, Callable[[], None], discord.Message, int]] = [
        ("raw_message_delete", lambda: server.delete_message(stored), sent, 10008),
        ("raw_thread_delete", thread.delete, aside, 10003),
        ("guild_channel_delete", general.delete, sent, 10003),
    ]
    for event, delete, call, code in changes:
        told = bot.wait_for(event)
        delete()
        await told
        assert await code_of(call.edit(content="b")) == (404, code)


@pytest.mark.parametrize("code", [None, 1001, 4000])
async def test_a_closed_gateway_is_resumed(code: int | None, bot: SmallBot, server: LoopbackDiscord) -> None:
    server.gateway.drop(code)

    await server.wait_for(lambda event: event.kind is EventKind.RESUMED)
