"""A loopback Discord's world in one file, so that a demo goes on after a restart where it was.

Kept are people, servers, channels, commands and messages with their files; forgotten are ephemeral messages, as
Discord forgets them, and whatever is under way: interactions, gateway sessions, rate limits. Of the messages the
newest are kept: 5,000 in all, 1,000 of one channel, and none behind those whose files make 20 MiB together.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter

from playground.discord.model import Channel, Guild, Message, User
from playground.discord.payloads import Payload
from playground.discord.server import LoopbackDiscord

_VERSION = 1
_MESSAGES = 5000
_MESSAGES_OF_A_CHANNEL = 1000
_FILE_BYTES = 20 * 1024 * 1024
# What a kill loses was never saved: the ids of that time must not come again, even if the clock is set back.
_LOST_SECONDS = 2.0


class UnreadableSnapshotError(Exception):
    """The file is damaged or too new; its text says so in a sentence and tells where the file was put."""


class _Header(BaseModel):
    version: int
    # A newer version may say it otherwise.
    sha256: str = ""


class _World(BaseModel):
    """Everything but messages: little, and mutable, so it is encoded at once."""

    last_id: int
    users: list[User]
    guilds: list[Guild]
    channels: list[Channel]
    commands: list[tuple[int | None, list[Payload]]]


_MESSAGE = TypeAdapter(tuple[Message], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))


class State(NamedTuple):
    """What is to be saved; equal states need no second writing."""

    world: bytes
    messages: list[Message]


class Snapshot:
    """One file of one world; only one process may write it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: State | None = None
        # A message is encoded once: an edit makes a new one.
        self._encoded: dict[int, tuple[Message, bytes]] = {}

    def take(self, discord: LoopbackDiscord) -> State:
        """Return what `write` needs, without waiting for anything: messages are values and need no copy."""
        world = discord.world
        rest = _World(
            last_id=world.ids.last,
            users=list(world.users.values()),
            guilds=list(world.guilds.values()),
            channels=list(world.channels.values()),
            commands=list(world.commands.items()),
        )
        return State(_encode(rest.model_dump(mode="json")), list(_kept(discord.messages.newest_first())))

    def write(self, state: State) -> None:
        """Replace the file as a whole if anything changed, readable by its owner only. Raises OSError.

        This may be done in a thread of its own.
        """
        if state == self._written:
            return
        body = b"\n".join([state.world, *self._lines(state.messages)])
        header = _Header(version=_VERSION, sha256=hashlib.sha256(body).hexdigest())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_name(f"{self._path.name}.new")
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "xb", opener=_private) as file:  # Path.open takes no opener
            file.write(header.model_dump_json().encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
        self._written = state

    def restore(self, discord: LoopbackDiscord) -> bool:
        """Fill a served Discord that nobody has entered yet; False if nothing was saved so far.

        Raises UnreadableSnapshotError after putting the file aside, so that a new world may take its name.
        """
        try:
            saved = self._path.read_bytes()
        except FileNotFoundError:
            return False
        try:
            self._fill(discord, saved)
        except ValueError as broken:
            newer = isinstance(broken, _NewerError)
            raise UnreadableSnapshotError(self._put_aside("of a newer version" if newer else "damaged")) from broken
        return True

    def _fill(self, discord: LoopbackDiscord, saved: bytes) -> None:
        first, _, body = saved.partition(b"\n")
        header = _Header.model_validate_json(first)
        if header.version > _VERSION:
            raise _NewerError
        if hashlib.sha256(body).hexdigest() != header.sha256:
            raise ValueError("The body is not the one that was written.")
        rest, *lines = body.split(b"\n")
        world = _World.model_validate_json(rest)
        messages = [_MESSAGE.validate_json(line)[0] for line in lines]
        discord.world.restore(world.users, world.guilds, world.channels, world.commands)
        discord.world.ids.resume(world.last_id, margin=_LOST_SECONDS)
        discord.messages.restore(messages)

    def _put_aside(self, what: str) -> str:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        aside = self._path.with_name(f"{self._path.name}.{stamp}")
        self._path.rename(aside)
        return f"The saved world {self._path} is {what}, so it was renamed to {aside.name} and a new world begins."

    def _lines(self, messages: Iterable[Message]) -> list[bytes]:
        known = self._encoded
        self._encoded = {}
        for message in messages:
            before = known.get(message.id)
            is_same = before is not None and before[0] is message
            self._encoded[message.id] = before if before and is_same else (message, _line(message))
        return [line for _, line in self._encoded.values()]


class _NewerError(ValueError):
    pass


def _kept(newest_first: Iterable[Message]) -> Iterator[Message]:
    """Yield what is worth keeping, newest first."""
    count, file_bytes = 0, 0
    of_channel: Counter[int] = Counter()
    for message in newest_first:
        if message.ephemeral or of_channel[message.channel_id] == _MESSAGES_OF_A_CHANNEL:
            continue
        count += 1
        of_channel[message.channel_id] += 1
        file_bytes += sum(len(file.data) for file in message.attachments)
        if count > _MESSAGES or file_bytes > _FILE_BYTES:
            return
        yield message


def _line(message: Message) -> bytes:
    return _encode(_MESSAGE.dump_python((message,), mode="json"))


def _encode(value: object) -> bytes:
    """Half a surrogate pair, which JSON escapes can smuggle in, becomes a question mark: UTF-8 has nothing for it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
