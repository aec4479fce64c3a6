"""How commands answer: in plain text, privately unless it is news for the channel, never longer than a message."""

from __future__ import annotations

from datetime import datetime

import discord

from bot.delivery.pages import LIMIT
from bot.delivery.surface import NO_MENTIONS, text_file
from bot.delivery.text import units


async def respond(
    interaction: discord.Interaction[discord.Client],
    text: str,
    *,
    file: discord.File | None = None,
    public: bool = False,
) -> None:
    """Answer a command; what is too long for a message comes as a file.

    Only its author sees it, unless it is `public`: news for everybody in the channel.
    """
    if units(text) > LIMIT:
        file = file or text_file("answer.md", text)
        text = "It is too long for a message, so here it is as a file."
    files = [file] if file else []
    send = interaction.followup.send if interaction.response.is_done() else interaction.response.send_message
    await send(text, files=files, ephemeral=not public, allowed_mentions=NO_MENTIONS, suppress_embeds=True)


def quoted(text: str) -> str:
    """A text set off by a bar at its left."""
    return "\n".join(f"> {line}" for line in text.splitlines())


def plain(text: str) -> str:
    """What a person chose, such as a name, so that Discord shows it as it is: no Markdown, no link, no mention."""
    escaped = discord.utils.escape_markdown(" ".join(text.split()), ignore_links=False)
    return discord.utils.escape_mentions(escaped).replace("<", "\\<")


def first_words(text: str, length: int) -> str:
    """The beginning of what somebody wrote, on one line and as it stands there."""
    words = discord.utils.escape_markdown(" ".join(text.split()))
    return words if len(words) <= length else words[: length - 1] + "…"


def when(moment: datetime) -> str:
    """A moment that Discord shows in each reader's own time and language."""
    return discord.utils.format_dt(moment, "R")
