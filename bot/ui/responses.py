"""How commands answer: in plain text, privately unless it is news for the channel, never longer than a message."""

from __future__ import annotations

from datetime import datetime

import discord

from bot.delivery.pages import LIMIT
from bot.delivery.surface import ANSWERED_ALREADY, NO_MENTIONS, persist, text_file
from bot.delivery.text import units

_ACKNOWLEDGED = "acknowledged"


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
    is_answered = interaction.response.is_done() or _ACKNOWLEDGED in interaction.extras
    send = interaction.followup.send if is_answered else interaction.response.send_message
    try:
        await send(text, files=files, ephemeral=not public, allowed_mentions=NO_MENTIONS, suppress_embeds=True)
    except discord.HTTPException as error:
        if error.code != ANSWERED_ALREADY:  # discord.py sent it twice, and the first one came through
            raise


async def acknowledge(interaction: discord.Interaction[discord.Client], **how: bool) -> None:
    """Defer the response, so that Discord waits; with the arguments of discord.py's `defer`.

    What somebody pressed or typed is not to be lost for a broken connection, so it is tried again.
    """

    async def defer() -> None:
        try:
            await interaction.response.defer(**how)
        except discord.HTTPException as error:
            if error.code != ANSWERED_ALREADY:
                raise
            # An earlier try came through, only its confirmation was lost; discord.py does not know of it.
            interaction.extras[_ACKNOWLEDGED] = True

    await persist(defer)


def counted(number: int, what: str) -> str:
    """So many of something that takes an s where there are several."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


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
