"""After a crash: answers that Discord still shows as being written are marked as interrupted."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import aiohttp
import discord

from bot.chat.answers import Finished
from bot.chat.messages import EndReason, RunningAnswer
from bot.delivery import wording
from bot.delivery.pace import Pace
from bot.delivery.pages import LIMIT
from bot.delivery.surface import NO_MENTIONS
from bot.delivery.text import units

log = logging.getLogger(__name__)


def interrupted(content: str) -> str:
    """A message as it was left, with the line that said what went on replaced by the reason of its end."""
    text, _, last = content.rpartition("\n")
    if not last.startswith("-# "):
        text = content
    footer = wording.footer(Finished(EndReason.INTERRUPTED))
    return f"{text}\n{footer}" if text and units(text) + units(footer) < LIMIT else text or footer


async def mend(client: discord.Client, answers: Sequence[RunningAnswer], pace: Pace) -> None:
    """Mark the last message of each answer; one that can't be reached any more is left as it is."""
    for answer in answers:
        if not answer.discord_message_ids:
            continue
        channel = client.get_partial_messageable(answer.place.channel_id, guild_id=answer.place.guild_id)
        try:
            async with pace.bucket(channel.id).turn():
                message = await channel.fetch_message(answer.discord_message_ids[-1])
                await channel.get_partial_message(message.id).edit(
                    content=interrupted(message.content), allowed_mentions=NO_MENTIONS
                )
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.info("An interrupted answer could not be marked: %s", error)
