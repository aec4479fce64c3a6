"""Which files can be read, and how large they may be, as far as their names and Discord's description tell."""

from __future__ import annotations

from enum import StrEnum

LARGEST_FILE = 10 * 1024 * 1024
"""Bytes of a PDF or an image: what Discord lets everybody upload. Only their contents are kept, and are far smaller."""


class Kind(StrEnum):
    """How a file is read, in the words of a sentence about it."""

    TEXT = "a text file"
    PDF = "a PDF"
    IMAGE = "an image"


_IMAGE_TYPES = {"image/png", "image/jpeg", "image/webp", "image/gif"}
_IMAGE_ENDINGS = {"png", "jpg", "jpeg", "webp", "gif"}
_TEXT_TYPES = {
    "",
    "application/octet-stream",  # Discord does not know the ending; the contents will tell
    "application/javascript",
    "application/json",
    "application/sql",
    "application/toml",
    "application/x-httpd-php",
    "application/x-sh",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
    "image/svg+xml",
}
_TEXT_ENDINGS = {
    # Those that lists of types may take for something else, as .ts for a video and .mod for music.
    "bat",
    "clj",
    "cs",
    "csh",
    "dart",
    "diff",
    "ex",
    "go",
    "graphql",
    "h",
    "hs",
    "ini",
    "ipynb",
    "java",
    "js",
    "jsonl",
    "jsx",
    "kt",
    "latex",
    "lua",
    "m",
    "mjs",
    "mod",
    "patch",
    "php",
    "pl",
    "ps1",
    "py",
    "r",
    "rb",
    "rs",
    "rst",
    "scala",
    "sh",
    "sol",
    "sql",
    "srt",
    "swift",
    "tcl",
    "tex",
    "tf",
    "toml",
    "ts",
    "tsx",
    "vue",
    "xml",
    "yaml",
    "yml",
}


def kind_of(name: str, content_type: str | None) -> Kind | None:
    """How to read a file of this name and type; None for what can't be read, such as sound."""
    ending = name.lower().rpartition(".")[2]
    mime = (content_type or "").partition(";")[0].strip().lower()
    if mime in _IMAGE_TYPES or ending in _IMAGE_ENDINGS:
        return Kind.IMAGE
    if mime == "application/pdf" or ending == "pdf":
        return Kind.PDF
    if mime.startswith("text/") or mime in _TEXT_TYPES or ending in _TEXT_ENDINGS:
        return Kind.TEXT
    return None


def largest(kind: Kind, *, text: int) -> int:
    """The size limit in bytes, of which the operator chooses that for texts."""
    return text if kind is Kind.TEXT else LARGEST_FILE
