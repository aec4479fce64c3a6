"""What real discord.py does about each kind of trouble that the loopback Discord can make."""

import asyncio

import aiohttp
import discord
import pytest
from discord.http import Route

from playground.discord import Actor, Asked, ChannelHandle, EventKind, GuildHandle, LoopbackDiscord, Settings
from tests.playground.raw_client import raw_client
from tests.playground.small_bot import SmallBot

SERVER_ERRORS = (500, 502, 503, 504)


def webhook_of(bot: SmallBot, asked: Asked) -> discord.Webhook:
    return discord.Webhook.partial(bot.application_id or 0, asked.interaction.token, client=bot)


async def edit_by_token(bot: SmallBot, asked: Asked, text: str) -> object:
    return await webhook_of(bot, asked).edit_message(asked.original.id, content=text)


async def answered(general: ChannelHandle, anna: Actor) -> Asked:
    asked = anna.slash(general, "persona use", name="poet")
    await asked.message()
    return asked


@pytest.mark.parametrize("after", [False, True])
async def test_an_edit_is_repeated_after_500_502_and_504_but_not_after_503(
    after: bool, bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle
) -> None:
    places = {status: guild.add_channel(str(status)) for status in SERVER_ERRORS}
    sent = [await bot.place(place).send("a") for place in places.values()]
    for status, place in places.items():
        server.faults.fail("PATCH", f"/channels/{place.id}/", status=status, after=after)

    outcomes = await asyncio.gather(*(message.edit(content="b") for message in sent), return_exceptions=True)

    raised = [status for status, outcome in zip(places, outcomes, strict=True) if isinstance(outcome, Exception)]
    assert raised == [503]
    assert isinstance(outcomes[2], discord.DiscordServerError)
    shown = {status: place.messages()[0] for status, place in places.items()}
    assert {status: message.content for status, message in shown.items()} == {
        500: "b",
        502: "b",
        503: "b" if after else "a",
        504: "b",
    }
    assert {shown[status].edits for status in (500, 502, 504)} == {2 if after else 1}


async def test_by_token_an_edit_is_repeated_after_every_server_error(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    asked = {status: await answered(general, anna) for status in SERVER_ERRORS}
    for status, one in asked.items():
        server.faults.fail("PATCH", f"/webhooks/.*{one.interaction.token}", status=status)

    await asyncio.gather(*(edit_by_token(bot, one, "b") for one in asked.values()))

    assert {one.original.content for one in asked.values()} == {"b"}


async def test_a_repeated_post_is_one_message_because_discord_py_sends_a_nonce(
    bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle
) -> None:
    bare, marked = guild.add_channel("bare"), guild.add_channel("marked")
    server.faults.fail("POST", "/messages$", status=502, times=2, after=True)
    without = Route("POST", "/channels/{channel_id}/messages", channel_id=bare.id)

    await asyncio.gather(bot.http.request(without, json={"content": "x"}), bot.place(marked).send("x"))

    assert (len(bare.messages()), len(marked.messages())) == (2, 1)


async def test_a_callback_whose_answer_was_an_error_seems_to_be_answered_already(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    server.faults.fail("POST", "/callback", status=503, after=True)

    asked = anna.slash(general, "late")

    assert await bot.outcome == (400, 40060)
    assert asked.original.content == "late"


@pytest.mark.parametrize(("after", "content"), [(False, "a"), (True, "b")])
async def test_a_connection_that_breaks_during_an_edit_is_not_repeated(
    after: bool, content: str, bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    asked = await answered(general, anna)
    await edit_by_token(bot, asked, "a")
    sent = await bot.place(general).send("a")
    fault = server.faults.drop("PATCH", "/messages/", times=2, after=after)

    with pytest.raises(aiohttp.ClientError):
        await sent.edit(content="b")
    with pytest.raises(aiohttp.ClientError):
        await edit_by_token(bot, asked, "b")

    assert fault.hits == 2
    assert {message.content for message in general.messages()} == {content}


async def test_a_connection_that_breaks_after_a_deletion_makes_the_message_unknown(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    """aiohttp itself repeats what it takes for harmless to repeat."""
    sent = await bot.place(general).send("a")
    server.faults.drop("DELETE", "/messages/", after=True)

    with pytest.raises(discord.NotFound) as missing:
        await sent.delete()

    assert missing.value.code == 10008


async def test_an_answer_can_be_lost_after_the_call_took_effect(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    server.faults.drop("POST", r"/messages$", after=True)

    with pytest.raises(aiohttp.ClientError):
        await bot.place(general).send("once", nonce="n")
    await bot.place(general).send("once", nonce="n")

    assert len(general.messages()) == 1


async def test_discord_py_waits_out_a_429(bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle) -> None:
    fault = server.faults.rate_limit("POST", r"/messages$", retry_after=0.01, times=2)

    await bot.place(general).send("patient")

    assert fault.hits == 2
    assert server.rate_limit_hits == 2
    assert [message.content for message in general.messages()] == ["patient"]


async def test_discord_py_gives_up_after_five_429s(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    fault = server.faults.rate_limit("POST", r"/messages$", retry_after=0.01, times=9)

    with pytest.raises(discord.HTTPException) as refused:
        await bot.place(general).send("impatient")

    assert refused.value.status == 429
    assert fault.hits == 5


async def test_a_hidden_limit_leaves_the_headers_as_they_were(server: LoopbackDiscord, general: ChannelHandle) -> None:
    server.faults.rate_limit("POST", r"/messages$", retry_after=1.5, scope="shared")
    async with raw_client(server) as raw:
        refused = await raw.post(general)

    assert (refused.status, refused.remaining) == (429, 4)
    assert refused.body["retry_after"] == 1.5
    assert refused.headers["Retry-After"] == "2"
    assert refused.headers["X-RateLimit-Scope"] == "shared"
    # Only a shared limit's refusals do not count towards a ban.
    assert (server.rate_limit_hits, server.invalid_requests) == (1, 0)


async def test_a_global_429_holds_up_every_other_call(
    bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle
) -> None:
    server.faults.rate_limit("POST", f"/channels/{general.id}/", retry_after=0.2, scope="global")
    refused = asyncio.create_task(bot.place(general).send("first"))
    limited = await server.wait_for(lambda event: event.kind is EventKind.RATE_LIMITED)
    # The bot must have read the answer before its next call begins.
    while bot.http._global_over.is_set():  # noqa: ASYNC110 # discord.py announces it nowhere
        await asyncio.sleep(0)

    await bot.place(guild.add_channel("other")).send("second")
    await refused

    assert all(call.at - limited.at >= 0.2 for call in list(server.calls)[-2:])


async def test_a_ban_is_raised_at_once(bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle) -> None:
    fault = server.faults.ban("POST", r"/messages$")

    with pytest.raises(discord.HTTPException) as banned:
        await bot.place(general).send("x")

    assert banned.value.status == 429
    assert fault.hits == 1
    assert general.messages() == []


async def test_a_slow_answer_can_come_long_after_the_effect(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    sent = await bot.place(general).send("a")
    server.faults.slow("PATCH", "/messages/", seconds=0.05, after=True)

    edit = asyncio.create_task(sent.edit(content="b"))
    await server.wait_for(lambda event: event.kind is EventKind.MESSAGE_UPDATE)

    assert not edit.done()
    assert (await edit).content == "b"


async def test_latency_and_slowness_are_measured() -> None:
    async with LoopbackDiscord(Settings(latency=0.02)) as slow, raw_client(slow) as raw:
        place = slow.add_guild().add_channel()
        slow.faults.slow("POST", r"/messages$", seconds=0.03)
        for _ in range(2):
            await raw.post(place)

    first, second = slow.calls
    assert first.seconds >= 0.05
    assert second.seconds >= 0.02
