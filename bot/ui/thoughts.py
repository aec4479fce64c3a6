"""The button behind which a model's thoughts are folded, and how they are shown to whoever presses it."""

from __future__ import annotations

import re
from typing import Any, Self

import discord

from bot.chat.thoughts import KEPT, Thoughts
from bot.delivery.pages import LIMIT
from bot.delivery.surface import text_file
from bot.delivery.text import units
from bot.errors import BadInput, NotAllowed
from bot.ui.checks import may
from bot.ui.responses import quoted, respond

PRESSED = "thoughts_pressed"
"""The event that a press becomes, with the interaction and the answer's id, for the cog that can look them up."""

GONE = f"These thoughts are no longer there: they are kept for {KEPT.days} days, and go with their answer."
NOT_THEIRS = "Only the person who asked, or somebody who may manage messages here, can look at these thoughts."
TOO_LONG = "The thoughts are too long for a message, so here they are as a file."


class ThoughtsButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"thoughts:(?P<answer_id>[0-9]{1,18})"
):
    """Works after a restart too, since its id says whose thoughts it shows."""

    def __init__(self, answer_id: int) -> None:
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label="Thoughts", style=discord.ButtonStyle.secondary, custom_id=f"thoughts:{answer_id}"
        )
        super().__init__(button)
        self.answer_id = answer_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003  # discord.py's signature
        item: discord.ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
        /,
    ) -> Self:
        """The button that somebody pressed."""
        return cls(int(match["answer_id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Pass it on."""
        interaction.client.dispatch(PRESSED, interaction, self.answer_id)


async def show_thoughts(interaction: discord.Interaction[discord.Client], thoughts: Thoughts | None) -> None:
    """Show them to nobody but the person who pressed.

    Raises BadInput where there are none here (any more), NotAllowed where they are not for this person.
    """
    if thoughts is None or thoughts.channel_id != interaction.channel_id:
        raise BadInput(GONE)
    if interaction.user.id != thoughts.asker_id and not may(interaction, "manage_messages"):
        raise NotAllowed(NOT_THEIRS)
    text = quoted(thoughts.text)
    if units(text) > LIMIT:
        await respond(interaction, TOO_LONG, file=text_file("thoughts.md", thoughts.text))
    else:
        await respond(interaction, text)
