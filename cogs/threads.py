"""“Continue in a thread”: a conversation goes on from one of its answers, apart from the channel."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.messages import Answer, Place
from bot.client import Bot
from bot.errors import BadInput
from bot.ui.checks import permission_name, require
from bot.ui.places import author_of, place_of
from bot.ui.responses import acknowledge, respond

CONTINUE_IN_A_THREAD = "Continue in a thread"
"""What people choose in a message's menu, under Apps."""

NOT_MINE = "This message is not mine; a thread can go on from one of my answers only."
NO_THREADS = "Discord has no threads here: they belong to a server's text channels."
THERE_IS_ONE = "There is a thread at this answer already: <#{id}>."
"""A thread has the id of the message that it was opened at."""

FOR_ALL = (
    "{who} The conversation goes on here, apart from the channel. I remember the {count} messages up to the answer "
    "above; mention me to ask."
)
FOR_ONE = (
    "{who} Your conversation goes on here, apart from the channel. For you I remember the {count} messages up to the "
    "answer above; with everybody else I begin anew, because here each person has a conversation of their own. Mention "
    "me to ask."
)

MAX_NAME = 100
"""Discord's limit for a thread's name, in characters."""

_THERE_IS_ONE = 160004


class Threads(commands.Cog):
    """The thread's own copy of the memory ends with the answer; what is said in the channel later stays there."""

    def __init__(self, bot: Bot) -> None:
        self._branching = bot.services.branching
        self._conversations = bot.services.conversations
        self._tree = bot.tree
        # discord.py does not find these in a cog by itself.
        self._menu = app_commands.ContextMenu(name=CONTINUE_IN_A_THREAD, callback=self.continue_in_a_thread)

    async def cog_load(self) -> None:
        """Offer the command in the menu of every message."""
        self._tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        """Take it away again."""
        self._tree.remove_command(self._menu.name, type=self._menu.type)

    async def continue_in_a_thread(self, interaction: discord.Interaction[Bot], message: discord.Message) -> None:
        """Open a thread at an answer, in which the conversation goes on from there."""
        if message.author != interaction.client.user:
            raise BadInput(NOT_MINE)
        if not isinstance(interaction.channel, discord.TextChannel):
            raise BadInput(NO_THREADS)
        _require_thread_rights(interaction)
        if message.flags.has_thread or message.thread:
            raise BadInput(THERE_IS_ONE.format(id=message.id))
        answer = await self._branching.answer(place_of(interaction), message.id)
        # Discord may take longer to open it than it waits for a response.
        await acknowledge(interaction, ephemeral=True, thinking=True)
        thread = await _open(message, _name(answer))
        place, person = Place(thread.id, thread.guild.id, thread.parent_id), author_of(interaction.user)
        count = await self._branching.go_on(answer, place, by=person)
        is_theirs_alone = (await self._conversations.of(place, person)).owner_id is not None
        words = (FOR_ONE if is_theirs_alone else FOR_ALL).format(who=interaction.user.mention, count=count)
        # The mention takes the person into the thread.
        await thread.send(
            words,
            allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=[interaction.user]),
        )
        await respond(interaction, f"The conversation goes on in <#{thread.id}>.")


def _require_thread_rights(interaction: discord.Interaction[Bot]) -> None:
    """Raise NotAllowed for the person's rights, BadInput for the bot's own."""
    require(interaction, "create_public_threads")
    for permission in ("view_channel", "create_public_threads", "send_messages_in_threads"):
        if not getattr(interaction.app_permissions, permission):
            name = permission_name(permission)
            raise BadInput(f"I lack the permission “{name}” here. Please ask a server manager to grant it.")


async def _open(message: discord.Message, name: str) -> discord.Thread:
    try:
        return await message.create_thread(name=name)
    except discord.HTTPException as error:
        if error.code == _THERE_IS_ONE:  # somebody else was quicker
            raise BadInput(THERE_IS_ONE.format(id=message.id)) from error
        raise


def _name(answer: Answer) -> str:
    """The thread is called as its question begins."""
    words = " ".join(answer.question.split()) or "Conversation"
    return words if len(words) <= MAX_NAME else words[: MAX_NAME - 1] + "…"


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(Threads(bot))
