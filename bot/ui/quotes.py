"""Messages that go along with a question: “Ask about this”, and what a question replies to."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import discord

from bot.chat.answers import TextFile, has_file, has_words
from bot.chat.memory import ConversationStore
from bot.chat.messages import Author, Place
from bot.chat.mirror import MirrorStore
from bot.chat.sharing import Conversations
from bot.delivery import wording
from bot.delivery.surface import persist, will_pass
from bot.errors import BadInput
from bot.ui.places import author_of, place_of_message

log = logging.getLogger(__name__)

ASK_ABOUT_THIS = "Ask about this"
"""What people choose in a message's menu, under Apps."""

NOTHING_THERE = "There is nothing in this message that I can read: no text and no file."
NOTHING_IN_IT = "There is nothing in the message that you reply to that I can read: no text and no file."
HIDDEN = (
    "Discord hides the message that you reply to from me, because it does not mention me. "
    f"In that message's menu, under Apps, choose “{ASK_ABOUT_THIS}”: then I can read it."
)
OPTED_OUT = "Whoever wrote this message wants me to keep nothing of theirs, so I can't take it along."

QUOTED, OWN = "The message that I ask about", "Your answer that I ask about"
"""Above the quoted text, without its author's name: nobody who never spoke to the bot is remembered."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message as material for a question; there may be nothing in it."""

    text: TextFile | None
    attachments: list[discord.Attachment]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not (self.text or self.attachments)

    def stands_in(self, question: str) -> bool:
        """Whether a question that was asked before had this message with it, however that read then."""
        names = [QUOTED, OWN] if self.text else []
        names += [attachment.filename for attachment in self.attachments]
        return any(has_file(question, name) for name in names)


class Quotes:
    """Decides what goes along with whose question."""

    def __init__(
        self,
        *,
        memory: ConversationStore,
        mirror: MirrorStore,
        conversations: Conversations,
        on_way: Callable[[Place, int], Author | None],
        is_opted_out: Callable[[Author], Awaitable[bool]],
        message_content: bool,
    ) -> None:
        """Take what knows who asked for an answer that is on its way, and whether the bot may read all messages."""
        self._memory = memory
        self._mirror = mirror
        self._conversations = conversations
        self._on_way = on_way
        self._is_opted_out = is_opted_out
        self._message_content = message_content

    async def of(self, message: discord.Message, place: Place, me: discord.ClientUser | None, *, by: Author) -> Quoted:
        """A message of a place, for who asks about it. Raises BadInput where its author wants nothing to be kept."""
        is_own = message.author == me
        # Who opted out may take their own words along: of what they ask, nothing is kept anyway.
        if message.author.id != by.id and not is_own and await self._is_opted_out(author_of(message.author)):
            raise BadInput(OPTED_OUT)
        # Of an answer the whole is taken, as the model wrote it, and not one page with what stands around it.
        answer = await self._memory.answer_in(place, message.id) if is_own else None
        sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
        parts = [wording.bare(message.content)] if is_own else [source.content for source in sources]
        text = answer.content if answer and answer.content else "\n\n".join(filter(has_words, parts))
        attachments = [] if answer else [file for source in sources for file in source.attachments]
        return Quoted(TextFile(OWN if is_own else QUOTED, text) if text else None, attachments)

    async def knows(self, message: discord.Message) -> bool:
        """Whether what a question replies to is in its conversation, or is about to be, when the question's turn comes.

        Then the model reads it there.
        """
        discord_id = replies_to(message)
        if discord_id is None:
            return False
        place = await self._conversations.of(place_of_message(message), author_of(message.author))
        asker = self._on_way(place, discord_id)
        if asker and not await self._is_opted_out(asker):
            return True
        return await self._mirror.is_known(place, discord_id)

    async def replied_to(self, message: discord.Message, me: discord.ClientUser) -> Quoted | None:
        """What a question replies to; None where that is gone, or nothing that somebody said.

        Raises BadInput where it can't be taken along, and `PASSING` errors where Discord does not show it now.
        """
        said = await _resolved(message)
        if said is None or said.is_system() or (said.author == me and not _is_page(said)):
            return None
        quoted = await self.of(said, place_of_message(message), me, by=author_of(message.author))
        if not quoted.is_empty:
            return quoted
        if said.author == me:
            return None  # its text is still to come
        is_shown = self._message_content or message.guild is None or me in said.mentions
        raise BadInput(NOTHING_IN_IT if is_shown else HIDDEN)


def replies_to(message: discord.Message) -> int | None:
    """The id of the message that a message replies to; to forward one is no reply."""
    reference = message.reference
    return reference.message_id if reference and reference.type is discord.MessageReferenceType.reply else None


async def _resolved(message: discord.Message) -> discord.Message | None:
    """What a message replies to, if that is still there."""
    discord_id, reference = replies_to(message), message.reference
    if discord_id is None or reference is None:
        return None
    if reference.resolved is not None:
        return reference.resolved if isinstance(reference.resolved, discord.Message) else None
    try:
        return await persist(partial(message.channel.fetch_message, discord_id))
    except discord.HTTPException as error:
        # Else the model would answer a question about something that it never saw, although that is there.
        if will_pass(error):
            raise
        log.info("What a question replies to can't be read: %s", error)
        return None


def _is_page(message: discord.Message) -> bool:
    """Whether a message of the bot is of an answer, and none that says what went wrong, or how to ask.

    Only answers suppress link previews; the placeholder of a command can't, but belongs to the command.
    """
    is_answer = message.flags.suppress_embeds or message.interaction_metadata is not None
    return is_answer and not wording.is_ready(message.content)
