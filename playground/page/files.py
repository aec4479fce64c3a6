"""The page's own files and the attachments of messages, of which none may run on the page."""

from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from playground.discord import LoopbackDiscord
from playground.discord.payloads import as_id
from playground.page.refusals import RefusedError

STATIC = Path(__file__).parent / "static"
# Not from the system's table, which on some machines says that JavaScript is text/plain.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp"}


async def static_file(request: web.Request) -> web.StreamResponse:
    """Serve a file of the page; the folder itself is its index."""
    file = (STATIC / (request.match_info.get("path") or "index.html")).resolve()
    kind = _TYPES.get(file.suffix)
    if kind is None or not file.is_relative_to(STATIC.resolve()) or not file.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(file, headers={"Content-Type": kind})


class Files:
    """What people and the bot attached."""

    def __init__(self, discord: LoopbackDiscord) -> None:
        self._discord = discord

    async def attachment(self, request: web.Request) -> web.Response:
        """Serve an attachment as a download; pictures may be shown, whatever else they may contain."""
        attachment = self._discord.messages.files.get(as_id(request.match_info["id"]) or 0)
        if attachment is None or attachment.filename != request.match_info["name"]:
            raise RefusedError("This file is not there.", status=404)
        shown = attachment.content_type in _SHOWN
        return web.Response(
            body=attachment.data,
            headers={
                "Content-Type": attachment.content_type if shown else "application/octet-stream",
                "Content-Disposition": (
                    f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(attachment.filename, safe='')}"
                ),
            },
        )
