import io

import discord
import pytest

from playground.discord import (
    USUAL,
    Actor,
    ChannelHandle,
    EventKind,
    GuildHandle,
    Intent,
    LoopbackDiscord,
    Permission,
    Settings,
)
from tests.playground.small_bot import SmallBot, running


def code_of(error: pytest.ExceptionInfo[discord.HTTPException]) -> tuple[int, int]:
    return error.value.status, error.value.code


async def test_a_mention_is_heard_and_answered_as_a_reply(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    said = anna.say(general, "hello", mention_bot=True)
    heard = await bot.heard.get()
    assert heard.author.name == "Anna"
    assert heard.content.endswith("hello")

    sent = await heard.reply("yes?")

    [_, stored] = general.messages()
    assert stored.id == sent.id
    assert stored.reply_to == said.id
    assert not stored.pings


async def test_without_the_intent_other_peoples_words_are_empty(
    bot: SmallBot, general: ChannelHandle, anna: Actor
) -> None:
    said = anna.say(general, "between us")
    anna.say(anna.dm, "to you")

    assert (await bot.heard.get()).content == ""
    assert (await bot.heard.get()).content == "to you"
    assert (await bot.place(general).fetch_message(said.id)).content == ""


@pytest.mark.parametrize(("ping_reply", "content"), [(True, "why?"), (False, "")])
async def test_a_reply_is_a_mention_only_with_its_ping(
    ping_reply: bool, content: str, bot: SmallBot, general: ChannelHandle, anna: Actor
) -> None:
    await bot.place(general).send("because")
    assert (await bot.heard.get()).content == "because"

    anna.say(general, "why?", reply_to=general.messages()[0], ping_reply=ping_reply)

    assert (await bot.heard.get()).content == content


@pytest.mark.parametrize("target", ["between us", "{me} to you"])
async def test_a_mention_shows_what_it_replies_to_only_where_that_mentions_the_bot_too(
    target: str, bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    said = anna.say(general, target.format(me=server.mention), attachments=[("a.txt", b"words")])
    anna.say(general, "what is that?", mention_bot=True, reply_to=said)

    first, reply = await bot.heard.get(), await bot.heard.get()
    fetched = await bot.place(general).fetch_message(reply.id)

    assert reply.content.endswith("what is that?")
    for one in (reply, fetched):
        assert one.reference
        assert isinstance(one.reference.resolved, discord.Message)
        shown = one.reference.resolved
        assert (shown.content, len(shown.attachments)) == (first.content, len(first.attachments))
    assert bool(first.content) == ("me" in target)


async def test_what_a_message_replies_to_comes_without_what_that_replies_to(
    bot: SmallBot, general: ChannelHandle, anna: Actor
) -> None:
    first = anna.say(general, "one")
    second = anna.say(general, "two", reply_to=first)
    anna.say(general, "three", reply_to=second)

    *_, third = [await bot.heard.get() for _ in range(3)]

    assert third.reference
    assert isinstance(third.reference.resolved, discord.Message)
    assert third.reference.resolved.reference
    assert third.reference.resolved.reference.resolved is None


async def test_the_intent_gives_the_words() -> None:
    async with LoopbackDiscord(Settings(privileged_intents=Intent.MESSAGE_CONTENT)) as server:
        guild = server.add_guild()
        general = guild.add_channel()
        intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
        async with running(server, SmallBot(intents)) as bot:
            guild.add_member("Anna").say(general, "between us")

            assert (await bot.heard.get()).content == "between us"


async def test_text_is_counted_in_utf16(bot: SmallBot, general: ChannelHandle) -> None:
    await bot.place(general).send("😀" * 1000)

    with pytest.raises(discord.HTTPException) as refused:
        await bot.place(general).send("😀" * 1000 + "x")

    assert code_of(refused) == (400, 50035)
    assert "In content: Must be 2000 or fewer in length." in str(refused.value)


async def test_an_empty_message_is_refused(bot: SmallBot, general: ChannelHandle) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await bot.place(general).send(" \n ")

    assert code_of(refused) == (400, 50006)


async def test_space_around_a_message_is_not_kept(bot: SmallBot, general: ChannelHandle) -> None:
    assert (await bot.place(general).send("\n text ")).content == "text"


async def test_a_file_comes_back_from_the_cdn(bot: SmallBot, general: ChannelHandle) -> None:
    sent = await bot.place(general).send(file=discord.File(io.BytesIO(b"a,b"), "data.csv", description="numbers"))

    assert await sent.attachments[0].read() == b"a,b"
    [stored] = general.messages()
    assert stored.attachments[0].description == "numbers"
    await sent.edit(content="no file", attachments=[])
    assert general.messages()[0].attachments == ()


async def test_an_attachment_of_a_user_can_be_read(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    anna.say(general, "look", mention_bot=True, attachments=[("a.txt", b"words")])

    [attachment] = (await bot.heard.get()).attachments
    assert await attachment.read() == b"words"
    assert attachment.content_type == "text/plain; charset=utf-8"


async def test_a_nonce_prevents_a_second_message(bot: SmallBot, general: ChannelHandle) -> None:
    first = await bot.place(general).send("once", nonce="n1")
    second = await bot.place(general).send("once", nonce="n1")

    assert second.id == first.id
    assert len(general.messages()) == 1


async def test_a_reply_to_nothing_is_refused_unless_told_otherwise(bot: SmallBot, general: ChannelHandle) -> None:
    place = bot.place(general)
    reference = discord.MessageReference(message_id=1, channel_id=general.id)
    with pytest.raises(discord.HTTPException) as refused:
        await place.send("x", reference=reference)
    assert code_of(refused) == (400, 50035)

    reference.fail_if_not_exists = False
    await place.send("x", reference=reference)
    assert general.messages()[0].reply_to is None


async def test_pings_are_what_allowed_mentions_let_through(
    bot: SmallBot, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    role = guild.add_role("Helpers", mentionable=True)
    text = f"@everyone {anna.mention} <@&{role.id}> `{anna.mention}`"
    place = bot.place(general)

    await place.send(text)
    await place.send(text, allowed_mentions=discord.AllowedMentions(users=True))
    await place.send(text, allowed_mentions=discord.AllowedMentions.all())

    none, users, everything = (message.pings for message in general.messages())
    assert not none
    assert users.users == {anna.id}
    assert not users.roles
    assert everything.users == {anna.id}
    assert everything.roles == {role.id}
    # The bot lacks the permission.
    assert not everything.everyone


async def test_an_edit_without_allowed_mentions_pings_again(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    sent = await bot.place(general).send(anna.mention)
    assert not general.messages()[0].pings

    await bot.http.request(
        discord.http.Route("PATCH", "/channels/{channel_id}/messages/{id}", channel_id=general.id, id=sent.id),
        json={"content": f"again {anna.mention}"},
    )

    assert general.messages()[0].pings.users == {anna.id}


async def test_editing_and_deleting(bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle) -> None:
    sent = await bot.place(general).send("a", suppress_embeds=True)
    assert general.messages()[0].suppresses_embeds
    await sent.edit(content="b", suppress=True)
    assert general.messages()[0].suppresses_embeds
    await sent.delete()

    with pytest.raises(discord.NotFound) as missing:
        await bot.place(general).get_partial_message(sent.id).edit(content="c")
    assert code_of(missing) == (404, 10008)
    states = [event.message.content for event in server.events if event.message]
    assert states == ["a", "b", "b"]


async def test_a_users_deletion_is_told(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    said = anna.say(general, "oops")
    await bot.heard.get()
    told = bot.wait_for("raw_message_delete")
    anna.delete(said)

    assert (await told).message_id == said.id


async def test_history_is_paged(bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor) -> None:
    for number in range(120):
        anna.say(general, f"{server.mention} {number}")

    fetched = [message async for message in bot.place(general).history(limit=None)]

    assert len(fetched) == 120
    assert fetched[0].content.endswith("119")


async def test_channels_and_permissions_are_missed_as_in_discord(
    bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle
) -> None:
    place = bot.place(general)
    general.deny_bot(Permission.SEND_MESSAGES)
    with pytest.raises(discord.Forbidden) as mute:
        await place.send("x")
    general.deny_bot(Permission.VIEW_CHANNEL)
    with pytest.raises(discord.Forbidden) as blind:
        await place.send("x")
    general.delete()
    with pytest.raises(discord.NotFound) as gone:
        await place.send("x")

    assert [code_of(error)[1] for error in (mute, blind, gone)] == [50013, 50001, 10003]
    assert server.invalid_requests == 2


async def test_a_locked_thread_takes_nothing(bot: SmallBot, general: ChannelHandle) -> None:
    thread = general.thread("long talk")
    sent = await bot.place(thread).send("x")
    thread.archive()
    with pytest.raises(discord.HTTPException) as archived:
        await sent.edit(content="y")
    await bot.place(thread).send("reopens it")
    thread.archive(locked=True)
    with pytest.raises(discord.HTTPException) as locked:
        await bot.place(thread).send("z")

    assert code_of(archived) == code_of(locked) == (400, 50083)


async def test_a_closed_dm_is_refused(bot: SmallBot, anna: Actor) -> None:
    user = await bot.fetch_user(anna.id)
    await user.send("hello")
    assert anna.dm.messages()[0].content == "hello"

    anna.user.accepts_dms = False
    with pytest.raises(discord.Forbidden) as closed:
        await user.send("still there?")
    assert code_of(closed) == (403, 50007)


async def test_somebody_elses_message_can_be_deleted_but_not_edited(anna: Actor, server: LoopbackDiscord) -> None:
    guild = server.add_guild("Other", bot_permissions=int(USUAL | Permission.MANAGE_MESSAGES))
    general = guild.add_channel()
    said = guild.add_member(anna).say(general, "mine")
    async with running(server, SmallBot()) as bot:
        message = bot.place(general).get_partial_message(said.id)
        with pytest.raises(discord.Forbidden) as refused:
            await message.edit(content="yours")
        await message.delete()

    assert code_of(refused) == (403, 50005)
    assert general.messages() == []


async def test_looking_people_and_places_up(bot: SmallBot, guild: GuildHandle, general: ChannelHandle) -> None:
    ben = guild.add_member("Ben", permissions=Permission.MANAGE_MESSAGES)

    fetched = await bot.fetch_guild(guild.id)
    member = await fetched.fetch_member(ben.id)
    channel = await bot.fetch_channel(general.id)

    assert member.name == "Ben"
    assert (await bot.application_info()).name == "Llampost"
    assert isinstance(channel, discord.TextChannel)
    assert channel.name == "general"
    assert channel.permissions_for(bot.get_guild(guild.id).me).send_messages  # type: ignore[union-attr]


async def test_typing_is_seen(bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle) -> None:
    async with bot.place(general).typing():
        pass

    assert (await server.wait_for(lambda event: event.kind is EventKind.TYPING)).channel is general.model


async def test_an_unknown_route_is_reported(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(discord.NotFound):
        await bot.http.request(discord.http.Route("GET", "/stickers/1"))

    assert server.unknown_routes == ["GET /api/v10/stickers/1"]
    assert "has no route GET /api/v10/stickers/1" in caplog.text
