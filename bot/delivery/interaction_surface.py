"""An answer as the response to a slash command."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import discord

from bot.delivery.calls import Caller
from bot.delivery.lane import Lane
from bot.delivery.surface import (
    ANSWERED_ALREADY,
    NO_MENTIONS,
    PASSING,
    LaneLost,
    Payload,
    Surface,
    SurfaceGone,
    TextFile,
    delete,
    is_final,
    key_of,
    persist,
)

log = logging.getLogger(__name__)

TOKEN_LIFE = 14 * 60
"""Seconds after which an interaction's token is given up; Discord's own limit is 15 minutes."""

RESPONSE_RETRIES = (0.0, 0.5, 1.0)
"""Seconds between attempts to respond at all, for which Discord waits 3."""

REPEATED = 0.9
"""A call that takes longer may have been repeated by discord.py, which pauses for a second first."""

_TOKEN_DEAD = {50027, 10015}
"""Invalid webhook token, unknown webhook."""


class InteractionSurface(Surface):
    """The response to a slash command and its follow-ups.

    There are two ways to edit it, and Discord counts them apart: through the interaction's token, which also reaches
    private answers and channels where the bot is no member, and which is not counted globally, but lives 15 minutes;
    and, for everybody's messages in channels where the bot is, as any message of the channel.
    """

    def __init__(self, caller: Caller, interaction: discord.Interaction[discord.Client], *, private: bool) -> None:
        super().__init__(caller, key_of(interaction.id))
        self._interaction = interaction
        self.origin = interaction.id
        self._private = private
        self._asked_at = caller.clock()
        budgets = caller.budgets
        self._response = Lane("response")
        self._token: Lane | None = budgets.token(interaction.token)
        self._edits: Lane | None = None
        self._sends: Lane | None = None
        if not private and (channel_id := interaction.channel_id) is not None and _is_member(interaction):
            self._edits = budgets.edits(channel_id)
            self._sends = budgets.messages(channel_id)
        self._plain_messages: set[int] = set()
        """Pages that are messages of the channel like any other, which the token does not reach."""
        self._doubtful: set[int] = set()
        """Pages that may have been sent through the token already, although Discord's confirmation never came."""

    def lanes(self, page: int) -> Sequence[Lane]:
        """For edits the token and the channel; for new pages a follow-up of the token, or a message to the channel."""
        token = self._token if self.seconds_to_begin > 0 else None
        # Where its confirmation was lost, discord.py does not know of the response, but we do.
        if not self.message_ids and page == 0 and token and not self._interaction.response.is_done():
            return (self._response,)
        by_token = None if page in self._plain_messages else token
        if page < len(self.message_ids):
            ways = (by_token, self._edits)
        else:
            # Once tried, a page stays with the way on which it can be found out whether it came through.
            ways = (by_token, None if by_token and page in self._doubtful else self._sends)
        found = [lane for lane in ways if lane]
        if not found:
            raise SurfaceGone
        return found

    @property
    def needs_sight(self) -> bool:
        """Not where the token alone is used: for private answers, and in channels that the bot does not see."""
        return self._edits is not None

    @property
    def seconds_to_begin(self) -> float:
        """Until the token is given up."""
        return self._asked_at + TOKEN_LIFE - self.clock()

    @property
    def seconds_left(self) -> float:
        """No longer than the token lives, where the channel is closed to the bot."""
        return math.inf if self._edits else self.seconds_to_begin

    async def hint(self) -> None:
        """Let Discord say that the bot is thinking, which stays until the answer comes."""
        for pause in RESPONSE_RETRIES:
            if self._interaction.response.is_done():
                return
            try:
                await self._interaction.response.defer(ephemeral=self._private, thinking=True)
            except PASSING as error:
                log.info("Thinking could not be shown: %s", error)
                await asyncio.sleep(pause)

    async def send_file(self, file: TextFile) -> None:
        """Below the last page, as private as the answer."""
        await self._send(lambda: {"file": file.for_discord(), "silent": True})

    async def announce(self, asker: int, text: str) -> None:
        """A follow-up that mentions the person."""
        mentions = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(asker)])
        content = f"<@{asker}> {text}"
        await self._send(lambda: {"content": content, "allowed_mentions": mentions, "suppress_embeds": True})

    async def _send(self, message: Callable[[], dict[str, Any]]) -> None:
        """Send a message, which is made anew for the channel where the token is dead: a file can be sent only once."""
        try:
            await self._send_once(message())
        except discord.HTTPException as error:
            if self._token is None or error.code not in _TOKEN_DEAD:
                raise
            self._token = None
            await self._send_once(message())

    async def _send_once(self, message: dict[str, Any]) -> None:
        lane = self.lanes(len(self.message_ids) + 1)[0]
        how = {"allowed_mentions": NO_MENTIONS} | message

        def call() -> Coroutine[Any, Any, object]:
            if lane is self._token:
                return self._interaction.followup.send(**how, ephemeral=self._private, wait=True)
            return self._messageable().send(**how)

        await self._caller.when_open(lane, call)

    async def _begin(self, page: int, payload: Payload, lane: Lane) -> int:
        if lane is self._response:
            return await self._respond(payload)
        if lane is self._token:
            return await self._follow_up(page, payload, lane)
        # From now on the page stays with the channel, which knows it by its nonce if it has to be sent again.
        self._plain_messages.add(page)
        call = self._messageable().send(**payload.for_send(), silent=True, nonce=self.nonce(page))
        return (await self._caller.fetch(lane, call)).id

    async def _follow_up(self, page: int, payload: Payload, lane: Lane) -> int:
        """Send a follow-up; after a deferral, Discord takes the first one as the response."""
        if page in self._doubtful:
            if page == 0:
                # The response can be edited, whether it is there or not; a follow-up would be a second message.
                response = await self._edit_response(payload)
                if self._edits:
                    await self._follow_up_sent()  # discord.py may have sent one more before it gave up
                return response
            if self._edits and (found := await self._follow_up_sent()):
                call = self._messageable().get_partial_message(found).edit(**payload.for_edit())
                await self._caller.edit(self._edits, call)
                return found
        began = self.clock()
        try:
            sent = await self._caller.fetch(
                lane,
                self._interaction.followup.send(
                    **payload.for_send(), ephemeral=self._private, silent=page > 0, wait=True
                ),
            )
        except PASSING:
            self._doubtful.add(page)
            raise
        may_be_doubled = self._edits and self.clock() - began > REPEATED
        return (await self._follow_up_sent() if may_be_doubled else None) or sent.id

    async def _follow_up_sent(self) -> int | None:
        """The id of a follow-up that stands below the page before; more of them are deleted.

        Webhooks take no nonce, by which Discord itself would know a message that was sent before.
        """
        after = discord.Object(self.message_ids[-1] if self.message_ids else self._interaction.id)

        async def look() -> list[discord.Message]:
            return [it async for it in self._messageable().history(after=after, limit=10) if self._is_ours(it)]

        try:
            messages = await persist(look)
            for double in messages[1:]:
                await delete(double.delete)
        except PASSING as error:
            log.info("Whether a message was sent twice could not be found out: %s", error)
            return None
        return messages[0].id if messages else None

    def _is_ours(self, message: discord.Message) -> bool:
        """Whether a message came through this interaction's token."""
        origin = message.interaction_metadata
        is_webhooks = message.webhook_id == self._interaction.application_id
        return is_webhooks and (origin is None or origin.id == self._interaction.id)

    async def _respond(self, payload: Payload) -> int:
        try:
            call = self._interaction.response.send_message(**payload.for_send(), ephemeral=self._private)
            response = await self._caller.fetch(self._response, call)
        except discord.HTTPException as error:
            if error.code != ANSWERED_ALREADY:
                raise
            # An earlier try came through, only its confirmation was lost.
            return await self._edit_response(payload)
        if response.message_id is None:
            raise SurfaceGone  # only the type allows for a response without a message
        return response.message_id

    async def _edit_response(self, payload: Payload) -> int:
        call = self._interaction.edit_original_response(**payload.for_edit())
        return (await self._caller.fetch(self._token or self._response, call)).id

    async def _edit(self, page: int, payload: Payload, lane: Lane) -> None:
        message_id, how = self.message_ids[page], payload.for_edit()
        call: Coroutine[Any, Any, object]
        if lane is not self._token:
            call = self._messageable().get_partial_message(message_id).edit(**how)
        elif page == 0:
            call = self._interaction.edit_original_response(**how)
        else:
            call = self._interaction.followup.edit_message(message_id, **how)
        await self._caller.edit(lane, call)

    async def _delete(self, message_id: int) -> None:
        if self._edits:
            await self._messageable().get_partial_message(message_id).delete()
        else:
            await self._interaction.followup.delete_message(message_id)

    def _messageable(self) -> discord.PartialMessageable:
        interaction = self._interaction
        if interaction.channel_id is None:
            raise SurfaceGone  # only the type allows for that
        return interaction.client.get_partial_messageable(interaction.channel_id, guild_id=interaction.guild_id)

    def _refused(self, error: discord.HTTPException, lane: Lane) -> None:
        if lane is self._edits and is_final(error):
            log.info("The channel is closed to the bot: HTTP %s, code %s", error.status, error.code)
            self._edits = None
        elif lane is self._sends and is_final(error):
            log.info("New messages can't be sent to the channel: HTTP %s, code %s", error.status, error.code)
            self._sends = None
            self._plain_messages.discard(len(self.message_ids))
        elif lane in {self._token, self._response} and error.code in _TOKEN_DEAD:
            # Discord's clock counts, whatever ours says. Of a response, it says that there is none: where it said
            # before that there is one already, no way leads to it.
            self._token = None
        else:
            super()._refused(error, lane)
            return
        raise LaneLost from error  # where it was the last one, the next look at the lanes finds none


def _is_member(interaction: discord.Interaction[discord.Client]) -> bool:
    """Whether the bot is in the channel, and not only its commands, brought along by a person."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    return interaction.client.get_guild(interaction.guild_id) is not None and interaction.app_permissions.view_channel
