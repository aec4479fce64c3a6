"""The one door through which an error reaches a person."""

from __future__ import annotations

import logging
from contextlib import suppress

import discord
from discord import app_commands

from bot.delivery.pages import LIMIT
from bot.delivery.surface import UNSAID, will_pass
from bot.delivery.text import fitting
from bot.errors import LlampostError, explain
from bot.ui.responses import respond

log = logging.getLogger(__name__)

TRY_AGAIN = "Discord did not take what I sent. Please try it again in a moment."
TOO_LATE = "I was too slow for Discord. Please try it again."
UNKNOWN_INTERACTION = 10062


def sentence(error: BaseException) -> str:
    """What went wrong, for the person who met it; no longer than a message, whatever the sentence lists."""
    text = _sentence(error)
    return text[: fitting(text, LIMIT)]


def _sentence(error: BaseException) -> str:
    match error:
        case app_commands.CommandInvokeError(original=original):
            return _sentence(original)
        case LlampostError():
            return explain(error)
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            return "This command has just changed. Please type it again; restarting Discord helps if it goes on."
        case app_commands.TransformerError():
            return f"“{str(error.value)[:60]}” is not allowed there."
        case app_commands.CheckFailure():
            return "You may not use this command here."
        case discord.Forbidden():
            log.warning("Discord refused: %s", error)
            return "Discord does not let me do that here: I lack a permission in this channel."
        case discord.NotFound(code=code) if code == UNKNOWN_INTERACTION:
            log.warning("An interaction was answered too late: %s", error)
            return TOO_LATE
        case _ if will_pass(error):
            log.warning("Discord did not take a call: %s", error)
            return TRY_AGAIN
        case _:
            return explain(error)


async def tell_user(interaction: discord.Interaction[discord.Client], error: BaseException) -> None:
    """Answer a command or click with one sentence that only its author sees."""
    text = sentence(error)
    with suppress(*UNSAID):  # the interaction or the connection is gone: there is nobody left to tell
        await respond(interaction, text)
