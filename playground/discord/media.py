"""Files that embeds and components show by name: on the wire, `attachment://notes.txt` is where the file is."""

from collections.abc import Sequence
from typing import Any

from playground.discord.model import Attachment, ComponentKind
from playground.discord.payloads import Payload

_BY_NAME = "attachment://"


def with_files(part: Any, files: Sequence[Attachment]) -> Any:  # noqa: ANN401 # JSON is any
    """Return embeds or components with each name replaced; names of files that are not there stay."""
    if isinstance(part, list | tuple):
        return [with_files(inner, files) for inner in part]
    if not isinstance(part, dict):
        return part
    shown = {key: with_files(inner, files) for key, inner in part.items()}
    if file := _named(part.get("url"), files):
        return shown | _media(file)
    if part.get("type") == ComponentKind.FILE and (file := _named(part["file"]["url"], files)):
        return shown | {"name": file.filename, "size": len(file.data)}
    return shown


def _named(url: object, files: Sequence[Attachment]) -> Attachment | None:
    if not isinstance(url, str) or not url.startswith(_BY_NAME):
        return None
    return next((file for file in files if file.filename == url.removeprefix(_BY_NAME)), None)


def _media(file: Attachment) -> Payload:
    return {
        "id": str(file.id),
        "attachment_id": str(file.id),
        "url": file.url,
        "proxy_url": file.url,
        "content_type": file.content_type,
    }
