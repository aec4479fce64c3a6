"""From a POST to what it asks for: the JSON of its body, its files, and whose tab it came from."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from playground.discord import Actor, ChannelHandle, LoopbackDiscord, Message
from playground.discord.drafts import FILES_LIMIT
from playground.discord.payloads import Payload, as_id
from playground.page.refusals import RefusedError

File = tuple[str, bytes]


def actor_of(discord: LoopbackDiscord, user: object) -> Actor:
    """Return who acts. Raises RefusedError for anybody but a person."""
    found = discord.world.users.get(as_id(user) or 0)
    if found is None or found.bot:
        raise RefusedError("Choose who you are first: nobody has this id.", status=404)
    return Actor(discord, found)


@dataclass(frozen=True, slots=True)
class Order:
    """What one POST asks for; its fields raise RefusedError where they are missing or of another type."""

    actor: Actor
    body: Payload
    files: tuple[File, ...] = ()

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        value = self.body.get(name, default)
        if not isinstance(value, str):
            raise RefusedError(f"{name} must be a text.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value."""
        value = self.body.get(name, default)
        if not isinstance(value, bool):
            raise RefusedError(f"{name} must be true or false.")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self.body.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise RefusedError(f"{name} must be a list of texts.")
        return value

    def named(self, name: str) -> Mapping[str, object]:
        """Return an object, empty if it is not there."""
        value = self.body.get(name, {})
        if not isinstance(value, dict):
            raise RefusedError(f"{name} must be an object.")
        return value

    def id(self, name: str) -> int:
        """Return a snowflake."""
        value = as_id(self.body.get(name))
        if value is None:
            raise RefusedError(f"{name} must be an id.")
        return value

    @property
    def channel(self) -> ChannelHandle:
        """The channel, which the actor sees."""
        return self.actor.channel(self.id("channel"))

    def message(self, name: str = "message") -> Message:
        """Return a message that the actor sees."""
        return self.actor.message(self.id(name))

    def optional_message(self, name: str) -> Message | None:
        """Return a message that the actor sees, None if none is named."""
        return self.message(name) if self.body.get(name) is not None else None


async def read_order(request: web.Request, discord: LoopbackDiscord) -> Order:
    """Read JSON, or a form whose part `data` is that JSON and whose parts `file` are files."""
    if request.content_type == "multipart/form-data":
        try:
            data, files = await _read_form(request)
        except (ValueError, HttpProcessingError) as broken:
            raise RefusedError("The form cannot be read.") from broken
    else:
        data, files = await request.read(), []
    body = _parsed(data)
    return Order(actor_of(discord, body.get("as")), body, tuple(files))


async def _read_form(request: web.Request) -> tuple[bytes, list[File]]:
    """Read a form within the size that one request may have. Raises ValueError, HttpProcessingError."""
    data, files, size = b"", list[File](), 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise RefusedError("A form within a form cannot be read.")
        content = bytearray()
        while chunk := await part.read_chunk():
            content += chunk
            size += len(chunk)
            if size > request.client_max_size:
                raise web.HTTPRequestEntityTooLarge(request.client_max_size, size)
        if part.name == "data":
            data = bytes(content)
        elif part.name == "file":
            if len(files) == FILES_LIMIT:
                raise RefusedError(f"Only {FILES_LIMIT} files can be sent at once.")
            files.append((_name(part.filename or ""), bytes(content)))
    return data, files


def _name(filename: str) -> str:
    """A browser sends no folders; a path in a name would only confuse whoever downloads it."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in last if letter.isprintable())
    # As the last part of an address, dots alone would mean the folder.
    return name if name.strip(".") else "file"


def _parsed(data: bytes) -> Payload:
    # orjson, as discord.py uses it, too: what it cannot read, such as half a surrogate pair, must not reach the bot.
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError("The body must be a JSON object.")
    return body
