"""Files: the attachments that were sent here, and one avatar for everybody."""

import base64

from aiohttp import web

from playground.discord.api import API
from playground.discord.payloads import as_id

routes = web.RouteTableDef()
# A single transparent pixel.
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


@routes.get("/attachments/{channel}/{file}/{filename}")
async def get_attachment(request: web.Request) -> web.Response:
    """Serve an attachment's bytes."""
    attachment = request.app[API].messages.files.get(as_id(request.match_info["file"]) or 0)
    if attachment is None:
        raise web.HTTPNotFound
    return web.Response(body=attachment.data, headers={"Content-Type": attachment.content_type})


@routes.get("/embed/avatars/{name}")
@routes.get("/avatars/{user}/{name}")
async def get_avatar(request: web.Request) -> web.Response:
    """Serve the avatar that everybody has."""
    del request
    return web.Response(body=_PIXEL, content_type="image/png")
