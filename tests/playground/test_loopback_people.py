"""What people may do and see, checked as their app checks it."""

import pytest

from playground.discord import (
    USUAL,
    Actor,
    ChannelHandle,
    GuildHandle,
    LoopbackDiscord,
    Permission,
    RefusedByClientError,
)
from tests.playground.small_bot import SmallBot

NO_THREADS = int(USUAL & ~Permission.CREATE_PUBLIC_THREADS)


async def test_a_thread_that_somebody_opens_reaches_the_bot(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    said = anna.say(general, "To be or not to be")
    told = bot.wait_for("thread_create")

    opened = anna.open_thread(general, "to be", said)

    thread = await told
    assert (thread.id, thread.name, thread.owner_id, thread.parent_id) == (said.id, "to be", anna.id, general.id)
    anna.say(opened, "Here")
    await bot.place(opened).send("I see")
    assert [message.content for message in opened.messages()] == ["Here", "I see"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
async def test_a_thread_needs_a_name_that_fits(name: str, general: ChannelHandle, anna: Actor) -> None:
    with pytest.raises(RefusedByClientError, match="1 to 100 characters"):
        anna.open_thread(general, name)


async def test_a_thread_is_refused_where_there_can_be_none(
    guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    thread = anna.open_thread(general, "aside")
    elsewhere = anna.say(guild.add_channel("code"), "x")
    for place in (thread, anna.dm):
        with pytest.raises(RefusedByClientError, match="text channel only"):
            anna.open_thread(place, "aside")
    with pytest.raises(RefusedByClientError, match="everybody here sees"):
        anna.open_thread(general, "aside", elsewhere)
    guild.set_permissions(guild.everyone, NO_THREADS)
    with pytest.raises(RefusedByClientError, match="Anna lacks the permission Create Public Threads here"):
        anna.open_thread(general, "aside")


async def test_a_locked_thread_is_for_those_who_manage_threads(
    guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    thread = general.thread("talk")
    thread.archive(locked=True)
    mia = guild.add_member("Mia", permissions=Permission.MANAGE_THREADS)

    with pytest.raises(RefusedByClientError, match="locked"):
        anna.say(thread, "Let me in")

    mia.say(thread, "I may")
    assert (thread.model.archived, thread.model.locked) == (False, True)


async def test_a_post_reopens_an_archived_thread_unless_it_is_refused(general: ChannelHandle, anna: Actor) -> None:
    thread = general.thread("talk")
    thread.archive()

    with pytest.raises(RefusedByClientError):
        anna.say(thread, "")
    assert thread.model.archived

    anna.say(thread, "Again")
    assert not thread.model.archived


async def test_files_and_replies_need_their_permissions(
    guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    said = anna.say(general, "x")
    guild.set_permissions(guild.everyone, int(Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES))

    with pytest.raises(RefusedByClientError, match="Attach Files"):
        anna.say(general, attachments=[("a.txt", b"x")])
    with pytest.raises(RefusedByClientError, match="Read Message History"):
        anna.say(general, "y", reply_to=said)
    assert len(general.messages()) == 1


async def test_who_may_not_write_is_told_so(general: ChannelHandle, anna: Actor) -> None:
    general.overwrite(anna, deny=Permission.SEND_MESSAGES)

    with pytest.raises(RefusedByClientError, match="Anna may not write here"):
        anna.say(general, "x")


async def test_a_file_of_a_command_may_not_be_too_large(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    with pytest.raises(RefusedByClientError, match="is too large"):
        anna.slash(general, "ask", prompt="x", file=("a.bin", bytes(server.settings.max_file_bytes + 1)))


async def test_messages_channels_and_interactions_are_found_by_those_who_see_them(
    bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    ben = guild.add_member("Ben")
    stranger = server.add_user("Sam")
    asked = anna.slash(general, "ask", prompt="Hi", private=True)
    secret = await asked.message()
    said = anna.say(general, "x")

    assert anna.message(secret.id).id == secret.id
    assert ben.message(said.id) == said
    assert anna.channel(general.id) == general
    assert anna.asked(asked.id).interaction is asked.interaction
    for refused in (
        lambda: ben.message(secret.id),
        lambda: stranger.message(said.id),
        lambda: stranger.channel(general.id),
        lambda: ben.channel(anna.dm.id),
        lambda: ben.asked(asked.id),
        lambda: ben.message(1),
    ):
        with pytest.raises(RefusedByClientError, match=r"(sees|began) no such"):
            refused()
