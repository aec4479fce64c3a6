"""Text files that come with a question: checked before anything is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import discord
import humanize

from bot.chat.answers import TextFile
from bot.chat.parameters import shown
from bot.errors import BadInput

MAX_FILES = 5

_TEXT_TYPES = {
    "application/javascript",
    "application/json",
    "application/sql",
    "application/toml",
    "application/x-httpd-php",
    "application/x-sh",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
}
_TEXT_ENDINGS = [
    "adoc",
    "bat",
    "c",
    "cc",
    "cfg",
    "clj",
    "conf",
    "cpp",
    "cs",
    "css",
    "csv",
    "dart",
    "diff",
    "dockerfile",
    "env",
    "ex",
    "go",
    "gradle",
    "graphql",
    "h",
    "hpp",
    "hs",
    "html",
    "ini",
    "java",
    "js",
    "json",
    "jsonl",
    "jsx",
    "kt",
    "less",
    "lock",
    "log",
    "lua",
    "m",
    "makefile",
    "md",
    "mjs",
    "nix",
    "patch",
    "php",
    "pl",
    "proto",
    "ps1",
    "py",
    "r",
    "rb",
    "rs",
    "rst",
    "scala",
    "scss",
    "sh",
    "sql",
    "svelte",
    "swift",
    "tex",
    "tf",
    "toml",
    "ts",
    "tsv",
    "tsx",
    "txt",
    "vue",
    "xml",
    "yaml",
    "yml",
    "zig",
]


async def read_files(attachments: Sequence[discord.Attachment], *, max_bytes: int) -> tuple[TextFile, ...]:
    """The contents of text files. Raises BadInput for too many, too large, or anything else than UTF-8 text."""
    check_files(attachments, max_bytes=max_bytes)
    return tuple([await _read(attachment) for attachment in attachments])


def check_files(attachments: Sequence[discord.Attachment], *, max_bytes: int) -> None:
    """Raise BadInput for what Discord's own description of the files rules out; downloads nothing."""
    if len(attachments) > MAX_FILES:
        raise BadInput(f"At most {MAX_FILES} files can come with a question; these are {len(attachments)}.")
    for attachment in attachments:
        _check(attachment, max_bytes)


def _check(attachment: discord.Attachment, max_bytes: int) -> None:
    name = shown(attachment.filename)
    content_type = (attachment.content_type or "").partition(";")[0].strip().lower()
    ending = attachment.filename.lower().rpartition(".")[2]
    if not (content_type.startswith("text/") or content_type in _TEXT_TYPES or ending in _TEXT_ENDINGS):
        raise BadInput(f"“{name}” is not a text file. I read text and source files, such as .txt, .md, .py or .csv.")
    if attachment.size > max_bytes:
        limit, size = humanize.naturalsize(max_bytes), humanize.naturalsize(attachment.size)
        raise BadInput(f"“{name}” is too large: it is {size}, and at most {limit} are allowed.")
    # Only what Discord itself keeps is ever downloaded.
    if urlsplit(attachment.url).netloc != urlsplit(discord.Asset.BASE).netloc:
        raise BadInput(f"“{name}” is not kept by Discord, so it is not downloaded.")


async def _read(attachment: discord.Attachment) -> TextFile:
    try:
        data = await attachment.read()
    except discord.HTTPException as error:
        raise BadInput(f"“{shown(attachment.filename)}” can't be downloaded from Discord any more.") from error
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = None
    if content is None or "\0" in content:
        raise BadInput(f"“{shown(attachment.filename)}” is not UTF-8 text. Please save it as UTF-8 and try again.")
    return TextFile(attachment.filename, content)
