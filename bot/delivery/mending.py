"""After a crash: messages that still look as if an answer were being written are brought to an end."""

from __future__ import annotations

import logging
from functools import partial

import discord
from discord.utils import MISSING

from bot.chat.answers import Finished
from bot.chat.memory import ConversationStore, OpenMessageStore
from bot.chat.messages import EndReason, OpenMessage
from bot.delivery import wording
from bot.delivery.buttons import Buttons
from bot.delivery.calls import Caller
from bot.delivery.pages import LIMIT
from bot.delivery.surface import PASSING, Payload, TextFile, persist
from bot.delivery.text import units

log = logging.getLogger(__name__)


def interrupted(content: str, *, complete: bool = False) -> str | None:
    """How a message reads that was left in the middle; None for one that was brought to its end after all.

    The line that said what went on gives way to the reason of the end. A `complete` answer comes as a file.
    """
    text, _, last = content.rpartition("\n")
    if wording.is_footer(last):
        return None
    if not last.startswith("-# "):
        text = content
    footer = wording.INTERRUPTED_WHOLE if complete else wording.footer(Finished(EndReason.INTERRUPTED))
    return f"{text}\n{footer}" if text and units(text) + units(footer) < LIMIT else text or footer


async def mend(
    client: discord.Client, store: OpenMessageStore, caller: Caller, memory: ConversationStore, buttons: Buttons
) -> None:
    """Bring every message that was left open to its end; what can't be reached now is tried at the next start."""
    for message in await store.all():
        try:
            await _mend(client, message, caller, await _view(message, memory, buttons))
        except discord.NotFound:
            log.info("A message that was being written is gone")
        except PASSING as error:
            log.info("A message that was being written can't be brought to an end now: %s", error)
            continue
        await store.forget(message.discord_id)


async def _view(left: OpenMessage, memory: ConversationStore, buttons: Buttons) -> discord.ui.View | None:
    answer = await memory.answer(left.place.channel_id, left.answer_id) if left.answer_id else None
    return buttons.end(answer) if answer else None


async def _mend(client: discord.Client, left: OpenMessage, caller: Caller, view: discord.ui.View | None) -> None:
    channel = client.get_partial_messageable(left.place.channel_id, guild_id=left.place.guild_id)
    message = await persist(partial(channel.fetch_message, left.discord_id))
    content = interrupted(message.content, complete=bool(left.answer))
    if content is None:
        return
    mended = channel.get_partial_message(message.id)
    payload = Payload(content, view, TextFile(wording.FILE, left.answer) if left.answer else MISSING)
    edits = caller.budgets.edits(left.place.channel_id)
    await persist(partial(caller.when_open, edits, lambda: mended.edit(**payload.for_edit())))
