import time

import aiohttp
import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from playground.discord import Actor, ChannelHandle, EventKind, GuildHandle, LoopbackDiscord, Settings
from playground.launch import discord_at
from tests.playground.small_bot import SmallBot, running


async def test_a_dropped_socket_is_resumed_and_nothing_is_missed(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    anna.say(general, "before", mention_bot=True)
    await bot.heard.get()
    server.gateway.drop()
    await server.wait_for(lambda event: event.kind is EventKind.CONNECTION_LOST)
    anna.say(general, "meanwhile", mention_bot=True)

    await server.wait_for(lambda event: event.kind is EventKind.RESUMED)

    assert (await bot.heard.get()).content.endswith("meanwhile")


async def test_op_7_makes_the_bot_resume(bot: SmallBot, server: LoopbackDiscord) -> None:
    server.gateway.reconnect()

    await server.wait_for(lambda event: event.kind is EventKind.RESUMED)


async def test_a_void_session_is_identified_anew(bot: SmallBot, server: LoopbackDiscord) -> None:
    [before] = server.gateway.sessions
    server.gateway.invalidate()

    again = await server.wait_for(
        lambda event: event.kind is EventKind.READY and event.data["session"] != before, timeout=20
    )

    assert list(server.gateway.sessions) == [again.data["session"]]


async def test_a_wrong_token_closes_the_socket(server: LoopbackDiscord) -> None:
    bot = SmallBot()
    with discord_at(server.url):
        async with bot:
            await bot.login(server.token)
            bot.http.token = "wrong"
            with pytest.raises(discord.ConnectionClosed) as closed:
                await bot.connect()

    assert closed.value.code == 4004


async def test_a_wrong_token_does_not_log_in(server: LoopbackDiscord) -> None:
    with discord_at(server.url):
        async with SmallBot() as bot:
            with pytest.raises(discord.LoginFailure):
                await bot.login("wrong")


async def test_an_intent_that_the_application_lacks_is_refused(server: LoopbackDiscord) -> None:
    bot = SmallBot(discord.Intents(guilds=True, message_content=True))

    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(server, bot):
            pass

    refused = await server.wait_for(lambda event: event.kind is EventKind.SESSION_REFUSED)
    assert refused.data["code"] == 4014


async def test_guilds_channels_and_threads_come_and_go(
    bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle
) -> None:
    joined = bot.wait_for("guild_join")
    other = server.add_guild("Other")
    assert (await joined).name == "Other"

    created = bot.wait_for("guild_channel_create")
    channel = other.add_channel("news")
    assert (await created).name == "news"

    threaded = bot.wait_for("thread_create")
    thread = channel.thread("talk")
    assert (await threaded).parent_id == channel.id

    removed = bot.wait_for("thread_delete")
    thread.delete()
    assert (await removed).id == thread.id

    left = bot.wait_for("guild_remove")
    other.remove_bot()
    assert (await left).id == other.id


async def test_a_channel_that_the_bot_cannot_see_is_silent(
    bot: SmallBot, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    hidden = guild.add_channel("hidden")
    hidden.deny_bot(1 << 10)

    anna.say(hidden, "secret", mention_bot=True)
    anna.say(general, "open", mention_bot=True)

    assert (await bot.heard.get()).content.endswith("open")


async def test_registered_commands_keep_their_ids(bot: SmallBot, server: LoopbackDiscord) -> None:
    before = {command.name: command.id for command in await bot.tree.fetch_commands()}

    await bot.tree.sync()

    assert {command.name: command.id for command in await bot.tree.fetch_commands()} == before
    assert server.command_names() >= {"ask", "persona", "Explain"}


async def test_a_watch_collects_in_order(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    seen = []
    async with server.watch() as events:
        anna.slash(general, "ask", prompt="Hi")
        async for event in events:
            seen.append((event.kind.value, event.message.content if event.message else ""))
            if seen[-1][1] == "and more":
                break

    assert seen == [
        ("INTERACTION_CREATE", ""),
        ("MESSAGE_CREATE", ""),
        ("INTERACTION_RESPONSE", ""),
        ("MESSAGE_UPDATE", "Hi ..."),
        ("MESSAGE_UPDATE", "Hi !"),
        ("MESSAGE_CREATE", "and more"),
    ]


async def test_waiting_in_vain_tells_what_was_seen(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    anna.say(general, "anybody?")

    with pytest.raises(TimeoutError, match="anybody"):
        await server.wait_for(lambda _: False, timeout=0.01)


async def test_what_the_gateway_says_is_half_a_round_trip_on_its_way() -> None:
    async with LoopbackDiscord(Settings(latency=0.04)) as far, aiohttp.ClientSession() as session:
        started = time.monotonic()
        async with session.ws_connect(far.gateway.url) as socket:
            await socket.receive_json()
            assert time.monotonic() - started >= 0.02


async def test_the_addresses_are_put_back() -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    with discord_at("http://127.0.0.1:1"):
        assert Route.BASE == "http://127.0.0.1:1/api/v10"
        assert str(DiscordWebSocket.DEFAULT_GATEWAY) == "ws://127.0.0.1:1/gateway"

    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE)
