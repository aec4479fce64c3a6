"""Guilds and people, as far as a bot looks them up."""

from aiohttp import web

from playground.discord.answers import json_answer
from playground.discord.api import API, BASE
from playground.discord.errors import unknown_member, unknown_user
from playground.discord.model import Guild
from playground.discord.objects import role_payload, user_payload
from playground.discord.payloads import as_id

routes = web.RouteTableDef()
_GUILD = BASE + "/guilds/{guild}"


def _guild_of(request: web.Request) -> Guild:
    return request.app[API].world.guild(as_id(request.match_info["guild"]) or 0)


@routes.get(_GUILD)
async def get_guild(request: web.Request) -> web.Response:
    """Answer with a guild."""
    return json_answer(request.app[API].serializer.guild_alone(_guild_of(request)))


@routes.get(_GUILD + "/channels")
async def get_channels(request: web.Request) -> web.Response:
    """Answer with a guild's channels, without threads."""
    return json_answer(request.app[API].serializer.guild(_guild_of(request))["channels"])


@routes.get(_GUILD + "/threads/active")
async def get_active_threads(request: web.Request) -> web.Response:
    """Answer with the threads that are not archived, and with the bot's membership of each."""
    threads = request.app[API].serializer.guild(_guild_of(request))["threads"]
    return json_answer({"threads": threads, "members": [thread["member"] for thread in threads], "has_more": False})


@routes.get(_GUILD + "/roles")
async def get_roles(request: web.Request) -> web.Response:
    """Answer with a guild's roles."""
    return json_answer([role_payload(role) for role in _guild_of(request).roles.values()])


@routes.get(_GUILD + "/members/{user}")
async def get_member(request: web.Request) -> web.Response:
    """Answer with a member."""
    guild = _guild_of(request)
    member = guild.members.get(as_id(request.match_info["user"]) or 0)
    if member is None:
        raise unknown_member()
    return json_answer(request.app[API].serializer.member(guild, member))


@routes.get(BASE + "/users/{user}")
async def get_user(request: web.Request) -> web.Response:
    """Answer with any account."""
    user = request.app[API].world.users.get(as_id(request.match_info["user"]) or 0)
    if user is None:
        raise unknown_user()
    return json_answer(user_payload(user))
