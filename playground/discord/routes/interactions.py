"""Answers to interactions, and the webhook of each interaction's token."""

from aiohttp import web

from playground.discord.answers import json_answer
from playground.discord.api import API, BASE
from playground.discord.errors import unknown_interaction, unknown_webhook
from playground.discord.model import Interaction, Message
from playground.discord.payloads import as_id
from playground.discord.uploads import read_body

routes = web.RouteTableDef()
_WEBHOOK = BASE + "/webhooks/{application}/{token}"
_MESSAGE = _WEBHOOK + "/messages/{message}"


@routes.post(BASE + "/interactions/{interaction}/{token}/callback")
async def respond(request: web.Request) -> web.Response:
    """Take the first answer; discord.py always asks for the result (`with_response`)."""
    api = request.app[API]
    interaction_id = as_id(request.match_info["interaction"])
    if interaction_id is None:
        raise unknown_interaction()
    body, files = await read_body(request, api.world.settings.max_request_bytes)
    interaction = api.interactions.respond(interaction_id, request.match_info["token"], body, files)
    if request.query.get("with_response") in ("1", "true"):
        return json_answer(api.serializer.callback(interaction))
    return web.Response(status=204)


def _interaction_of(request: web.Request) -> Interaction:
    api = request.app[API]
    if as_id(request.match_info["application"]) != api.world.bot.id:
        raise unknown_webhook()
    return api.interactions.by_token(request.match_info["token"])


def _message_of(request: web.Request) -> Message:
    return request.app[API].interactions.message(_interaction_of(request), request.match_info["message"])


@routes.post(_WEBHOOK)
async def follow_up(request: web.Request) -> web.Response:
    """Send a follow-up."""
    api = request.app[API]
    interaction = _interaction_of(request)
    body, files = await read_body(request, api.world.settings.max_request_bytes)
    message = api.interactions.follow_up(interaction, body, files)
    # An interaction's webhook answers with the message whether `wait` is set or not.
    return json_answer(api.serializer.message(message))


@routes.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    """Answer with the original response or a follow-up, ephemeral ones included."""
    return json_answer(request.app[API].serializer.message(_message_of(request)))


@routes.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    """Edit the original response or a follow-up."""
    api = request.app[API]
    message = _message_of(request)
    body, files = await read_body(request, api.world.settings.max_request_bytes)
    return json_answer(api.serializer.message(api.interactions.edit(message, body, files)))


@routes.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    """Delete the original response or a follow-up."""
    request.app[API].messages.delete(_message_of(request))
    return web.Response(status=204)
