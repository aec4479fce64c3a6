"""“Ask about this”: a question about any message, whose text and files the model reads too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.answers import Question, has_words
from bot.client import Bot
from bot.delivery import wording
from bot.delivery.interaction_surface import InteractionSurface
from bot.delivery.surface import text_file
from bot.errors import BadInput, LlampostError
from bot.ui.errors import tell_user
from bot.ui.notice import tell_in_command
from bot.ui.places import author_of, place_of, roles_of
from bot.ui.quotes import ASK_ABOUT_THIS, NOTHING_THERE, Quoted
from bot.ui.responses import acknowledge, respond

BLANK = "Ask me something: your question is blank."


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
        me, asker = interaction.client.user, author_of(interaction.user)
        quoted = await self._services.quotes.of(message, place_of(interaction), me, by=asker)
        if quoted.is_empty:
            raise BadInput(NOTHING_THERE)
        self._services.reader.check(quoted.attachments)

        async def ask(submitted: discord.Interaction[Bot], question: str) -> None:
            await self._ask(submitted, question, quoted, message.jump_url)

        await interaction.response.send_modal(AskWindow(ask))

    async def _ask(self, interaction: discord.Interaction[Bot], text: str, quoted: Quoted, url: str) -> None:
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

        header = f"{wording.header(author.name, text)} (about {url})"
        surface = InteractionSurface(self._services.caller, interaction, private=False)
        finished = await self._services.deliveries.answer(
            question, surface, header=header, read=read if quoted.attachments else None
        )
        await tell_in_command(self._services.privacy, interaction, finished)


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(Quoting(bot))
