"""Messages that are meant for the bot, and the questions in them."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.chat.answers import File, Question, has_words
from bot.chat.messages import Place
from bot.chat.models import Models
from bot.chat.profiles import Profiles
from bot.errors import BadInput
from bot.ui.attachments import Attachments, has_images, with_pasted
from bot.ui.places import author_of, place_of_message
from bot.ui.quotes import Quoted, Quotes, replies_to


def is_addressed(message: discord.Message, me: discord.ClientUser) -> bool:
    """Whether a message is meant for the bot: what people write to it directly, mentions, and replies to it."""
    if message.author.bot or message.type not in {discord.MessageType.default, discord.MessageType.reply}:
        return False
    if message.guild is None or me in message.mentions or own_role(message, me):
        return True
    replied_to = message.reference.resolved if message.reference else None
    return isinstance(replied_to, discord.Message) and replied_to.author == me


def own_role(message: discord.Message, me: discord.ClientUser) -> discord.Role | None:
    """The bot's own role where it was mentioned: Discord offers it beside the bot, under the same name."""
    return next((role for role in message.role_mentions if role.tags and role.tags.bot_id == me.id), None)


def text_of(message: discord.Message, me: discord.ClientUser) -> str:
    """What was asked, with names in place of ids and without the mention that called the bot."""
    called = message.guild.me if message.guild else me
    role = own_role(message, me)
    text, written = message.clean_content.strip(), message.content.strip()
    calls = {f"<@{me.id}>": called.display_name, f"<@!{me.id}>": called.display_name}
    calls |= {role.mention: role.name} if role else {}
    for mention, name in calls.items():
        # A name is only taken away where the mention itself stands, not a word that begins like it.
        text = text.removeprefix(f"@{name}") if written.startswith(mention) else text
        text = text.removesuffix(f"@{name}") if written.endswith(mention) else text
    return text.strip()


def is_bare(message: discord.Message, me: discord.ClientUser) -> bool:
    """Whether a message that is meant for the bot asks nothing, as far as Discord shows it: neither words nor files."""
    return not has_words(text_of(message, me)) and not message.attachments


def is_hidden(message: discord.Message, intents: discord.Intents) -> bool:
    """Whether there may be a text that Discord hides: in servers, it shows that of mentions and pings only."""
    may_be_read = message.guild is None or intents.message_content
    return not (may_be_read or message.content or message.stickers)


def is_emptied(message: discord.Message, me: discord.ClientUser, intents: discord.Intents) -> bool:
    """Whether a message that was meant for the bot certainly asks nothing any more."""
    return is_bare(message, me) and not is_hidden(message, intents)


class QuestionReader:
    """Reads what people write to the bot, files and all."""

    def __init__(self, *, attachments: Attachments, profiles: Profiles, models: Models, quotes: Quotes) -> None:
        self._attachments = attachments
        self._profiles = profiles
        self._models = models
        self._quotes = quotes

    def check(self, attachments: Sequence[discord.Attachment]) -> None:
        """Raise BadInput for what Discord's own description of the files rules out; downloads nothing."""
        self._attachments.check(attachments)

    async def question(
        self, message: discord.Message, me: discord.ClientUser, *, before: str | None = None
    ) -> Question:
        """The question in a message, with what it replies to where its conversation does not have that.

        Its text is blank where there is none. A question that was asked already reads as `before`, and takes along what
        it took then. Raises as `files` and `Quotes.replied_to` do.
        """
        place, text = place_of_message(message), text_of(message, me)
        is_known = before is None and await self._quotes.knows(message)
        quoted = None if is_bare(message, me) or is_known else await self._quoted(message, me, before)
        more = quoted.attachments if quoted else []
        read = await self.files([*message.attachments, *more], place)
        own = len(message.attachments)
        text, files = with_pasted(text, read[:own])
        if quoted and (has_words(text) or files):
            files = (*files, *((quoted.text,) if quoted.text else ()), *read[own:])
        return Question(place, author_of(message.author), text, files, after=replies_to(message) if is_known else None)

    async def _quoted(self, message: discord.Message, me: discord.ClientUser, before: str | None) -> Quoted | None:
        """What goes along.

        Of a question that was asked already that is decided: what was known then may be forgotten by now, and must not
        come back with an edit. What may not be taken along any more is left out, since the new words have to be taken.
        """
        try:
            quoted = await self._quotes.replied_to(message, me)
        except BadInput:
            if before is None:
                raise
            return None
        return quoted if quoted and (before is None or quoted.stands_in(before)) else None

    async def files(self, attachments: Sequence[discord.Attachment], place: Place) -> tuple[File, ...]:
        """What was attached.

        Before anything is downloaded, all is checked, also whether the place's model sees. Raises BadInput for what
        can't be taken.
        """
        self.check(attachments)
        if has_images(attachments):
            profile = await self._profiles.resolve(place)
            await self._models.require_sight(profile.model.value)
        return await self._attachments.read(attachments)
