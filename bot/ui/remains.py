"""What stands in Discord of an answer that a process was writing when it died."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot.calendar import TOLERANCE
from bot.chat.messages import Answer, OpenAnswer
from bot.ui.answer_buttons import end_key, stop_key

LOOK_AT = 200
"""Messages after the newest one that is known; a page that was not noted any more comes right after it."""


@dataclass(frozen=True, slots=True)
class Remains:
    """The messages of one answer, as far as they can be found."""

    messages: tuple[discord.Message, ...]
    """Oldest first."""
    is_gone: bool
    """Whether the one that was known is deleted: somebody did not want it."""

    @property
    def message_ids(self) -> list[int]:
        """Of those that can be written to: what says "is thinking" can't without its interaction."""
        return [message.id for message in self.messages if not message.flags.loading]

    def shows_end(self, left: OpenAnswer, answer: Answer | None = None) -> bool:
        """Whether the answer's end is there to be seen already, as the memory has it where that is given."""
        if not self.messages:
            return False
        key = end_key(self.messages[-1])
        if answer:
            return key == str(answer.id)
        if left.is_waiting or left.answer_id is not None or left.key is None:
            return key is not None
        # An answer of which nothing is kept has no button but Stop.
        return stop_key(self.messages[-1]) != left.key


async def find(client: discord.Client, left: OpenAnswer) -> Remains:
    """Look for an answer's messages, those too that were not noted in time.

    A Stop button is the sure sign of a message that is being written, and says by its key whose it is. Raises what
    discord.py raises where the channel can't be read.
    """
    channel = client.get_partial_messageable(left.place.channel_id, guild_id=left.place.guild_id)
    since = left.discord_id or left.asked_in or left.interaction_id
    # By our clock, which may be off by as much as the calendar lets pass.
    since = since or discord.utils.time_snowflake(left.opened_at - TOLERANCE)
    history = channel.history(limit=LOOK_AT, after=discord.Object(since - 1))
    found = [message async for message in history if _is_of(message, left)]
    is_gone = False
    if left.discord_id and left.discord_id not in {message.id for message in found}:
        try:
            # Where the history may not be read, it looks empty.
            found.insert(0, await channel.fetch_message(left.discord_id))
        except discord.NotFound:
            is_gone = True
    return Remains(tuple(found), is_gone)


def _is_of(message: discord.Message, left: OpenAnswer) -> bool:
    origin = message.interaction_metadata
    is_response = origin is not None and origin.id == left.interaction_id
    has_its_key = left.key is not None and stop_key(message) == left.key
    return message.id == left.discord_id or is_response or has_its_key
