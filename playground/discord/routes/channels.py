"""Channels, their messages and typing, as a bot with a token uses them."""

from aiohttp import web

from playground.discord.answers import json_answer
from playground.discord.api import API, BASE
from playground.discord.errors import (
    ApiError,
    archived_thread,
    cannot_message_user,
    invalid_form,
    missing_permissions,
    no_history_for_reply,
    not_the_author,
    too_many_old_edits,
    unknown_user,
)
from playground.discord.events import Event, EventKind
from playground.discord.model import Channel, ChannelKind, Message
from playground.discord.payloads import Payload, as_id, utf16_length
from playground.discord.permissions import Permission
from playground.discord.uploads import read_body, read_json

routes = web.RouteTableDef()
_CHANNEL = BASE + "/channels/{channel}"
_MESSAGE = _CHANNEL + "/messages/{message}"
_PAGE = 50
_PAGE_LIMIT = 100
_FEWEST = 2


def _channel_of(request: web.Request) -> Channel:
    return request.app[API].world.channel(as_id(request.match_info["channel"]) or 0)


def _message_of(request: web.Request, channel: Channel) -> Message:
    return request.app[API].messages.in_channel(channel, as_id(request.match_info["message"]) or 0)


def _shown(request: web.Request, message: Message) -> Payload:
    api = request.app[API]
    return api.serializer.message(message, intents=api.intents())


@routes.get(_CHANNEL)
async def get_channel(request: web.Request) -> web.Response:
    """Answer with a channel, a thread or a direct message."""
    return json_answer(request.app[API].serializer.channel(_channel_of(request)))


@routes.get(_CHANNEL + "/messages")
async def list_messages(request: web.Request) -> web.Response:
    """Answer with a page of history, newest first; without the permission there is none."""
    channel = _channel_of(request)
    api = request.app[API]
    if not api.world.permissions(api.world.bot.id, channel) & Permission.READ_MESSAGE_HISTORY:
        return json_answer([])
    limit = as_id(request.query.get("limit", str(_PAGE))) or 0
    if not 1 <= limit <= _PAGE_LIMIT:
        raise invalid_form(["limit"], "NUMBER_TYPE_RANGE", "Must be between 1 and 100.")
    page = _page(api.messages.history(channel.id), request, limit)
    return json_answer([_shown(request, message) for message in reversed(page)])


def _page(history: list[Message], request: web.Request, limit: int) -> list[Message]:
    before, after, around = (as_id(request.query.get(key)) for key in ("before", "after", "around"))
    if around:
        older = [message for message in history if message.id <= around][-(limit // 2 + 1) :]
        newer = [message for message in history if message.id > around][: limit // 2]
        return older + newer
    if after:
        return [message for message in history if message.id > after][:limit]
    return [message for message in history if not before or message.id < before][-limit:]


@routes.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    """Answer with one message."""
    channel = _channel_of(request)
    request.app[API].world.require(channel, Permission.READ_MESSAGE_HISTORY)
    return json_answer(_shown(request, _message_of(request, channel)))


@routes.post(_CHANNEL + "/messages")
async def create_message(request: web.Request) -> web.Response:
    """Post as the bot."""
    api = request.app[API]
    channel = _channel_of(request)
    _require_may_post(request, channel)
    body, files = await read_body(request, api.world.settings.max_request_bytes)
    if files:
        api.world.require(channel, Permission.ATTACH_FILES)
    if body.get("message_reference") and not (
        api.world.permissions(api.world.bot.id, channel) & Permission.READ_MESSAGE_HISTORY
    ):
        raise no_history_for_reply()
    message = api.messages.create(channel, api.world.bot, body, files)
    return json_answer(api.serializer.message(message, with_nonce=True))


def _require_may_post(request: web.Request, channel: Channel) -> None:
    world = request.app[API].world
    if channel.kind is ChannelKind.DM and not world.users[channel.recipient_id or 0].accepts_dms:
        raise cannot_message_user()
    world.require(channel, Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES)
    world.require_writable(channel, posting=True)


@routes.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    """Edit the bot's own message."""
    api = request.app[API]
    channel = _channel_of(request)
    message = _message_of(request, channel)
    if message.author_id != api.world.bot.id:
        raise not_the_author()
    api.world.require_writable(channel, posting=False)
    if api.messages.is_old(message):
        verdict = api.buckets.take("old_message_edit", str(channel.id))
        if verdict and verdict.refused_for:
            raise too_many_old_edits(verdict.refused_for)
    body, files = await read_body(request, api.world.settings.max_request_bytes)
    if files:
        api.world.require(channel, Permission.ATTACH_FILES)
    return json_answer(api.serializer.message(api.messages.edit(message, body, files)))


@routes.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    """Delete the bot's own message, or anybody's with the permission."""
    api = request.app[API]
    channel = _channel_of(request)
    message = _message_of(request, channel)
    if message.author_id != api.world.bot.id:
        if channel.kind is ChannelKind.DM:
            raise missing_permissions()
        api.world.require(channel, Permission.MANAGE_MESSAGES)
    api.world.require_deletable(channel)
    api.messages.delete(message)
    return web.Response(status=204)


@routes.post(_CHANNEL + "/messages/bulk-delete")
async def delete_messages(request: web.Request) -> web.Response:
    """Delete several messages; each is announced by itself here."""
    api = request.app[API]
    channel = _channel_of(request)
    api.world.require(channel, Permission.MANAGE_MESSAGES)
    listed = (await read_json(request)).get("messages") or []
    if not _FEWEST <= len(listed) <= _PAGE_LIMIT:
        raise invalid_form(["messages"], "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
    for entry in listed:
        message = api.messages.get(as_id(entry))
        if message and message.channel_id == channel.id:
            api.messages.delete(message)
    return web.Response(status=204)


@routes.post(_CHANNEL + "/typing")
async def typing(request: web.Request) -> web.Response:
    """Show that the bot is typing."""
    channel = _channel_of(request)
    _require_may_post(request, channel)
    request.app[API].world.feed.publish(Event(kind=EventKind.TYPING, channel=channel))
    return web.Response(status=204)


@routes.post(_CHANNEL + "/threads")
async def create_thread(request: web.Request) -> web.Response:
    """Open a public thread; private ones do not exist here."""
    return await _open_thread(request, _channel_of(request), None)


@routes.post(_MESSAGE + "/threads")
async def create_thread_from_message(request: web.Request) -> web.Response:
    """Open a thread under a message."""
    channel = _channel_of(request)
    return await _open_thread(request, channel, _message_of(request, channel).id)


async def _open_thread(request: web.Request, channel: Channel, thread_id: int | None) -> web.Response:
    api = request.app[API]
    if channel.kind is not ChannelKind.TEXT:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    api.world.require(channel, Permission.CREATE_PUBLIC_THREADS)
    body = await read_json(request)
    # Without a message Discord opens a private thread unless told otherwise.
    if thread_id is None and body.get("type") != ChannelKind.PUBLIC_THREAD:
        raise invalid_form(["type"], "UNION_TYPE_CHOICES", "Value of field must be 11: only public threads exist here.")
    if thread_id in api.world.channels:
        raise ApiError(400, 160004, "A thread has already been created for this message")
    thread = api.world.add_thread(channel, _name_in(body), api.world.bot.id, thread_id=thread_id)
    return json_answer(api.serializer.channel(thread), 201)


def _name_in(body: Payload) -> str:
    name = str(body.get("name") or "")
    if not 1 <= utf16_length(name) <= _PAGE_LIMIT:
        raise invalid_form(["name"], "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    return name


@routes.patch(_CHANNEL)
async def edit_channel(request: web.Request) -> web.Response:
    """Rename a channel or thread; archive, lock or reopen a thread. Other settings do not exist here."""
    api = request.app[API]
    channel = _channel_of(request)
    body = await read_json(request)
    name = _name_in(body) if "name" in body else channel.name
    _require_may_edit(request, channel, body)
    if channel.is_thread and body.keys() & {"archived", "locked"}:
        archived, locked = body.get("archived", channel.archived), body.get("locked", channel.locked)
        api.world.set_thread(channel, archived=bool(archived), locked=bool(locked))
    if name != channel.name:
        api.world.rename(channel, name)
    return json_answer(api.serializer.channel(channel))


def _require_may_edit(request: web.Request, channel: Channel, body: Payload) -> None:
    """Raise as Discord does: who opened a thread may change all but the lock (topics, threads)."""
    world = request.app[API].world
    if channel.kind is ChannelKind.DM:
        raise missing_permissions()
    if not channel.is_thread:
        world.require(channel, Permission.MANAGE_CHANNELS)
    elif channel.owner_id != world.bot.id or channel.locked or "locked" in body:
        world.require(channel, Permission.MANAGE_THREADS)
    if channel.archived and body.get("archived") is not False:
        raise archived_thread()


@routes.delete(_CHANNEL)
async def delete_channel(request: web.Request) -> web.Response:
    """Delete a channel or thread."""
    api = request.app[API]
    channel = _channel_of(request)
    if channel.kind is ChannelKind.DM:
        raise missing_permissions()
    api.world.require(channel, Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS)
    payload = api.serializer.channel(channel)
    api.world.delete_channel(channel)
    return json_answer(payload)


@routes.post(BASE + "/users/@me/channels")
async def open_dm(request: web.Request) -> web.Response:
    """Open the direct message channel with a user."""
    api = request.app[API]
    user = api.world.users.get(as_id((await read_json(request)).get("recipient_id")) or 0)
    if user is None or user.bot:
        raise unknown_user()
    return json_answer(api.serializer.channel(api.world.dm_with(user)))
