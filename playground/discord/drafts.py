"""What a Discord app checks in a message before it sends it, in sentences for whoever wrote it."""

from collections.abc import Sequence

from playground.discord.errors import RefusedByClientError
from playground.discord.model import Upload
from playground.discord.payloads import utf16_length
from playground.discord.validation import CONTENT_LIMIT

FILES_LIMIT = 10
_THREAD_NAME_LIMIT = 100
_MIB = 1024 * 1024


def check_text(text: str, *, may_be_empty: bool = False) -> None:
    """Refuse a text that is too long, or one of spaces only."""
    if utf16_length(text) > CONTENT_LIMIT:
        raise RefusedByClientError(
            f"A message may have {CONTENT_LIMIT:,} characters; this one has {utf16_length(text):,}."
        )
    if not text.strip() and not may_be_empty:
        raise RefusedByClientError("A message needs a text or a file.")


def check_files(files: Sequence[Upload], *, largest: int) -> None:
    """Refuse too many files, and one of more than `largest` bytes."""
    if len(files) > FILES_LIMIT:
        raise RefusedByClientError(f"A message may have {FILES_LIMIT} files; these are {len(files)}.")
    for file in files:
        if len(file.data) > largest:
            raise RefusedByClientError(f"{file.filename} is too large: a file may have {largest // _MIB} MiB.")


def check_thread_name(name: str) -> None:
    """Refuse a name that no thread can have."""
    if not 1 <= utf16_length(name.strip()) <= _THREAD_NAME_LIMIT:
        raise RefusedByClientError(f"A thread's name has 1 to {_THREAD_NAME_LIMIT} characters.")
