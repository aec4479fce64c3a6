"""Files, mentions, references, nonces and flags, as they travel with posts and edits."""

import io

import discord
import pytest
from discord.http import Route

from playground.discord import Actor, ChannelHandle, LoopbackDiscord, MessageFlag, RateLimits, Settings
from tests.playground.small_bot import SmallBot, running


def file(name: str) -> discord.File:
    return discord.File(io.BytesIO(name.encode()), name)


async def test_an_edit_brings_files_and_says_which_stay(bot: SmallBot, general: ChannelHandle) -> None:
    sent = await bot.place(general).send("a", file=file("first.txt"))
    told = bot.wait_for("raw_message_edit")

    edited = await sent.add_files(file("second.txt"))

    payload = await told
    assert [one["filename"] for one in payload.data["attachments"]] == ["first.txt", "second.txt"]
    assert await edited.attachments[1].read() == b"second.txt"
    assert payload.data["content"] == "a"
    await edited.edit(content="b", attachments=[edited.attachments[1], file("third.txt")])
    assert [one.filename for one in general.messages()[0].attachments] == ["second.txt", "third.txt"]
    await sent.edit(content="c")
    assert len(general.messages()[0].attachments) == 2


async def test_a_token_brings_files_as_well(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "persona use", name="poet")
    original = await asked.message()

    hook = discord.Webhook.partial(bot.application_id or 0, asked.interaction.token, client=bot)
    await hook.edit_message(original.id, content="see file", attachments=[file("answer.md")])

    assert [one.data for one in asked.original.attachments] == [b"answer.md"]


async def test_an_edit_pings_only_when_its_text_is_new(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    sent = await bot.place(general).send(anna.mention)
    await sent.edit(suppress=True)
    assert not general.messages()[0].pings

    told = bot.wait_for("raw_message_edit", check=lambda payload: payload.data["mentions"])
    await sent.edit(content=f"{anna.mention}!", allowed_mentions=discord.AllowedMentions.all())
    assert [user["id"] for user in (await told).data["mentions"]] == [str(anna.id)]

    await sent.edit(content=f"{anna.mention}!!")
    assert not general.messages()[0].pings


async def test_a_reply_brings_what_it_replies_to(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    said = anna.say(general, "why?", mention_bot=True)
    heard = await bot.heard.get()
    await heard.reply("because")

    reply = await bot.heard.get()
    assert reply.type is discord.MessageType.reply
    assert reply.reference
    assert (reply.reference.message_id, reply.reference.channel_id) == (said.id, general.id)
    assert isinstance(reply.reference.resolved, discord.Message)
    anna.delete(said)
    again = await bot.place(general).fetch_message(reply.id)
    assert again.reference
    assert isinstance(again.reference.resolved, discord.DeletedReferencedMessage)


async def test_a_nonce_comes_with_its_message_once_and_finds_nothing_in_the_history(
    bot: SmallBot, general: ChannelHandle
) -> None:
    sent = await bot.place(general).send("a", nonce="n")

    assert (await bot.heard.get()).nonce == sent.nonce == "n"
    assert (await bot.place(general).fetch_message(sent.id)).nonce is None
    told = bot.wait_for("raw_message_edit")
    await sent.edit(content="b")
    assert "nonce" not in (await told).data


async def test_a_nonce_counts_only_if_it_is_enforced(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    server.limits = RateLimits.none()
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=general.id)
    for body in ({"nonce": "n"}, {"nonce": "n"}, {"enforce_nonce": True}, {"enforce_nonce": True}):
        await bot.http.request(route, json={"content": "a"} | body)
    assert len(general.messages()) == 4

    await bot.http.request(route, json={"content": "a", "nonce": "n", "enforce_nonce": True})
    assert len(general.messages()) == 4
    with pytest.raises(discord.HTTPException) as refused:
        await bot.place(general).send("a", nonce="n" * 26)
    assert refused.value.code == 50035


async def test_a_nonce_is_forgotten_after_minutes() -> None:
    async with LoopbackDiscord(Settings(nonce_lifetime=60)) as server, running(server, SmallBot()) as bot:
        general = server.add_guild().add_channel()
        await bot.place(general).send("a", nonce="n")
        server.age(general.messages()[0], 61)

        await bot.place(general).send("a", nonce="n")

    assert len(general.messages()) == 2


async def test_edits_change_only_the_flags_that_discord_lets_them_change(bot: SmallBot, general: ChannelHandle) -> None:
    place = bot.place(general)
    sent = await place.send("a", silent=True, suppress_embeds=True)
    assert sent.flags.suppress_notifications
    assert sent.flags.suppress_embeds

    await place.get_partial_message(sent.id).edit(content="b")
    assert general.messages()[0].suppresses_embeds
    # In discord.py 2.7.1 Message.edit always sends the flag, and by default without it.
    await sent.edit(content="c")

    assert general.messages()[0].flags == MessageFlag.SUPPRESS_NOTIFICATIONS


async def test_no_channel_takes_private_or_loading_messages(bot: SmallBot, general: ChannelHandle) -> None:
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=general.id)
    flags = int(MessageFlag.EPHEMERAL | MessageFlag.LOADING)

    sent = await bot.http.request(route, json={"content": "a", "flags": flags})

    assert sent["flags"] == 0
    assert len(general.messages()) == 1


@pytest.mark.parametrize("by_token", [True, False])
async def test_a_deferred_response_loads_until_its_first_edit(
    by_token: bool, bot: SmallBot, general: ChannelHandle, anna: Actor
) -> None:
    bot.may_answer.clear()
    asked = anna.slash(general, "slow")
    await asked.response()
    placeholder = await bot.heard.get()
    assert placeholder.flags.loading
    told = bot.wait_for("raw_message_edit")

    if by_token:
        hook = discord.Webhook.partial(bot.application_id or 0, asked.interaction.token, client=bot)
        await hook.edit_message(placeholder.id, content="here")
    else:
        await bot.place(general).get_partial_message(placeholder.id).edit(content="here")

    assert (await told).data["flags"] == 0
    assert asked.original.content == "here"
    bot.may_answer.set()
    assert await bot.outcome == (200, 0)
    # The placeholder is filled: what follows is a message of its own.
    assert [message.content for message in asked.followups] == ["slow"]


async def test_a_public_response_outlives_its_token_in_the_channel() -> None:
    async with LoopbackDiscord(Settings(token_lifetime=60)) as server, running(server, SmallBot()) as bot:
        guild = server.add_guild()
        place = guild.add_channel()
        asked = guild.add_member("Anna").slash(place, "persona use", name="poet")
        original = await asked.message()
        hook = discord.Webhook.partial(bot.application_id or 0, asked.interaction.token, client=bot)
        asked.interaction.opened -= 59
        await hook.edit_message(original.id, content="by token")
        asked.interaction.opened -= 2

        with pytest.raises(discord.HTTPException) as dead:
            await hook.edit_message(original.id, content="too late")
        await bot.place(place).get_partial_message(original.id).edit(content="by channel")

    assert (dead.value.status, dead.value.code) == (401, 50027)
    assert asked.original.content == "by channel"
