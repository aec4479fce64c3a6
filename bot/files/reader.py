"""Reads what came with a question."""

from __future__ import annotations

import asyncio

from bot.chat.answers import File, TextFile, has_words
from bot.chat.messages import Image
from bot.chat.parameters import shown
from bot.errors import BadInput
from bot.files.apart import Unreadable, apart
from bot.files.kinds import Kind
from bot.files.text import text_of


class FileReader:
    """Turns bytes into what a model reads; two at a time, because some files take much time and memory."""

    def __init__(self, *, max_text_bytes: int, seconds: float = 20) -> None:
        """Take the largest text of a PDF in bytes, and how long a PDF or an image may take."""
        self._max_text_bytes = max_text_bytes
        self._seconds = seconds
        self._free = asyncio.Semaphore(2)

    async def read(self, name: str, kind: Kind, data: bytes) -> File:
        """The text or the picture in a file. Raises BadInput for one that can't be read."""
        try:
            match kind:
                case Kind.TEXT:
                    return TextFile(name, _words_of(data))
                case Kind.PDF:
                    text = await self._apart("bot.files.pdf", data, str(self._max_text_bytes))
                    return TextFile(name, text.decode())
                case Kind.IMAGE:
                    return Image(name, await self._apart("bot.files.images", data))
        except Unreadable as error:
            raise BadInput(f"“{shown(name)}” {error}.") from error

    async def _apart(self, module: str, data: bytes, *arguments: str) -> bytes:
        async with self._free:
            return await apart(module, data, *arguments, seconds=self._seconds)


def _words_of(data: bytes) -> str:
    text = text_of(data)
    if not has_words(text):
        raise Unreadable("is empty")
    return text
