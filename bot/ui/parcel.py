"""Everything about a person as ZIP files that Discord takes: one JSON file, and beside it the images that it names."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator

from bot.chat.privacy import Rows, StoredFile

DATA = "data.json"

_OVERHEAD = 1_024
"""Bytes that a file takes in a ZIP file besides its content, at most, and the ZIP file itself."""


async def parcels(rows: Rows, files: AsyncIterator[StoredFile], *, limit: int) -> AsyncIterator[io.BytesIO]:
    """ZIP files of at most `limit` bytes each; unpacked into one folder, they are whole.

    A file that is too large for one is cut into pieces, `data.json.001` and so on, to be joined in that order.
    """
    room = limit - _OVERHEAD
    batch: list[StoredFile] = []
    # The data are text: they become far smaller, so what they take is known only once they are compressed.
    data = StoredFile(DATA, json.dumps(rows, ensure_ascii=False, indent=2).encode("utf-8", "replace"))
    packed = await asyncio.to_thread(_zipped, [data])
    if len(packed.getvalue()) <= limit:
        size = len(packed.getvalue())
        batch.append(data)
    else:
        size = 0
        for piece in _pieces(data, room):
            yield await asyncio.to_thread(_zipped, [piece])
    async for file in files:
        for piece in _pieces(file, room):
            if batch and size + len(piece.content) + _OVERHEAD > room:
                yield await asyncio.to_thread(_zipped, batch)
                batch, size = [], 0
            batch.append(piece)
            size += len(piece.content) + _OVERHEAD
    if batch:
        yield await asyncio.to_thread(_zipped, batch)


def _pieces(file: StoredFile, room: int) -> list[StoredFile]:
    if len(file.content) <= room - _OVERHEAD:
        return [file]
    starts = range(0, len(file.content), room - _OVERHEAD)
    return [
        StoredFile(f"{file.name}.{number:03}", file.content[start : start + starts.step])
        for number, start in enumerate(starts, 1)
    ]


def _zipped(files: list[StoredFile]) -> io.BytesIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(file.name, file.content)
    packed.seek(0)
    return packed
