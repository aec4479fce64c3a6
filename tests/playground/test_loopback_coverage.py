"""What the bot can call is served, what is not there is said loudly, and what threads and modals allow is Discord's."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import discord
import pytest
from discord import app_commands
from discord.ext import commands

from playground.discord import Actor, ChannelHandle, EventKind, GuildHandle, LoopbackDiscord, Permission
from playground.discord.api import BASE
from tests.playground.raw_client import RawClient, raw_client
from tests.playground.small_bot import SmallBot

_ROOT = Path(__file__).parents[2]
_CHANNEL = "/channels/{channel}"
_MESSAGES = _CHANNEL + "/messages"
_MESSAGE = _MESSAGES + "/{message}"
_CALLBACK = "POST /interactions/{interaction}/{token}/callback"
_ANSWER = "/webhooks/{application}/{token}/messages/{message}"
# What each method of discord.py that bot/ and cogs/ call asks Discord for.
CALLS = {
    "send": (f"POST {_MESSAGES}", "POST /webhooks/{application}/{token}"),
    "edit": (f"PATCH {_MESSAGE}", f"PATCH {_ANSWER}", f"PATCH {_CHANNEL}"),
    "delete": (f"DELETE {_MESSAGE}", f"DELETE {_ANSWER}", f"DELETE {_CHANNEL}"),
    "fetch_message": (f"GET {_MESSAGE}",),
    "fetch_channel": (f"GET {_CHANNEL}",),
    "history": (f"GET {_MESSAGES}",),
    "read": ("GET /attachments/{channel}/{file}/{filename}",),
    "typing": (f"POST {_CHANNEL}/typing",),
    "create_dm": ("POST /users/@me/channels",),
    "defer": (_CALLBACK,),
    "send_message": (_CALLBACK,),
    "send_modal": (_CALLBACK,),
    "autocomplete": (_CALLBACK,),
    "edit_message": (_CALLBACK, f"PATCH {_ANSWER}"),
    "edit_original_response": (f"PATCH {_ANSWER}",),
    "delete_original_response": (f"DELETE {_ANSWER}",),
    "delete_message": (f"DELETE {_ANSWER}",),
    "create_thread": (f"POST {_CHANNEL}/threads", f"POST {_MESSAGE}/threads"),
    "login": ("GET /users/@me",),
    "application_info": ("GET /oauth2/applications/@me",),
    "sync": ("PUT /applications/{application}/commands", "PUT /applications/{application}/guilds/{guild}/commands"),
}
# Named like a method of discord.py, and something else in our code or no REST call.
_NO_CALLS = {"clear", "close", "fetch", "join", "leave"}
_CLASSES = (
    discord.abc.Messageable,
    discord.Attachment,
    discord.Client,
    discord.Guild,
    discord.Interaction,
    discord.InteractionMessage,
    discord.InteractionResponse,
    discord.Member,
    discord.Message,
    discord.PartialMessage,
    discord.TextChannel,
    discord.Thread,
    discord.User,
    discord.Webhook,
    discord.WebhookMessage,
    app_commands.CommandTree,
    commands.Bot,
)
_TALKS = re.compile(r"http\.\w+\(|adapter\.\w+\(|_get_channel\(\)")


def calls_of_discord_py() -> set[str]:
    """The methods whose source talks to Discord."""
    return {
        name
        for owner in _CLASSES
        for name, member in inspect.getmembers(owner, inspect.isfunction)
        if not name.startswith("_") and _TALKS.search(inspect.getsource(member))
    }


def calls_of_the_bot() -> Iterator[str]:
    for folder in ("bot", "cogs"):
        for source in (_ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield node.func.attr


def test_it_is_known_what_every_call_of_the_bot_asks_for() -> None:
    used = calls_of_discord_py() & set(calls_of_the_bot())
    assert used - _NO_CALLS <= CALLS.keys()
    assert {"send", "edit", "history", "defer", "sync"} <= used


async def test_all_that_the_bot_asks_for_is_served(server: LoopbackDiscord) -> None:
    served = {
        f"{route.method} {route.resource.canonical.removeprefix(BASE)}"
        for route in server._runner.app.router.routes()
        if route.resource
    }
    assert {asked for routes in CALLS.values() for asked in routes} <= served


async def test_a_route_that_is_not_there_is_said_loudly(
    server: LoopbackDiscord, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw_client(server) as client:
        answer = await client.call("PUT", "/channels/1/pins/2")
    assert (answer.status, answer.body) == (404, {"message": "404: Not Found", "code": 0})
    route = f"PUT {BASE}/channels/1/pins/2"
    assert server.unknown_routes == [route]
    assert server.events[-1].kind is EventKind.UNKNOWN_ROUTE
    # Unhandled errors of a logger go to stderr.
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"The loopback Discord has no route {route}")
    ]


# History


@pytest.mark.parametrize(("limit", "status"), [("0", 400), ("1", 200), ("100", 200), ("101", 400), ("many", 400)])
async def test_a_page_has_1_to_100_messages(
    server: LoopbackDiscord, general: ChannelHandle, limit: str, status: int
) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {server.token}"}) as session:
        url = f"{server.url}{BASE}/channels/{general.id}/messages?limit={limit}"
        async with session.get(url) as answer:
            assert answer.status == status


@pytest.mark.parametrize(("number", "status"), [(1, 400), (2, 204), (101, 400)])
async def test_messages_are_deleted_in_bulk_by_2_to_100(
    server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle, anna: Actor, number: int, status: int
) -> None:
    guild.allow_bot(Permission.MANAGE_MESSAGES)
    listed = [str(anna.say(general, "away").id) for _ in range(number)]
    async with raw_client(server) as client:
        answer = await client.call("POST", f"/channels/{general.id}/messages/bulk-delete", {"messages": listed})
    assert answer.status == status
    assert bool(general.messages()) == (status == 400)


# Threads


async def open_thread(client: RawClient, general: ChannelHandle) -> str:
    answer = await client.call("POST", f"/channels/{general.id}/threads", {"name": "Aside", "type": 11})
    return f"/channels/{answer.body['id']}"


async def test_a_bot_archives_reopens_and_renames_its_own_thread(
    server: LoopbackDiscord, general: ChannelHandle
) -> None:
    async with raw_client(server) as client:
        thread = await open_thread(client, general)
        archived = await client.call("PATCH", thread, {"archived": True})
        assert archived.body["thread_metadata"]["archived"]
        refused = await client.call("PATCH", thread, {"name": "Too late"})
        assert (refused.status, refused.body["code"]) == (400, 50083)
        reopened = await client.call("PATCH", thread, {"archived": False, "name": "Again"})
        assert (reopened.body["name"], reopened.body["thread_metadata"]["archived"]) == ("Again", False)


async def test_only_a_moderator_locks_a_thread(
    server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle
) -> None:
    async with raw_client(server) as client:
        thread = await open_thread(client, general)
        assert (await client.call("PATCH", thread, {"locked": True})).body["code"] == 50013
        guild.allow_bot(Permission.MANAGE_THREADS)
        locked = await client.call("PATCH", thread, {"locked": True})
        assert locked.body["thread_metadata"]["locked"]


async def test_archived_threads_are_not_active(
    server: LoopbackDiscord, guild: GuildHandle, general: ChannelHandle
) -> None:
    general.thread("Done").archive()
    open_one = general.thread("Open")
    async with raw_client(server) as client:
        answer = await client.call("GET", f"/guilds/{guild.id}/threads/active")
    assert [thread["id"] for thread in answer.body["threads"]] == [str(open_one.id)]


async def test_a_message_has_one_thread_and_tells_of_it(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    said = anna.say(general, "below, please")
    path = f"/channels/{general.id}/messages/{said.id}"
    async with raw_client(server) as client:
        await client.call("POST", f"{path}/threads", {"name": "Below"})
        again = await client.call("POST", f"{path}/threads", {"name": "Once more"})
        message = await client.call("GET", path)
    assert again.body["code"] == 160004
    assert (message.body["thread"]["name"], message.body["flags"]) == ("Below", 32)


async def test_private_threads_and_threads_in_threads_do_not_exist(
    server: LoopbackDiscord, general: ChannelHandle
) -> None:
    async with raw_client(server) as client:
        private = await client.call("POST", f"/channels/{general.id}/threads", {"name": "Psst"})
        inside = await client.call("POST", f"{await open_thread(client, general)}/threads", {"name": "In", "type": 11})
    assert (private.body["code"], inside.body["code"]) == (50035, 50024)


# Files that are shown by name


async def test_a_file_is_shown_where_a_component_names_it(
    server: LoopbackDiscord, bot: SmallBot, general: ChannelHandle
) -> None:
    view = discord.ui.LayoutView()
    file = discord.File(__file__, "notes.txt")
    view.add_item(discord.ui.Container(discord.ui.TextDisplay("Look:"), discord.ui.File(file)))
    sent = await bot.place(general).send(view=view, file=file)
    container = sent.components[0]
    assert isinstance(container, discord.Container)
    text, shown = container.children
    assert isinstance(shown, discord.FileComponent)
    assert shown.media.url == sent.attachments[0].url
    assert (shown.name, shown.size) == ("notes.txt", sent.attachments[0].size)
    assert isinstance(text, discord.TextDisplay)
    assert [container.id, text.id, shown.id] == [1, 2, 3]


async def test_a_response_tells_who_used_what(
    server: LoopbackDiscord, bot: SmallBot, general: ChannelHandle, anna: Actor
) -> None:
    asked = anna.slash(general, "persona choose")
    message = await asked.message()
    fetched = await bot.place(general).fetch_message(message.id)
    assert fetched.interaction_metadata
    assert (fetched.interaction_metadata.id, fetched.interaction_metadata.user.name) == (asked.id, "Anna")
    chosen = await anna.select(message, "Which?", ["poet"]).message()
    fetched = await bot.place(general).fetch_message(chosen.id)
    assert fetched.interaction_metadata
    assert fetched.interaction_metadata.interacted_message_id == message.id


# Modals


def label(component: dict[str, object], text: str = "Field") -> dict[str, object]:
    return {"type": 18, "label": text, "component": component}


_INPUT = {"type": 4, "custom_id": "text", "style": 1}
_SELECT = {"type": 3, "custom_id": "select", "options": [{"label": "One", "value": "1"}]}


@pytest.mark.parametrize(
    "parts",
    [
        [label(_INPUT), label(_SELECT), {"type": 10, "content": "Fill this in."}],
        [label({"type": 19, "custom_id": "file"}), label({"type": 5, "custom_id": "user"})],
        [{"type": 1, "components": [_INPUT | {"label": "In a row"}]}],
    ],
)
async def test_modals_hold_texts_and_labelled_fields(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, parts: list[object]
) -> None:
    assert await opened(server, general, anna, parts) == 204


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [label(_INPUT)] * 2,
        [label(_INPUT, "")],
        [label(_INPUT, "x" * 46)],
        [label(_INPUT) | {"description": "x" * 101}],
        [label(_INPUT | {"placeholder": "x" * 101})],
        [label(_INPUT | {"value": "x" * 4001})],
        [label(_SELECT | {"options": []})],
        [label({"type": 2, "custom_id": "button", "label": "No"})],
        [{"type": 18, "label": "Nothing"}],
        [{"type": 1, "components": [_INPUT]}],
        [{"type": 1, "components": [_SELECT]}],
        [{"type": 2, "custom_id": "button", "label": "No"}],
    ],
)
async def test_modals_that_no_app_could_open_are_refused(
    server: LoopbackDiscord, general: ChannelHandle, anna: Actor, parts: list[object]
) -> None:
    assert await opened(server, general, anna, parts) == 400


async def opened(server: LoopbackDiscord, general: ChannelHandle, anna: Actor, parts: list[object]) -> int:
    server.world.set_commands(None, [{"name": "open", "description": "Open"}])
    asked = anna.slash(general, "open")
    modal = {"custom_id": "modal", "title": "A form", "components": parts}
    async with raw_client(server) as client:
        path = f"/interactions/{asked.id}/{asked.interaction.token}/callback"
        return (await client.call("POST", path, {"type": 9, "data": modal})).status
