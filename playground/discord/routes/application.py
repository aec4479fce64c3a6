"""Who the bot is, and the commands that it registers."""

import re

from aiohttp import web

from playground.discord.answers import json_answer
from playground.discord.api import API, BASE
from playground.discord.errors import invalid_form, unauthorized, unknown_command
from playground.discord.model import CommandKind
from playground.discord.objects import user_payload
from playground.discord.payloads import Payload, as_id, utf16_length
from playground.discord.uploads import read_json

routes = web.RouteTableDef()
_GLOBAL = BASE + "/applications/{application}/commands"
_GUILD = BASE + "/applications/{application}/guilds/{guild}/commands"
_NAME = re.compile(r"[-_'\w]{1,32}")
_NAME_LIMIT = 32
_TEXT_LIMIT = 100
_OPTION_LIMIT = 25
_COMMAND_TOTAL = 8000
_COMMANDS_OF_A_KIND = {CommandKind.CHAT_INPUT: 100, CommandKind.USER: 15, CommandKind.MESSAGE: 15}


@routes.get(BASE + "/gateway")
async def gateway(request: web.Request) -> web.Response:
    """Tell where the websocket is."""
    return json_answer({"url": _gateway_url(request)})


@routes.get(BASE + "/gateway/bot")
async def gateway_bot(request: web.Request) -> web.Response:
    """Tell where the websocket is, with shards and sessions left."""
    starts = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
    return json_answer({"url": _gateway_url(request), "shards": 1, "session_start_limit": starts})


def _gateway_url(request: web.Request) -> str:
    return request.app[API].base_url.replace("http", "ws", 1) + "/gateway"


@routes.get(BASE + "/users/@me")
async def me(request: web.Request) -> web.Response:
    """Answer with the bot's account: the call by which discord.py logs in."""
    return json_answer(user_payload(request.app[API].world.bot) | {"locale": "en-US", "mfa_enabled": False})


@routes.get(BASE + "/oauth2/applications/@me")
@routes.get(BASE + "/applications/@me")
async def application(request: web.Request) -> web.Response:
    """Answer with the application and its owner."""
    return json_answer(request.app[API].serializer.application())


def _place(request: web.Request) -> int | None:
    if as_id(request.match_info["application"]) != request.app[API].world.bot.id:
        raise unauthorized()
    return as_id(request.match_info.get("guild"))


@routes.get(_GLOBAL)
@routes.get(_GUILD)
async def list_commands(request: web.Request) -> web.Response:
    """Answer with the commands of a place."""
    return json_answer(request.app[API].world.commands.get(_place(request), []))


@routes.put(_GLOBAL)
@routes.put(_GUILD)
async def overwrite_commands(request: web.Request) -> web.Response:
    """Replace all commands of a place."""
    place = _place(request)
    commands: list[Payload] = await read_json(request)
    for index, command in enumerate(commands):
        _check_command(command, [index])
    for kind, limit in _COMMANDS_OF_A_KIND.items():
        if sum(command.get("type", CommandKind.CHAT_INPUT) == kind for command in commands) > limit:
            raise invalid_form([], "APPLICATION_COMMANDS_TOO_MANY", f"Maximum number of commands reached ({limit})")
    return json_answer(request.app[API].world.set_commands(place, commands))


@routes.post(_GLOBAL)
@routes.post(_GUILD)
async def create_command(request: web.Request) -> web.Response:
    """Add one command; one of the same name is replaced."""
    place = _place(request)
    command: Payload = await read_json(request)
    _check_command(command, [])
    known = request.app[API].world.commands.get(place, [])
    replaced = command["name"], command.get("type", CommandKind.CHAT_INPUT)
    others = [old for old in known if (old["name"], old["type"]) != replaced]
    return json_answer(request.app[API].world.set_commands(place, [*others, command])[-1], 201)


@routes.get(_GLOBAL + "/{command}")
@routes.get(_GUILD + "/{command}")
async def get_command(request: web.Request) -> web.Response:
    """Answer with one command."""
    return json_answer(_command_of(request))


@routes.patch(_GLOBAL + "/{command}")
@routes.patch(_GUILD + "/{command}")
async def edit_command(request: web.Request) -> web.Response:
    """Change one command."""
    old = _command_of(request)
    changed = old | await read_json(request)
    _check_command(changed, [])
    world = request.app[API].world
    place = _place(request)
    others = [one for one in world.commands[place] if one is not old]
    return json_answer(world.set_commands(place, [*others, changed])[-1])


@routes.delete(_GLOBAL + "/{command}")
@routes.delete(_GUILD + "/{command}")
async def delete_command(request: web.Request) -> web.Response:
    """Remove one command."""
    old = _command_of(request)
    world = request.app[API].world
    place = _place(request)
    world.set_commands(place, [one for one in world.commands[place] if one is not old])
    return web.Response(status=204)


def _command_of(request: web.Request) -> Payload:
    for command in request.app[API].world.commands.get(_place(request), []):
        if command["id"] == request.match_info["command"]:
            return command
    raise unknown_command()


def _check_command(command: Payload, path: list[str | int]) -> None:
    """Refuse names, texts and sizes that Discord refuses (interactions, application commands)."""
    name = command.get("name") or ""
    if command.get("type", CommandKind.CHAT_INPUT) == CommandKind.CHAT_INPUT:
        if not _NAME.fullmatch(name) or name != name.lower():
            raise invalid_form([*path, "name"], "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if _size(command) > _COMMAND_TOTAL:
            raise invalid_form(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
        _check_described(command, path)
    elif not 1 <= len(name) <= _NAME_LIMIT:
        raise invalid_form([*path, "name"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")


def _check_described(command: Payload, path: list[str | int]) -> None:
    if not 1 <= utf16_length(command.get("description") or "") <= _TEXT_LIMIT:
        raise invalid_form([*path, "description"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    options: list[Payload] = command.get("options") or []
    if len(options) > _OPTION_LIMIT or len(command.get("choices") or []) > _OPTION_LIMIT:
        raise invalid_form([*path, "options"], "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    optional = False
    for index, option in enumerate(options):
        where = [*path, "options", index]
        if option.get("required") and optional:
            raise invalid_form(where, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required must come first")
        optional = optional or not option.get("required")
        if not _NAME.fullmatch(option.get("name") or ""):
            raise invalid_form([*where, "name"], "APPLICATION_COMMAND_INVALID_NAME", "Option name is invalid")
        _check_described(option, where)


def _size(part: Payload) -> int:
    texts = [part.get("name") or "", part.get("description") or ""]
    texts += [str(choice.get(key, "")) for choice in part.get("choices") or [] for key in ("name", "value")]
    return sum(map(utf16_length, texts)) + sum(_size(option) for option in part.get("options") or [])
