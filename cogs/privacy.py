"""/privacy: what is kept about a person, for that person; how long a server's conversations are kept."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.privacy import MAX_DAYS, Report, Spot
from bot.chat.profiles import Sourced
from bot.client import Bot
from bot.delivery.surface import NO_MENTIONS
from bot.errors import StorageError
from bot.ui.checks import require, require_server
from bot.ui.confirm import Confirm
from bot.ui.parcel import parcels
from bot.ui.places import author_of
from bot.ui.responses import acknowledge, counted, plain, respond, when

log = logging.getLogger(__name__)

SWEEP_EVERY = 3_600.0
"""Seconds between two looks for what has been kept for long enough."""

CHANNELS_SHOWN = 10
"""Of each server, those with the most questions."""

DELETE = (
    "Shall I delete everything that I keep about you, in all servers: your questions with their files and the answers "
    "to them, and your own settings? What you set up for a server stays, without your name. The messages in Discord "
    "stay too. What is being answered for you, or waits, is stopped. This can't be undone."
)

USED = (
    " Because there is a limit, I have to keep one number in mind until midnight (UTC): that you used {:,} tokens "
    "today. It is stored nowhere."
)


class PrivacyCog(commands.GroupCog, group_name="privacy", group_description="What is kept about you, and for how long"):
    """Everybody decides about themselves; how long a server keeps its conversations is for those who manage it."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._privacy = bot.services.privacy
        self._deliveries = bot.services.deliveries
        self._limits = bot.services.limits
        self._sweeping: asyncio.Task[None] | None = None

    async def cog_load(self) -> None:
        """Begin to delete what has been kept for long enough."""
        self._sweeping = asyncio.create_task(self._sweep())

    async def cog_unload(self) -> None:
        """End that; what is left waits for the next start."""
        if self._sweeping:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)

    async def _sweep(self) -> None:
        while True:
            try:
                if count := await self._privacy.sweep():
                    log.info("%s messages were kept for long enough and are deleted", count)
            except StorageError:
                pass  # the storage has logged it, once
            except Exception:
                log.exception("What has been kept for long enough could not be deleted")
            await asyncio.sleep(SWEEP_EVERY)

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show what is kept about you."""
        await acknowledge(interaction, ephemeral=True)
        report = await self._privacy.report(author_of(interaction.user))
        kept_for = await self._privacy.retention(interaction.guild_id)
        await respond(interaction, "\n".join([*_lines(report), *self._where(report.spots), _kept_for(kept_for)]))

    @app_commands.command()
    async def export(self, interaction: discord.Interaction[Bot]) -> None:
        """Take everything that is kept about you away as a file."""
        await acknowledge(interaction, ephemeral=True)
        person = author_of(interaction.user)
        rows, files = await self._privacy.rows(person), self._privacy.files(person)
        count = 0
        async for parcel in parcels(rows, files, limit=interaction.filesize_limit):
            count += 1
            text = "Here is everything that I keep about you." if count == 1 else f"Here is part {count} of it."
            file = discord.File(parcel, f"about-me-{count}.zip")
            await interaction.followup.send(text, file=file, ephemeral=True, allowed_mentions=NO_MENTIONS)

    @app_commands.command()
    async def delete(self, interaction: discord.Interaction[Bot]) -> None:
        """Delete everything that is kept about you; asks first."""
        person = author_of(interaction.user)

        async def forget() -> str:
            # What is being written or waits would be stored after everything else is gone.
            self._deliveries.stop_of(person.id)
            used = await self._limits.store_no_more(person)
            count = await self._privacy.delete(person)
            stays = " That you opted out stays, for else I would keep what you ask next."
            opted_out = await self._privacy.is_opted_out(person)
            return (
                f"Everything about you is deleted, {count} messages among it.{stays if opted_out else ''}"
                f"{USED.format(used) if used else ''}"
            )

        await Confirm(label="Delete everything", action=forget).ask(interaction, DELETE)

    @app_commands.command(name="opt-out")
    async def opt_out(self, interaction: discord.Interaction[Bot]) -> None:
        """From now on nothing of what you ask is kept."""
        is_new = await self._privacy.opt_out(author_of(interaction.user))
        text = (
            "From now on I keep nothing of what you ask me, only that you want it so. I still answer you, "
            "but the next time I won't know of it."
            if is_new
            else "You have opted out already: I keep nothing of what you ask me."
        )
        await respond(interaction, f"{text} `/privacy delete` also deletes what I kept until now.")

    @app_commands.command(name="opt-in")
    async def opt_in(self, interaction: discord.Interaction[Bot]) -> None:
        """Let what you ask be remembered again."""
        is_new = await self._privacy.opt_in(author_of(interaction.user))
        text = "From now on I remember what you ask me." if is_new else "I remember what you ask me already."
        await respond(interaction, text)

    @app_commands.command()
    @app_commands.describe(days="After how many days questions and answers are deleted here; 0 is never")
    async def retention(
        self, interaction: discord.Interaction[Bot], days: app_commands.Range[int, 0, MAX_DAYS]
    ) -> None:
        """Choose for how long this server's conversations are kept."""
        require(interaction, "manage_guild")
        guild_id = require_server(interaction, "How long conversations are kept is chosen")
        changes = await self._privacy.set_retention(guild_id, days, by=author_of(interaction.user))
        kept = f"deleted after {_days(days)}" if days else "kept until somebody deletes them"
        already = "" if changes else " That was so already."
        await respond(interaction, f"Questions and answers in this server are {kept}.{already}", public=bool(changes))

    def _where(self, spots: Sequence[Spot]) -> list[str]:
        """The channels in which somebody asked, a line a server."""
        lines = []
        for guild_id, group in itertools.groupby(
            sorted(spots, key=lambda it: it.guild_id or 0), lambda it: it.guild_id
        ):
            there = sorted(group, key=lambda it: -it.questions)
            if guild_id is None:
                lines.append(f"- in direct messages: {counted(sum(it.questions for it in there), 'question')}")
                continue
            guild = self._bot.get_guild(guild_id)
            name = plain(guild.name) if guild else f"a server that I have left ({guild_id})"
            channels = ", ".join(f"<#{it.channel_id}> {it.questions}" for it in there[:CHANNELS_SHOWN])
            more = f" and {len(there) - CHANNELS_SHOWN} more channels" if len(there) > CHANNELS_SHOWN else ""
            lines.append(f"- in {name}: {channels}{more}")
        return lines


def _lines(report: Report) -> list[str]:
    opted_out = f"You opted out {when(report.opted_out_at)}: nothing new is kept." if report.opted_out_at else ""
    notes = _notes(report)
    if report.is_empty:
        lines = [f"I keep nothing about you{f' but {notes}' if notes else ''}."]
    else:
        all_of_it = {
            counted(report.questions, "question"): report.questions,
            f"{counted(report.answers, 'answer')} to them": report.answers,
            counted(report.images, "image"): report.images,
            f"{counted(report.settings, 'setting')} that you chose": report.settings,
            f"{counted(report.changes, 'note')} of what you changed in settings": report.changes,
            f"{counted(report.personas, 'version')} of personas that you wrote": report.personas,
        }
        kept = [words for words, count in all_of_it.items() if count]
        since = f" The oldest of it is from {when(report.since)}." if report.since else ""
        lines = [f"I keep about you: {', '.join(kept)}.{since}{f' And {notes}.' if notes else ''}"]
    if notes or not report.is_empty:
        lines.append("`/privacy export` gives all of it to you as a file.")
    return [opted_out, *lines] if opted_out else lines


def _notes(report: Report) -> str:
    """What is noted about somebody beside what they made."""
    found = []
    if report.opted_out_at:
        found.append("that you opted out")
    elif report.told_at:
        found.append("that I told you what I keep")
    if report.counts_tokens:
        found.append("how many tokens you used on a day, because there is a limit")
    return ", and ".join(found)


def _kept_for(found: Sourced[int]) -> str:
    if not found.value:
        return "Questions and answers here are kept until somebody deletes them."
    return f"Questions and answers here are deleted after {_days(found.value)}, from {found.source}."


def _days(days: int) -> str:
    return counted(days, "day")


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(PrivacyCog(bot))
