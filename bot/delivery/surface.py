"""Where an answer is shown: the messages that carry its pages, through whichever of Discord's doors is open."""

from __future__ import annotations

import asyncio
import io
import logging
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import aiohttp
import discord
from discord.utils import MISSING

log = logging.getLogger(__name__)

TOKEN_LIFE = 14 * 60
"""Seconds after which an interaction's token is given up; Discord's own limit is 15 minutes."""

_GONE = {10003, 10008, 50001, 50007, 50013, 50083, 160005, 50278}
"""Unknown channel or message, missing access or permission, closed direct message, archived or locked thread."""

_ANSWERED_ALREADY = 40060

_TOKEN_DEAD = 50027

NO_MENTIONS = discord.AllowedMentions.none()

PASSING = (discord.HTTPException, aiohttp.ClientError, OSError, asyncio.TimeoutError)
"""What discord.py raises for trouble that may soon be over, the connection's own errors among it."""


class SurfaceGone(Exception):
    """Nothing can be shown there any more: the message, the channel or the permission is gone."""


@contextmanager
def _noticing_the_end() -> Iterator[None]:
    """Raise SurfaceGone for those of Discord's refusals that will never turn into a yes."""
    try:
        yield
    except discord.HTTPException as error:
        if error.code in _GONE or isinstance(error, discord.NotFound | discord.Forbidden):
            log.info("An answer can't be shown any more: HTTP %s, code %s", error.status, error.code)
            raise SurfaceGone from error
        raise


def text_file(name: str, content: str) -> discord.File:
    """A file for Discord, in UTF-8."""
    return discord.File(io.BytesIO(content.encode("utf-8", "replace")), name)


class Surface(ABC):
    """The messages of one answer: page 0 is the first, further ones are begun in order."""

    def __init__(self) -> None:
        self.message_ids: list[int] = []

    @abstractmethod
    def bucket_of(self, page: int) -> Hashable:
        """Names the rate-limit bucket that writing the page now would be counted in."""

    async def write(self, page: int, content: str, *, view: discord.ui.View | None = MISSING) -> None:
        """Make a page read so; a `view` brings its buttons, None takes them away, otherwise they stay as they are.

        Raises SurfaceGone where that is not possible any more.
        """
        with _noticing_the_end():
            if page < len(self.message_ids):
                await self._edit(page, content, view)
            else:
                self.message_ids.append(await self._begin(page, content, view or MISSING))

    async def attach(self, name: str, content: str) -> None:
        """Add a text file below the last page. Raises SurfaceGone where that is not possible any more."""
        with _noticing_the_end():
            await self._attach(text_file(name, content))

    @abstractmethod
    async def _begin(self, page: int, content: str, view: discord.ui.View) -> int:
        """Send a new page; returns its message's id."""

    @abstractmethod
    async def _edit(self, page: int, content: str, view: discord.ui.View | None) -> None:
        """Edit a page that was sent."""

    @abstractmethod
    async def _attach(self, file: discord.File) -> None:
        """Send a file."""


class ReplySurface(Surface):
    """A reply to a person's message; further pages follow in the same channel."""

    def __init__(self, question: discord.Message, channel: discord.PartialMessageable) -> None:
        """Take the channel of the question as one that need not be in the cache."""
        super().__init__()
        self._question = question
        self._channel = channel

    def bucket_of(self, page: int) -> Hashable:
        """Sending and editing are counted apart, each for the whole channel."""
        return "edit" if page < len(self.message_ids) else "send", self._channel.id

    async def _begin(self, page: int, content: str, view: discord.ui.View) -> int:
        if page == 0:
            # The only message that notifies, and only the person who asked.
            reference = self._question.to_reference(fail_if_not_exists=False)
            sent = await self._channel.send(
                content,
                view=view,
                reference=reference,
                mention_author=True,
                allowed_mentions=NO_MENTIONS,
                suppress_embeds=True,
                nonce=self._nonce(page),
            )
        else:
            sent = await self._channel.send(
                content,
                view=view,
                allowed_mentions=NO_MENTIONS,
                suppress_embeds=True,
                silent=True,
                nonce=self._nonce(page),
            )
        if sent.content != content:
            # An earlier try came through with an older text, only its confirmation was lost.
            await self._channel.get_partial_message(sent.id).edit(content=content, allowed_mentions=NO_MENTIONS)
        return sent.id

    def _nonce(self, page: int) -> str:
        """By this Discord knows a message that was sent already, where only its confirmation was lost."""
        return f"{self._question.id}.{page}"

    async def _edit(self, page: int, content: str, view: discord.ui.View | None) -> None:
        # Not Message.edit: in discord.py 2.7.1 it brings suppressed link previews back.
        message = self._channel.get_partial_message(self.message_ids[page])
        await message.edit(content=content, view=view, allowed_mentions=NO_MENTIONS)

    async def _attach(self, file: discord.File) -> None:
        await self._channel.send(file=file, allowed_mentions=NO_MENTIONS, silent=True)


class InteractionSurface(Surface):
    """The response to a slash command and its follow-ups.

    Written through the interaction's token, which also reaches private answers and channels where the bot is no
    member, and which Discord does not count against the bot's global limit; after 14 minutes through the channel.
    """

    def __init__(self, interaction: discord.Interaction[discord.Client], *, private: bool) -> None:
        super().__init__()
        self._interaction = interaction
        self._private = private
        self._token_refused = False

    def bucket_of(self, page: int) -> Hashable:
        """The token has a bucket of its own; afterwards it is the channel's."""
        if self._token_lives:
            return "token", self._interaction.token
        return "edit" if page < len(self.message_ids) else "send", self._interaction.channel_id

    async def write(self, page: int, content: str, *, view: discord.ui.View | None = MISSING) -> None:
        """Make a page read so, through the channel where Discord takes the token no more."""
        try:
            await super().write(page, content, view=view)
        except discord.HTTPException as error:
            if error.code != _TOKEN_DEAD or self._token_refused:
                raise
            # Discord's clock counts, whatever ours says.
            self._token_refused = True
            await super().write(page, content, view=view)

    @property
    def _token_lives(self) -> bool:
        age = discord.utils.utcnow() - self._interaction.created_at
        return not self._token_refused and age.total_seconds() < TOKEN_LIFE

    async def _begin(self, page: int, content: str, view: discord.ui.View) -> int:
        if page == 0 and not self._interaction.response.is_done():
            try:
                response = await self._interaction.response.send_message(
                    content, view=view, ephemeral=self._private, allowed_mentions=NO_MENTIONS, suppress_embeds=True
                )
            except discord.HTTPException as error:
                if error.code != _ANSWERED_ALREADY:
                    raise
                # An earlier try came through, only its confirmation was lost.
                original = await self._interaction.edit_original_response(
                    content=content, view=view, allowed_mentions=NO_MENTIONS
                )
                return original.id
            if response.message_id is None:
                raise SurfaceGone  # only the type allows for a response without a message
            return response.message_id
        if self._token_lives:
            # After a deferral, Discord takes the first follow-up as the response.
            sent = await self._interaction.followup.send(
                content,
                view=view,
                ephemeral=self._private,
                allowed_mentions=NO_MENTIONS,
                suppress_embeds=True,
                silent=page > 0,
                wait=True,
            )
            return sent.id
        message = await self._channel().send(
            content, view=view, allowed_mentions=NO_MENTIONS, suppress_embeds=True, silent=True
        )
        return message.id

    async def _edit(self, page: int, content: str, view: discord.ui.View | None) -> None:
        message_id = self.message_ids[page]
        if not self._token_lives:
            message = self._channel().get_partial_message(message_id)
            await message.edit(content=content, view=view, allowed_mentions=NO_MENTIONS)
        elif page == 0:
            await self._interaction.edit_original_response(content=content, view=view, allowed_mentions=NO_MENTIONS)
        else:
            await self._interaction.followup.edit_message(
                message_id, content=content, view=view, allowed_mentions=NO_MENTIONS
            )

    def _channel(self) -> discord.PartialMessageable:
        channel_id = self._interaction.channel_id
        if self._private or channel_id is None:
            raise SurfaceGone  # a private answer is reached through its token alone
        return self._interaction.client.get_partial_messageable(channel_id, guild_id=self._interaction.guild_id)

    async def _attach(self, file: discord.File) -> None:
        if self._token_lives:
            await self._interaction.followup.send(
                file=file, ephemeral=self._private, allowed_mentions=NO_MENTIONS, silent=True
            )
        else:
            await self._channel().send(file=file, allowed_mentions=NO_MENTIONS, silent=True)
