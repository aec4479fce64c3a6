"""“Ask about this”: a question about any message, whose text and files the model reads too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.answers import Question, TextFile, has_words
from bot.client import Bot
from bot.delivery import wording
from bot.delivery.interaction_surface import InteractionSurface
from bot.delivery.surface import text_file
from bot.errors import BadInput, LlampostError
from bot.ui.errors import tell_user
from bot.ui.notice import tell_in_command
from bot.ui.places import author_of, place_of, roles_of
from bot.ui.responses import acknowledge, respond

ASK_ABOUT_THIS = "Ask about this"
"""What people choose in a message's menu, under Apps."""

BLANK = "Ask me something: your question is blank."
NOTHING_THERE = "There is nothing in this message that I can read: no text and no file."
OPTED_OUT = "Whoever wrote this message wants me to keep nothing of theirs, so I can't take it along."

QUOTED, OWN = "The message that I ask about", "Your answer that I ask about"
"""Above the quoted text, without its author's name: nobody who never spoke to the bot is remembered."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message as material for a question."""

    text: TextFile | None
    attachments: list[discord.Attachment]
    url: str


class AskWindow(discord.ui.Modal, title=ASK_ABOUT_THIS):
    """Asks for the question."""

    question: discord.ui.TextInput[AskWindow] = discord.ui.TextInput(
        label="Your question about this message", style=discord.TextStyle.paragraph, max_length=4000
    )

    def __init__(self, ask: Callable[[discord.Interaction[Bot], str], Awaitable[None]]) -> None:
        """Take what to do with the question."""
        super().__init__()
        self._ask = ask

    async def on_submit(self, interaction: discord.Interaction[Bot]) -> None:  # type: ignore[override]
        """Ask it."""
        await self._ask(interaction, self.question.value)

    async def on_error(self, interaction: discord.Interaction[Bot], error: Exception) -> None:  # type: ignore[override]
        """Say what went wrong, and give the question back: it stands nowhere else."""
        await tell_user(interaction, error)
        if isinstance(error, LlampostError) and self.question.value:
            await respond(interaction, "Here is your question:", file=text_file("question.txt", self.question.value))


class Quoting(commands.Cog):
    """The question is answered in the channel, as one that was asked with `/ask`."""

    def __init__(self, bot: Bot) -> None:
        self._services = bot.services
        self._tree = bot.tree
        # discord.py does not find these in a cog by itself.
        self._menu = app_commands.ContextMenu(name=ASK_ABOUT_THIS, callback=self.ask_about_this)

    async def cog_load(self) -> None:
        """Offer the command in the menu of every message."""
        self._tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        """Take it away again."""
        self._tree.remove_command(self._menu.name, type=self._menu.type)

    async def ask_about_this(self, interaction: discord.Interaction[Bot], message: discord.Message) -> None:
        """Ask the language model about a message."""
        quoted = await self._quoted(interaction, message)
        self._services.reader.check(quoted.attachments)

        async def ask(submitted: discord.Interaction[Bot], question: str) -> None:
            await self._ask(submitted, question, quoted)

        await interaction.response.send_modal(AskWindow(ask))

    async def _quoted(self, interaction: discord.Interaction[Bot], message: discord.Message) -> Quoted:
        is_own = message.author == interaction.client.user
        # Of an answer the whole is taken, as the model wrote it, and not one page with what stands around it.
        answer = await self._services.memory.answer_in(place_of(interaction), message.id) if is_own else None
        if not is_own and await self._services.privacy.is_opted_out(author_of(message.author)):
            raise BadInput(OPTED_OUT)
        sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
        parts = [answer.content] if answer and answer.content else [source.content for source in sources]
        text = "\n\n".join(filter(has_words, parts))
        attachments = [] if answer else [file for source in sources for file in source.attachments]
        if not text and not attachments:
            raise BadInput(NOTHING_THERE)
        return Quoted(TextFile(OWN if is_own else QUOTED, text) if text else None, attachments, message.jump_url)

    async def _ask(self, interaction: discord.Interaction[Bot], text: str, quoted: Quoted) -> None:
        if not has_words(text):
            raise BadInput(BLANK)
        await self._services.limits.admit(author_of(interaction.user), interaction.guild_id, roles_of(interaction.user))
        if quoted.attachments:  # a download may take longer than Discord waits for a response
            await acknowledge(interaction, thinking=True)
        author, place = author_of(interaction.user), place_of(interaction)
        material = (quoted.text,) if quoted.text else ()
        question = Question(place, author, text, material)

        async def read() -> Question:
            return replace(question, files=(*material, *await self._services.reader.files(quoted.attachments, place)))

        header = f"{wording.header(author.name, text)} (about {quoted.url})"
        surface = InteractionSurface(self._services.caller, interaction, private=False)
        finished = await self._services.deliveries.answer(
            question, surface, header=header, read=read if quoted.attachments else None
        )
        await tell_in_command(self._services.privacy, interaction, finished)


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(Quoting(bot))
