"""Files that come with a question: checked before anything is downloaded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

import discord
import humanize

from bot.chat.answers import File, TextFile
from bot.chat.parameters import shown
from bot.delivery.surface import PASSING, persist
from bot.errors import BadInput
from bot.files.kinds import Kind, kind_of, largest
from bot.files.reader import FileReader

log = logging.getLogger(__name__)

MAX_FILES = 5

_PASTED = "message.txt"
"""Discord's name for a text that somebody pasted and that is too long for a message."""


class Attachments:
    """What people attach, from Discord's description of it to what a model reads."""

    def __init__(self, *, reader: FileReader, max_text_bytes: int) -> None:
        """Take the operator's size limit for texts."""
        self._reader = reader
        self._max_text_bytes = max_text_bytes

    def check(self, attachments: Sequence[discord.Attachment]) -> None:
        """Raise BadInput for what Discord's own description of the files rules out; downloads nothing."""
        if len(attachments) > MAX_FILES:
            raise BadInput(f"At most {MAX_FILES} files can come with a question; these are {len(attachments)}.")
        for attachment in attachments:
            self._check(attachment)

    async def read(self, attachments: Sequence[discord.Attachment]) -> tuple[File, ...]:
        """The files' contents. Raises BadInput for what `check` refuses, and for what can't be read after all."""
        self.check(attachments)
        return tuple([await self._read(attachment) for attachment in attachments])

    def _check(self, attachment: discord.Attachment) -> Kind:
        name = shown(attachment.filename)
        kind = kind_of(attachment.filename, attachment.content_type)
        if kind is None:
            raise BadInput(
                f"“{name}” is nothing that I can read. I read text and source files, PDF files, "
                "and images in PNG, JPEG, WebP or GIF."
            )
        limit = largest(kind, text=self._max_text_bytes)
        if attachment.size > limit:
            size, allowed = humanize.naturalsize(attachment.size), humanize.naturalsize(limit)
            raise BadInput(f"“{name}” is too large: it is {size}, and {kind} may have at most {allowed}.")
        # Only what Discord itself keeps is ever downloaded.
        if urlsplit(attachment.url).netloc != urlsplit(discord.Asset.BASE).netloc:
            raise BadInput(f"“{name}” is not kept by Discord, so it is not downloaded.")
        return kind

    async def _read(self, attachment: discord.Attachment) -> File:
        name = shown(attachment.filename)
        try:
            data = await persist(attachment.read)
        except (discord.NotFound, discord.Forbidden) as error:
            raise BadInput(f"“{name}” can't be downloaded from Discord any more.") from error
        except PASSING as error:
            log.info("A file could not be downloaded: %s", type(error).__name__)
            raise BadInput(f"“{name}” can't be downloaded from Discord just now. Please try again.") from error
        return await self._reader.read(attachment.filename, self._check(attachment), data)


def has_images(attachments: Sequence[discord.Attachment]) -> bool:
    """Whether a model that answers must be able to see."""
    return any(kind_of(it.filename, it.content_type) is Kind.IMAGE for it in attachments)


def with_pasted(text: str, files: Sequence[File]) -> tuple[str, tuple[File, ...]]:
    """A question's text and files, where a long text that Discord made a file of is text again."""
    pasted = [file for file in files if isinstance(file, TextFile) and file.name == _PASTED]
    texts = [text, *(file.content.strip() for file in pasted)]
    return "\n\n".join(filter(None, texts)), tuple(file for file in files if file not in pasted)
