"""Where an answer is shown: the messages that carry its pages, and the ways to write them."""

from __future__ import annotations

import asyncio
import io
import logging
import math
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
import discord
from discord.utils import MISSING

from bot.delivery.calls import Caller
from bot.delivery.lane import Lane

T = TypeVar("T")

log = logging.getLogger(__name__)

OLD = 58 * 60
"""Seconds after which a message is continued in a new one: Discord lets those of over an hour be edited only rarely."""

GONE = {10003, 10008, 50001, 50007, 50013, 50083, 160005, 50278}
"""Unknown channel or message, missing access or permission, closed direct message, archived or locked thread."""

DELETED = {10003, 10008}
"""Unknown channel or message."""

NO_MENTIONS = discord.AllowedMentions.none()

PASSING = (discord.HTTPException, aiohttp.ClientError, OSError, asyncio.TimeoutError)
"""What discord.py raises for trouble that may soon be over, the connection's own errors among it."""

UNSAID = (*PASSING, RuntimeError)
"""The same for a short message that nobody waits for; the latter comes where the bot is being stopped meanwhile."""


TRY_AGAIN_AFTER = (0.0, 0.5, 1.0)
"""Seconds before a call is repeated that is not part of an answer's text: a button's response, a deletion."""

ANSWERED_ALREADY = 40060
"""Discord's code for an interaction whose response came through, though its confirmation was lost."""


class SurfaceGone(Exception):
    """Nothing can be shown there any more: the message, the channel or the permission is gone."""

    is_deleted = False
    """Whether it is the message, or its channel."""


class SurfaceDeleted(SurfaceGone):
    """The message was deleted, or the channel."""

    is_deleted = True


class TextRefused(Exception):
    """Discord does not let this text stand there, now or later; another one it may."""


class LaneLost(Exception):
    """This way to write is closed for good, another one is open."""


class FileRefused(Exception):
    """Files can't be sent there, or not of this size; text alone can."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file to attach."""

    name: str
    content: str

    def for_discord(self) -> discord.File:
        """A fresh object, because discord.py can send each only once."""
        return text_file(self.name, self.content)


def text_file(name: str, content: str) -> discord.File:
    """A file for Discord, in UTF-8."""
    return discord.File(io.BytesIO(content.encode("utf-8", "replace")), name)


def key_of(snowflake: int) -> str:
    """The key of an answer that no other answer has whose cause was the message or the interaction with this id."""
    return f"{snowflake:016x}"


def random_key() -> str:
    """The key of an answer that nothing else names."""
    return secrets.token_hex(8)


def is_final(error: discord.HTTPException) -> bool:
    """Whether a refusal will never turn into a yes."""
    return error.code in GONE or isinstance(error, discord.NotFound | discord.Forbidden)


def will_pass(error: BaseException) -> bool:
    """Whether it is trouble with Discord, or on the way to it, that may be over at the next try."""
    if isinstance(error, discord.HTTPException):
        return error.status == HTTPStatus.TOO_MANY_REQUESTS or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, aiohttp.ClientError | discord.RateLimited)


async def persist(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call that does no harm if it is made twice, again while its trouble may pass."""
    for pause in TRY_AGAIN_AFTER:
        try:
            return await call()
        except PASSING as error:
            if not will_pass(error):
                raise
            log.info("A call to Discord failed and is repeated: %s", error)
            await asyncio.sleep(pause)
    return await call()


async def delete(call: Callable[[], Awaitable[object]]) -> None:
    """Make a call that deletes a message, which may be gone. Raises `PASSING` errors where it stays there."""
    with suppress(discord.NotFound):
        await persist(call)


@dataclass(frozen=True, slots=True)
class Payload:
    """How a page should read. Components and files stay as they are where none are given."""

    content: str
    view: discord.ui.View | None = MISSING
    """Brings its buttons; None takes them away."""
    file: TextFile | None = MISSING
    """Takes the place of all files; None takes them away."""

    def for_edit(self) -> dict[str, Any]:
        """The arguments for every kind of edit."""
        files = [self.file.for_discord()] if self.file else []
        more: dict[str, Any] = {} if self.file is MISSING else {"attachments": files}
        return {"content": self.content, "view": self.view, "allowed_mentions": NO_MENTIONS, **more}

    def for_send(self) -> dict[str, Any]:
        """The arguments for every kind of sending."""
        more: dict[str, Any] = {"file": self.file.for_discord()} if self.file else {}
        view = self.view or MISSING
        return {"content": self.content, "view": view, "allowed_mentions": NO_MENTIONS, "suppress_embeds": True, **more}


class Surface(ABC):
    """The messages of one answer: page 0 is the first, further ones are begun in order."""

    origin: int | None = None
    """The interaction that it answers, if it does."""
    is_slow = False
    """Whether its messages may be edited so rarely that only an answer's beginning and its end are shown."""

    def __init__(self, caller: Caller, key: str) -> None:
        """Take a key that no other answer has, 16 letters and digits at most."""
        self.key = key
        self.message_ids: list[int] = []
        self.clock = caller.clock
        self._caller = caller
        self._begun_at: list[float] = []

    @abstractmethod
    def lanes(self, page: int) -> Sequence[Lane]:
        """The ways to write the page now, at least one. Raises SurfaceGone where there is none."""

    async def write(self, page: int, payload: Payload, lane: Lane) -> None:
        """Make a page read so.

        Raises LaneLost where another lane should be tried at once, FileRefused where it should come without its file,
        TextRefused where another text may stand, SurfaceGone where nothing can be shown any more, and `PASSING`
        errors for what may be tried again.
        """
        try:
            if page < len(self.message_ids):
                await self._edit(page, payload, lane)
            else:
                began = self.clock()
                self.message_ids.append(await self._begin(page, payload, lane))
                self._begun_at.append(began)
        except discord.HTTPException as error:
            if payload.file and error.status in {HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
                raise FileRefused from error
            self._refused(error, lane)
            raise

    @abstractmethod
    async def hint(self) -> None:
        """Show for some seconds that something goes on, without a message. Never raises for trouble with it."""

    @abstractmethod
    async def send_file(self, file: TextFile) -> None:
        """Send a file below the last page. Raises SurfaceGone where no way is left, else `PASSING` errors."""

    @abstractmethod
    async def announce(self, asker: int, text: str) -> None:
        """Send a message that notifies the person who asked. Raises as `send_file` does."""

    async def shorten(self, length: int) -> None:
        """Delete all messages but the first ones."""
        surplus = self.message_ids[length:]
        del self.message_ids[length:], self._begun_at[length:]
        for message_id in surplus:
            try:
                await delete(partial(self._delete, message_id))
            except PASSING as error:
                log.info("A message that an answer needs no more could not be deleted: %s", error)

    @property
    def needs_sight(self) -> bool:
        """Whether the bot writes only while it sees the channel."""
        return True

    @property
    def seconds_left(self) -> float:
        """For how long messages can be written at all."""
        return math.inf

    @property
    def seconds_to_begin(self) -> float:
        """For how long the first message can be sent as what it should be: a reply, or a command's response."""
        return math.inf

    def seconds_until_old(self, page: int) -> float:
        """For how long the page's message should still be edited."""
        return self._begun_at[page] + OLD - self.clock() if 0 <= page < len(self._begun_at) else math.inf

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """While an answer grows, it takes its share of the buckets that it is edited through."""
        budgets = [budget for lane in self.lanes(0) for budget in lane.budgets]
        for budget in budgets:
            budget.sharers += 1
        try:
            yield
        finally:
            for budget in budgets:
                budget.sharers -= 1

    def nonce(self, page: int | str) -> str:
        """By this Discord knows a message that was sent already, where only its confirmation was lost.

        The next process makes the same one from the key, so it doubles nothing that came through before a crash.
        """
        return f"{self.key}.{page}"

    @abstractmethod
    async def _begin(self, page: int, payload: Payload, lane: Lane) -> int:
        """Send a new page; returns its message's id."""

    @abstractmethod
    async def _edit(self, page: int, payload: Payload, lane: Lane) -> None:
        """Edit a page that was sent."""

    @abstractmethod
    async def _delete(self, message_id: int) -> None:
        """Delete one of its messages."""

    def _refused(self, error: discord.HTTPException, lane: Lane) -> None:  # noqa: ARG002  # for those with several lanes
        """Raise what a refusal means for the surface; nothing where it may be over soon."""
        if is_final(error):
            log.info("An answer can't be shown any more: HTTP %s, code %s", error.status, error.code)
            raise (SurfaceDeleted if error.code in DELETED else SurfaceGone) from error
        if error.status == HTTPStatus.BAD_REQUEST:
            log.warning("Discord does not take the text of an answer: code %s", error.code)
            raise TextRefused from error
