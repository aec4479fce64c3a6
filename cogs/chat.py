"""Asking: /ask, a mention, a reply to the bot, a direct message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.answers import Question, has_words
from bot.client import Bot
from bot.delivery import wording
from bot.delivery.interaction_surface import InteractionSurface
from bot.delivery.reply_surface import ReplySurface
from bot.delivery.surface import NO_MENTIONS, PASSING, UNSAID, text_file, will_pass
from bot.errors import BadInput, LimitReached, LlampostError
from bot.ui.addressed import is_addressed, is_bare, is_emptied, is_hidden, own_role, text_of
from bot.ui.completion import Choices, persona_choices
from bot.ui.corrections import FRESH_FOR
from bot.ui.errors import sentence, tell_user
from bot.ui.limits import LimitNotes
from bot.ui.notice import tell_directly, tell_in_command
from bot.ui.places import author_of, place_of, place_of_message, roles_of
from bot.ui.responses import acknowledge, respond

log = logging.getLogger(__name__)

ASKED = "asked"
"""Beside a message's id: that it was not only heard, but asked."""

HOW_TO_ASK = "Ask me something: write it in the same message as the mention, or use `/ask`."
ROLE_HIDDEN = (
    "Discord hides the text of this message from me, because it mentions my role and not me. "
    "Please choose me from the list, not the role of the same name."
)
NOT_SHOWN = "Discord did not show me all that your question is about. Please ask again in a moment."
HIDDEN = "Discord hides the text of this reply from me. Please mention me in it, or switch its ping on."


class Chat(commands.Cog):
    """Every way to ask a question ends in the same call."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._services = bot.services
        self._limit_notes = LimitNotes()
        self._doors: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """Through which each person's messages come one after the other."""

    @app_commands.command()
    @app_commands.describe(
        prompt="What you want to know",
        persona="Who should answer, this time only",
        file="A file to read along with the question: a text, source code, a PDF or an image",
        private="Only you see the answer, and it stays out of this channel's memory",
    )
    async def ask(
        self,
        interaction: discord.Interaction[Bot],
        prompt: app_commands.Range[str, 1, 6000],
        persona: str | None = None,
        file: discord.Attachment | None = None,
        private: bool = False,
    ) -> None:
        """Ask the language model a question."""
        try:
            await self._ask(interaction, prompt, persona, [file] if file else [], private)
        except LlampostError as error:
            await tell_user(interaction, error)
            if wording.is_shortened(prompt):
                # A command's options stand nowhere in Discord, and nothing that a person wrote is lost.
                await respond(interaction, "Here is your question:", file=text_file("question.txt", prompt))

    async def _ask(
        self,
        interaction: discord.Interaction[Bot],
        prompt: str,
        persona: str | None,
        attachments: list[discord.Attachment],
        private: bool,
    ) -> None:
        if not has_words(prompt) and not attachments:
            raise BadInput("Ask me something: your question is blank.")
        self._services.reader.check(attachments)
        await self._services.limits.admit(author_of(interaction.user), interaction.guild_id, roles_of(interaction.user))
        if attachments:  # a download may take longer than Discord waits for a response
            await acknowledge(interaction, ephemeral=private, thinking=True)
        author, place = author_of(interaction.user), place_of(interaction)
        question = Question(place, author, prompt, (), persona, private)

        async def read() -> Question:
            return replace(question, files=await self._services.reader.files(attachments, place))

        header = "" if private else wording.header(author.name, prompt)
        surface = InteractionSurface(self._services.caller, interaction, private=private)
        finished = await self._services.deliveries.answer(
            question, surface, header=header, read=read if attachments else None
        )
        if not private:
            await tell_in_command(self._services.privacy, interaction, finished)

    @ask.autocomplete("persona")
    async def _complete_persona(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:
        return await persona_choices(self._services.personas, interaction.guild_id, typed)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer what is meant for the bot; leave everything else alone."""
        me = self._bot.user
        if me is None or not is_addressed(message, me) or not self._bot.heard.is_news(message.id):
            return
        async with self._telling(message):
            await self._answer(message, me)

    @commands.Cog.listener()
    async def on_message_missed(self, message: discord.Message) -> None:
        """Answer what was asked while the bot was away, unless that has been done or begun."""
        is_known = await self._services.mirror.asked_in(message.id) or self._services.deliveries.of_question(message.id)
        if not is_known:
            await self.on_message(message)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Answer anew what was edited; what was not meant for the bot at first, or not allowed, is asked now."""
        message, me = event.message, self._bot.user
        # Discord tells of more than people's edits, such as link previews.
        if me is None or message.edited_at is None or not is_addressed(message, me):
            return
        if not self._bot.heard.is_news((message.id, message.edited_at)):
            return
        # What was answered and is not remembered, by somebody who wants it so, is not asked once more.
        is_open = not self._bot.heard.knows((ASKED, message.id)) or self._services.deliveries.of_question(message.id)
        if is_emptied(message, me, self._bot.intents):
            self._bot.heard.forget((ASKED, message.id))  # taken back, so words that come later are a new question
        async with self._telling(message):
            is_known = await self._bot.corrections.correct(place_of_message(message), message.id, message)
            if is_open and not is_known and message.edited_at - message.created_at <= FRESH_FOR:
                await self._answer(message, me)

    @asynccontextmanager
    async def _telling(self, message: discord.Message) -> AsyncGenerator[None, None]:
        """The door for errors that have no interaction to answer."""
        try:
            yield
        except LimitReached as error:
            await self._limit_notes.tell(message, error)
        except PASSING as error:
            await self._say(message, NOT_SHOWN if will_pass(error) else sentence(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever asked hears of it
            await self._say(message, sentence(error))

    async def _answer(self, message: discord.Message, me: discord.ClientUser) -> None:
        if missing := self._missing_permission(message):
            await self._tell_privately(message, missing)
            return
        if is_bare(message, me):
            hint = HOW_TO_ASK
            if is_hidden(message, self._bot.intents):
                hint = ROLE_HIDDEN if own_role(message, me) else HIDDEN
            await self._say(message, hint)
            return
        guild_id = message.guild.id if message.guild else None
        # What is let in goes on to the deliveries before anything else happens, so the order stays what it was.
        async with self._doors.setdefault(message.author.id, asyncio.Lock()):
            await self._services.limits.admit(author_of(message.author), guild_id, roles_of(message.author))

        self._bot.heard.know((ASKED, message.id))

        async def read() -> Question:
            question = await self._services.reader.question(message, me)
            if question.is_blank:
                raise BadInput(HOW_TO_ASK)
            return question

        place, author = place_of_message(message), author_of(message.author)
        channel = self._bot.get_partial_messageable(message.channel.id)
        surface = ReplySurface(self._services.caller, message, channel)
        finished = await self._services.deliveries.answer(
            Question(place, author, text_of(message, me)), surface, question_message=message.id, read=read
        )
        await tell_directly(self._services.privacy, message.author, finished)

    @staticmethod
    def _missing_permission(message: discord.Message) -> str | None:
        """The permission without which no answer can be given here, as Discord's client names it."""
        if message.guild is None or message.guild.me is None:
            return None
        have = message.channel.permissions_for(message.guild.me)
        in_thread = isinstance(message.channel, discord.Thread)
        needed = {
            "View Channel": have.view_channel,
            "Send Messages in Threads" if in_thread else "Send Messages": (
                have.send_messages_in_threads if in_thread else have.send_messages
            ),
            "Read Message History": have.read_message_history,
        }
        return next((name for name, granted in needed.items() if not granted), None)

    async def _tell_privately(self, message: discord.Message, missing: str) -> None:
        log.warning("Permission “%s” is missing in channel %s", missing, message.channel.id)
        text = (
            f"I can't answer you in <#{message.channel.id}>, because I lack the permission “{missing}” there. "
            "Please ask a server manager to grant it, or ask me here."
        )
        try:
            await message.author.send(text, allowed_mentions=NO_MENTIONS)
        except UNSAID as error:
            log.info("Nor could the person be told by direct message: %s", error)

    async def _say(self, message: discord.Message, text: str) -> None:
        try:
            await message.reply(text, mention_author=True, allowed_mentions=NO_MENTIONS)
        except UNSAID as error:
            log.info("A message could not be answered: %s", error)


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(Chat(bot))
