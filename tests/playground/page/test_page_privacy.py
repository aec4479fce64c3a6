"""What of it each visitor is told: what they see, and nothing else."""

from playground.discord import Actor, ChannelHandle, GuildHandle, LoopbackDiscord, Permission
from tests.playground.page.visitor import Visitor
from tests.playground.small_bot import SmallBot


async def test_a_private_answer_is_told_to_nobody_else(
    bot: SmallBot, visitor: Visitor, server: LoopbackDiscord, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    async with visitor.tab(anna) as hers, visitor.tab(ben) as his:
        asked = anna.slash(general, "ask", prompt="Hi", private=True, file=("a.txt", b"secret"))
        own = await hers.until("message", lambda message: message["content"] == "Hi secret!")
        await asked.message(lambda message: message.content == "and more")
        server.delete_message(asked.original)
        assert await hers.until("gone") == {"id": own["id"], "channel": str(general.id)}
        anna.say(general, "for all")
        overheard = await his.heard_until("for all")

    assert own["ephemeral"]
    assert [event for event in overheard if event[0] != "world"] == []
    async with visitor.stream(ben) as his, visitor.stream(anna) as hers:
        told = [(await stream.until("messages"))["messages"] for stream in (his, hers)]
    assert [[message["content"] for message in messages] for messages in told] == [["for all"], ["and more", "for all"]]


async def test_a_hidden_channel_is_told_to_nobody_who_may_not_see_it(
    visitor: Visitor, guild: GuildHandle, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    secret = guild.add_channel("secret")
    secret.overwrite(ben, deny=Permission.VIEW_CHANNEL)
    anna.say(secret, "Old")
    async with visitor.stream(ben) as his:
        world = await his.until("world")
        assert (await his.until("messages"))["messages"] == []
        said = anna.say(secret, "Psst", attachments=[("a.txt", b"x")])
        anna.edit(said, "Psst!")
        anna.delete(said)
        anna.open_thread(secret, "aside")
        anna.say(general, "Hello")
        overheard = await his.heard_until("Hello")
    assert str(secret.id) not in [channel["id"] for channel in world["channels"]]
    assert overheard == []


async def test_a_channel_that_opens_comes_with_its_messages(
    visitor: Visitor, guild: GuildHandle, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    secret = guild.add_channel("secret")
    secret.overwrite(ben, deny=Permission.VIEW_CHANNEL)
    anna.say(secret, "Psst")
    async with visitor.tab(ben) as his:
        secret.overwrite(ben)
        world = await his.until("world")
        assert [channel["name"] for channel in world["channels"]] == ["general", "secret", "Llampost"]
        assert [message["content"] for message in (await his.until("messages"))["messages"]] == ["Psst"]

        secret.overwrite(ben, deny=Permission.VIEW_CHANNEL)
        world = await his.until("world")
        assert [channel["name"] for channel in world["channels"]] == ["general", "Llampost"]


async def test_direct_messages_are_told_to_their_user_only(
    visitor: Visitor, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    async with visitor.tab(anna) as hers, visitor.tab(ben) as his:
        anna.say(anna.dm, "Between us")
        assert (await hers.until("message"))["channel"] == str(anna.dm.id)
        anna.say(general, "Hello")
        assert await his.heard_until("Hello") == []


async def test_a_channel_of_another_server_is_not_told(
    visitor: Visitor, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    other = server.add_guild("Other")
    other.add_member(anna)
    async with visitor.tab(anna) as stream:
        anna.say(other.add_channel(), "Elsewhere")
        anna.say(general, "Hello")
        assert await stream.heard_until("Hello") == []


async def test_typing_is_told_where_it_is_seen(
    bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    async with visitor.tab(anna) as hers, visitor.tab(ben) as his:
        await bot.place(anna.dm).typing()
        told = await hers.until("typing")
        anna.say(general, "Hello")

        assert told == {"channel": str(anna.dm.id), "user": str(bot.application_id)}
        assert "typing" not in [kind for kind, _ in await his.heard_until("Hello")]


async def test_a_form_opens_in_all_tabs_of_who_asked_for_it(
    bot: SmallBot, visitor: Visitor, general: ChannelHandle, anna: Actor, ben: Actor
) -> None:
    async with visitor.tab(anna) as first, visitor.tab(anna) as second, visitor.tab(ben) as his:
        asked = anna.slash(general, "persona edit")
        for stream in (first, second):
            opened = await stream.until("modal")
            assert opened["interaction"] == str(asked.id)
            assert opened["modal"]["title"] == "Edit the persona"
            assert (await stream.next()) == ("settled", {"interaction": str(asked.id), "ok": True, "error": ""})
        anna.say(general, "Hello")
        assert {kind for kind, _ in await his.heard_until("Hello")} <= {"world"}
