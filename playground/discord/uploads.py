"""Bodies of calls: JSON, or multipart with `payload_json` and `files[n]`."""

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import BodyPartReader, web

from playground.discord.errors import ApiError, entity_too_large
from playground.discord.model import Upload
from playground.discord.payloads import Payload


async def read_body(request: web.Request, limit: int) -> tuple[Payload, list[Upload]]:
    """Return the payload and the files that came with it."""
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request, limit)
    return await read_json(request), []


async def read_json(request: web.Request) -> Any:  # noqa: ANN401 # JSON is any
    """Return the JSON of a body; an empty body is an empty object."""
    return _parse(await request.text() or "{}")


async def _read_multipart(request: web.Request, limit: int) -> tuple[Payload, list[Upload]]:
    payload: Payload = {}
    files: dict[str, tuple[str, bytes]] = {}
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = bytes(await part.read())
        total += len(data)
        if total > limit:
            raise entity_too_large()
        if part.name == "payload_json":
            payload = _parse(data.decode())
        elif part.name and part.name.startswith("files["):
            files[part.name[len("files[") : -1]] = (part.filename or "file", data)
    listed = (payload.get("data") or payload).get("attachments") or []
    return payload, [Upload(name, data, _described(listed, index)) for index, (name, data) in files.items()]


def _described(listed: Iterable[Payload], index: str) -> str | None:
    """A new file's description stands in the attachment list, under its index."""
    return next((entry.get("description") for entry in listed if str(entry.get("id")) == index), None)


def _parse(text: str) -> Any:  # noqa: ANN401 # JSON is any
    try:
        return json.loads(text)
    except json.JSONDecodeError as broken:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from broken
