"""Details: how an answer came to be, and Replay: whether the same comes out again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import discord
from discord.ext import commands

from bot.chat.messages import Author, Place
from bot.client import Bot
from bot.delivery.interaction_surface import TOKEN_LIFE
from bot.delivery.surface import NO_MENTIONS, PASSING, text_file
from bot.errors import BadInput
from bot.ui.comparison import DIFFERENCE, difference, verdict
from bot.ui.details import REPLAY, DetailsButton, details_text
from bot.ui.errors import sentence, tell_user
from bot.ui.places import author_of, place_of, roles_of

REPEATING = "-# Asking the model the very same again… That takes about as long as the answer took."
ONE_AT_A_TIME = "Your last replay is still running; please wait for its result."
TOO_SLOW = "The replay took longer than Discord lets me show its result, so it was stopped."
RESTARTED = "Interrupted: the bot is being restarted. Please press Replay again in a minute."

Press = discord.Interaction[Bot]


class DetailsCog(commands.Cog, name="Details"):
    """For everybody who sees an answer; what they ask to see is shown to nobody else."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._receipts = bot.services.receipts
        self._limits = bot.services.limits
        self._running: dict[int, asyncio.Task[object]] = {}
        """Replays, by the person who waits for them."""

    async def cog_load(self) -> None:
        """Take up presses of all buttons, also of those that an earlier process made."""
        self._bot.add_dynamic_items(DetailsButton)

    async def cog_unload(self) -> None:
        """Take up no more, and let those who wait for a replay know."""
        self._bot.remove_dynamic_items(DetailsButton)
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    @commands.Cog.listener()
    async def on_details_pressed(self, interaction: Press, answer_id: int) -> None:
        """Show how an answer came to be."""
        if not self._bot.heard.is_news(interaction.id):
            return
        try:
            text = details_text(await self._receipts.details(place_of(interaction), answer_id))
            view = discord.ui.View(timeout=None)
            view.add_item(DetailsButton(answer_id, REPLAY))
            await interaction.response.send_message(
                text, view=view, ephemeral=True, allowed_mentions=NO_MENTIONS, suppress_embeds=True
            )
        except Exception as error:  # noqa: BLE001  # the door for errors of buttons
            await tell_user(interaction, error)

    @commands.Cog.listener()
    async def on_replay_pressed(self, interaction: Press, answer_id: int) -> None:
        """Ask for an answer again and compare."""
        if not self._bot.heard.is_news(interaction.id):
            return
        person, place = author_of(interaction.user), place_of(interaction)
        if person.id in self._running:
            await tell_user(interaction, BadInput(ONE_AT_A_TIME))
            return
        task = self._running[person.id] = asyncio.create_task(self._replay(interaction, place, person, answer_id))
        task.add_done_callback(lambda _: self._running.pop(person.id))

    async def _replay(self, interaction: Press, place: Place, person: Author, answer_id: int) -> None:
        try:
            await interaction.response.send_message(REPEATING, ephemeral=True, allowed_mentions=NO_MENTIONS)
            # The model has as much to do as for a question.
            await self._limits.admit(person, place.guild_id, roles_of(interaction.user))
            async with asyncio.timeout(TOKEN_LIFE):
                repetition = await self._receipts.repeat(place, person, answer_id, waiting=lambda *_: None)
        except asyncio.CancelledError:
            await _show(interaction, RESTARTED)
        except TimeoutError:
            await _show(interaction, TOO_SLOW)
        except Exception as error:  # noqa: BLE001  # the door for errors of buttons
            await _show(interaction, sentence(error))
        else:
            is_same = repetition.is_identical
            file = None if is_same else text_file(DIFFERENCE, difference(repetition))
            await _show(interaction, verdict(repetition), file)


async def _show(interaction: Press, text: str, file: discord.File | None = None) -> None:
    with suppress(*PASSING):  # the person dismissed the message, or the connection is gone
        files = [file] if file else []
        await interaction.edit_original_response(content=text, attachments=files, allowed_mentions=NO_MENTIONS)


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(DetailsCog(bot))
