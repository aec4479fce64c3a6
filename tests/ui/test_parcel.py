"""ZIP files that together hold everything, each small enough for Discord."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import AsyncIterator

import pytest

from bot.chat.privacy import StoredFile
from bot.ui.parcel import parcels

LIMIT = 50_000


async def given(files: list[StoredFile]) -> AsyncIterator[StoredFile]:
    for file in files:
        yield file


def noise(seed: int, size: int) -> bytes:
    """Bytes that don't get smaller by compression."""
    return random.Random(seed).randbytes(size)  # noqa: S311  # the same each time


async def unpacked(rows: dict[str, list[dict[str, object]]], files: list[StoredFile]) -> list[dict[str, bytes]]:
    """Each part, after a look at its size."""
    parts = []
    async for parcel in parcels(rows, given(files), limit=LIMIT):
        assert len(parcel.getvalue()) <= LIMIT
        with zipfile.ZipFile(parcel) as archive:
            assert archive.testzip() is None
            parts.append({name: archive.read(name) for name in archive.namelist()})
    return parts


async def test_what_fits_comes_as_one_file() -> None:
    rows: dict[str, list[dict[str, object]]] = {"messages": [{"content": "Grüße 👋"}]}
    files = [StoredFile("images/1.jpg", b"one"), StoredFile("images/2.jpg", b"two")]

    [part] = await unpacked(rows, files)

    assert json.loads(part.pop("data.json")) == rows
    assert part == {file.name: file.content for file in files}


@pytest.mark.parametrize("sizes", [[30_000] * 4, [49_000, 1], [200_000, 10], [47_952], [48_976, 48_976]])
async def test_files_that_do_not_fit_are_spread_over_several(sizes: list[int]) -> None:
    files = [StoredFile(f"images/{number}.jpg", noise(number, size)) for number, size in enumerate(sizes)]

    parts = await unpacked({"images": []}, files)

    names = [name for part in parts for name in part]
    assert len(names) == len(set(names))
    whole = {name: content for part in parts for name, content in part.items()}
    for file in files:
        pieces = [whole[name] for name in sorted(whole) if name == file.name or name.startswith(f"{file.name}.")]
        assert b"".join(pieces) == file.content


async def test_texts_that_do_not_fit_come_in_pieces() -> None:
    rows: dict[str, list[dict[str, object]]] = {"messages": [{"content": noise(1, 100_000).hex()}]}

    parts = await unpacked(rows, [StoredFile("images/1.jpg", b"one")])

    whole = {name: content for part in parts for name, content in part.items()}
    assert whole.pop("images/1.jpg") == b"one"
    assert sorted(whole) == [f"data.json.{number:03}" for number in range(1, len(whole) + 1)]
    assert json.load(io.BytesIO(b"".join(whole[name] for name in sorted(whole)))) == rows
