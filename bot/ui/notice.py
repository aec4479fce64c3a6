"""What a person is told once, privately, after their first answer: what is kept, and how to prevent it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import discord

from bot.chat.answers import Finished
from bot.chat.messages import Author, EndReason
from bot.chat.privacy import Notice, Privacy
from bot.delivery.surface import NO_MENTIONS, UNSAID
from bot.errors import StorageError
from bot.ui.places import author_of

log = logging.getLogger(__name__)

WORDS = {
    Notice.KEPT: (
        "-# I say this only once, and only to you: I keep what you ask me and what I answer, so that a conversation "
        "can go on. `/privacy show` says what is kept about you, `/privacy delete` deletes it, "
        "and after `/privacy opt-out` I keep nothing."
    ),
    Notice.NOT_KEPT: (
        "-# I say this only once, and only to you: you opted out, so I answer you, but keep nothing of it, and know "
        "nothing of it the next time. `/privacy opt-in` changes that."
    ),
}


async def tell_in_command(
    privacy: Privacy, interaction: discord.Interaction[discord.Client], finished: Finished
) -> None:
    """After an answer that everybody sees: a follow-up that only the person sees."""
    # Whether the interaction still lets us is for Discord to say: `is_expired` believes the clock of this machine.
    if interaction.response.is_done():

        async def send(text: str) -> None:
            await interaction.followup.send(text, ephemeral=True, silent=True, allowed_mentions=NO_MENTIONS)

        await _tell(privacy, author_of(interaction.user), finished, send, directly=False)


async def tell_directly(privacy: Privacy, user: discord.User | discord.Member, finished: Finished) -> None:
    """After the answer to a message: a direct message, which is the only thing in Discord that nobody else sees."""

    async def send(text: str) -> None:
        await user.send(text, silent=True, allowed_mentions=NO_MENTIONS)

    await _tell(privacy, author_of(user), finished, send, directly=True)


async def _tell(
    privacy: Privacy, person: Author, finished: Finished, send: Callable[[str], Awaitable[None]], *, directly: bool
) -> None:
    """Say what is due, if anything is; the answer is there already, so trouble with this is nobody else's."""
    if finished.reason not in {EndReason.COMPLETE, EndReason.LENGTH}:
        return
    try:
        if notice := await privacy.notice(person, directly=directly):
            await send(WORDS[notice])
            await privacy.was_told(person)
    except UNSAID as error:
        log.info("A person could not be told what is kept: %s", error)
        privacy.was_not_told(person, directly=directly)
    except StorageError:
        pass  # the storage has logged it, once
    except Exception:
        log.exception("A person could not be told what is kept")
