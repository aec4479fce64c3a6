"""What Discord refuses, and the corners of its routes and its gateway."""

import json

import aiohttp
import discord
import pytest
from discord import app_commands
from discord.http import Route

from playground.discord import (
    USUAL,
    Actor,
    ChannelHandle,
    GuildHandle,
    LoopbackDiscord,
    Permission,
    RefusedByClientError,
)
from playground.discord.errors import ApiError
from playground.discord.payloads import Payload
from playground.discord.validation import check_choices, check_message, check_modal
from tests.playground.small_bot import SmallBot, running


def button(**changes: object) -> Payload:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": "go"} | changes


def row(*components: Payload) -> Payload:
    return {"type": 1, "components": list(components)}


V2 = 1 << 15


@pytest.mark.parametrize(
    "body",
    [
        {"content": 3},
        {"content": "x" * 2001},
        {"embeds": [{"description": "x" * 4097}]},
        {"embeds": [{"title": "x" * 257}]},
        {"embeds": [{"description": "x" * 3001}] * 2},
        {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]},
        {"embeds": [{"title": "x"}] * 11},
        {"components": [row(button())] * 6},
        {"components": [button()]},
        {"components": [row()]},
        {"components": [row(button(), button())]},
        {"components": [row(button(label="x" * 81))]},
        {"components": [row(button(label=""))]},
        {"components": [row(button(custom_id="x" * 101))]},
        {"components": [row({"type": 3, "custom_id": "s", "options": []})]},
        {"flags": V2, "components": [{"type": 10, "content": "x" * 4001}]},
        {"flags": V2, "components": [{"type": 10, "content": "x"}] * 41},
        {"flags": V2, "components": [{"type": 10, "content": "x"}], "content": "also"},
    ],
)
def test_a_message_over_a_limit_is_an_invalid_form(body: Payload) -> None:
    with pytest.raises(ApiError) as refused:
        check_message(body)

    assert (refused.value.status, refused.value.code) == (400, 50035)
    assert refused.value.errors


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2000},
        {"embeds": [{"description": "x" * 4096, "footer": {"text": "f"}, "author": {"name": "a"}}]},
        {"components": [row(button(), button(custom_id="other")), row(button(custom_id="third"))]},
        {"flags": V2, "components": [{"type": 17, "components": [{"type": 10, "content": "x" * 4000}]}]},
    ],
)
def test_a_message_at_a_limit_passes(body: Payload) -> None:
    check_message(body)


@pytest.mark.parametrize(
    "choices",
    [None, [{"name": "n", "value": "v"}] * 26, [{"name": "", "value": "v"}], [{"name": "n", "value": "v" * 101}]],
)
def test_choices_that_cannot_be_shown_are_refused(choices: object) -> None:
    with pytest.raises(ApiError):
        check_choices(choices)


FIELD = row({"type": 4, "custom_id": "f", "label": "Field", "style": 1})


@pytest.mark.parametrize(
    "modal",
    [
        {"title": "T", "components": [FIELD]},
        {"custom_id": "m", "title": "", "components": [FIELD]},
        {"custom_id": "m", "title": "T", "components": []},
        {"custom_id": "m", "title": "T", "components": [FIELD] * 6},
        {"custom_id": "m", "title": "T", "components": [row({"type": 4, "custom_id": "f", "label": "x" * 46})]},
    ],
)
def test_a_modal_that_cannot_be_opened_is_refused(modal: Payload) -> None:
    with pytest.raises(ApiError):
        check_modal(modal)


async def test_a_field_of_a_modal_keeps_its_limits(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    asked = anna.slash(general, "persona edit")
    await asked.response()

    for texts in ({"Prompt": ""}, {"Prompt": "x" * 4001}, {"Colour": "red"}):
        with pytest.raises(RefusedByClientError):
            anna.submit(asked, texts)


@pytest.mark.parametrize(
    "command",
    [
        {"name": "Ask", "description": "d"},
        {"name": "ask", "description": ""},
        {"name": "ask", "description": "x" * 101},
        {"name": "ask", "description": "d", "options": [{"name": "a b", "type": 3, "description": "d"}]},
        {"name": "ask", "description": "d", "options": [{"name": "a", "type": 3, "description": "d"}] * 26},
        {
            "name": "ask",
            "description": "d",
            "options": [
                {"name": "a", "type": 3, "description": "d"},
                {"name": "b", "type": 3, "description": "d", "required": True},
            ],
        },
        {"name": "x" * 33, "type": 3},
    ],
)
async def test_a_command_that_discord_would_not_take_is_refused(command: Payload, bot: SmallBot) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await bot.http.bulk_upsert_global_commands(bot.user.id, payload=[command])  # type: ignore[union-attr]

    assert refused.value.code == 50035


async def test_single_commands_come_and_go(bot: SmallBot, server: LoopbackDiscord, guild: GuildHandle) -> None:
    @app_commands.command(name="local", description="Only here")
    async def local(interaction: discord.Interaction) -> None:
        await interaction.response.pong()

    bot.tree.add_command(local, guild=discord.Object(guild.id))
    [synced] = await bot.tree.sync(guild=discord.Object(guild.id))
    assert (await bot.tree.fetch_command(synced.id, guild=discord.Object(guild.id))).name == "local"

    edited = await synced.edit(description="Changed")
    assert edited.description == "Changed"
    assert edited.id == synced.id
    await synced.delete()
    with pytest.raises(discord.NotFound) as gone:
        await synced.delete()
    assert gone.value.code == 10063
    assert "local" not in server.command_names()


async def test_a_moderators_command_is_not_offered_to_others(
    server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle, anna: Actor
) -> None:
    server.world.set_commands(
        None, [{"name": "tidy", "description": "d", "default_member_permissions": "16", "contexts": [0]}]
    )
    ben = guild.add_member("Ben", permissions=Permission.MANAGE_CHANNELS)

    assert ben.slash(general, "tidy").id
    for actor, place in ((anna, general), (ben, ben.dm)):
        with pytest.raises(RefusedByClientError):
            actor.slash(place, "tidy")


async def test_a_moderating_bot_tidies_up(server: LoopbackDiscord) -> None:
    powers = USUAL | Permission.MANAGE_MESSAGES | Permission.MANAGE_CHANNELS | Permission.MANAGE_THREADS
    guild = server.add_guild(bot_permissions=int(powers))
    general = guild.add_channel()
    anna = guild.add_member("Anna")
    said = [anna.say(general, str(number)) for number in range(3)]
    async with running(server, SmallBot()) as bot:
        channel = await bot.fetch_channel(general.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.delete_messages([discord.Object(message.id) for message in said[:2]])
        thread = await channel.get_partial_message(said[2].id).create_thread(name="about 2")
        other = await channel.create_thread(name="other", type=discord.ChannelType.public_thread)
        await other.delete()
        await channel.delete()

    assert thread.id == said[2].id
    assert general.id not in server.world.channels
    assert thread.id not in server.world.channels


async def test_pages_of_history(bot: SmallBot, general: ChannelHandle, anna: Actor, server: LoopbackDiscord) -> None:
    said = [anna.say(general, f"{server.mention} {number}") for number in range(9)]
    place = bot.place(general)
    middle = discord.Object(said[4].id)

    before = [message.id async for message in place.history(before=middle, limit=2)]
    after = [message.id async for message in place.history(after=middle, limit=2)]
    around = [message.id async for message in place.history(around=middle, limit=3)]

    assert before == [said[3].id, said[2].id]
    assert after == [said[5].id, said[6].id]
    assert sorted(around) == [said[3].id, said[4].id, said[5].id]
    general.deny_bot(Permission.READ_MESSAGE_HISTORY)
    assert [message async for message in place.history()] == []


async def test_an_edited_message_reaches_the_bot(bot: SmallBot, general: ChannelHandle, anna: Actor) -> None:
    said = anna.say(general, "helo", mention_bot=True)
    await bot.heard.get()
    told = bot.wait_for("message_edit")

    anna.edit(said, f"{bot.user.mention if bot.user else ''} hello")

    assert (await told)[1].content.endswith("hello")
    await bot.place(general).send("mine")
    with pytest.raises(RefusedByClientError):
        anna.edit(general.messages()[-1], "yours")


async def test_what_is_not_there_is_named(bot: SmallBot, guild: GuildHandle) -> None:
    codes = []
    for path in (f"/guilds/{guild.id}/members/1", "/guilds/1", "/users/1", "/channels/1", "/channels/1/messages/2"):
        with pytest.raises(discord.NotFound) as missing:
            await bot.http.request(Route("GET", path))
        codes.append(missing.value.code)

    assert codes == [10007, 10004, 10013, 10003, 10003]


async def test_roles_channels_and_the_avatar(bot: SmallBot, guild: GuildHandle, general: ChannelHandle) -> None:
    fetched = await bot.fetch_guild(guild.id)

    assert [role.name for role in await fetched.fetch_roles()] == ["@everyone", "Llampost"]
    assert [channel.name for channel in await fetched.fetch_channels()] == ["general"]
    assert bot.user is not None
    assert (await bot.user.default_avatar.read()).startswith(b"\x89PNG")


async def test_the_gateway_says_what_is_wrong(server: LoopbackDiscord) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {server.token}"}
        async with session.get(f"{server.url}/api/v10/gateway/bot", headers=headers) as answer:
            url = (await answer.json())["url"]
        codes = []
        for frames in (["{}"], [identify(server), identify(server)], [identify(server), '{"op": 99}']):
            async with session.ws_connect(url) as socket:
                for frame in frames:
                    await socket.send_str(frame)
                while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
                codes.append(socket.close_code)

    assert codes == [4003, 4005, 4001]


def identify(server: LoopbackDiscord) -> str:
    return json.dumps({"op": 2, "d": {"token": server.token, "intents": 0}})


async def test_members_are_sent_on_request(guild: GuildHandle, server: LoopbackDiscord, anna: Actor) -> None:
    async with running(server, SmallBot()) as bot:
        cached = bot.get_guild(guild.id)
        assert cached is not None
        found = await cached.query_members("ann")

    assert [member.name for member in found] == ["Anna"]


async def test_broken_json_is_refused(server: LoopbackDiscord, general: ChannelHandle) -> None:
    url = f"{server.url}/api/v10/channels/{general.id}/messages"
    headers = {"Authorization": f"Bot {server.token}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session, session.post(url, data="{", headers=headers) as answer:
        assert (await answer.json())["code"] == 50109
