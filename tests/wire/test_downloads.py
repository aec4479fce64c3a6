"""Downloads of models whose bot is stopped, or dies: their messages say so, whoever looks at them, and whenever."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest

from playground.bot_process import BotProcess
from playground.discord import Message, Permission, errors

from .stage import PATIENCE, Held, Stage, pages, shows, stored

pytestmark = pytest.mark.wire

CUT_OFF = "This download was cut off by a restart of the bot. Ask for it again: it goes on where it stopped."


async def test_a_download_is_cancelled_by_a_restart_and_says_so(stage: Stage) -> None:
    stage.ollama.pull = [{"status": "pulling manifest"}, {"status": "success"}]
    held = Held(stage.ollama, before=1)
    boss = stage.guild.add_member("Boss", permissions=Permission.MANAGE_GUILD)
    async with stage.bot(OLLAMA_PULL_ALLOW="llama3*"):
        download = boss.slash(stage.channel, "model pull", name="llama3.2")
        await download.message(shows("pulling manifest"))

    assert download.original.content == "The download of **llama3.2** was cancelled: the bot is being restarted."
    assert not download.original.components
    await held.left()


@asynccontextmanager
async def two_downloads(stage: Stage) -> AsyncIterator[tuple[BotProcess, list[Message]]]:
    """Begun and shown, one in a channel and one in a thread; noted as well."""
    stage.ollama.pull = [{"status": "pulling manifest"}, {"status": "success"}]
    held = Held(stage.ollama, before=1)
    boss = stage.guild.add_member("Boss", permissions=Permission.MANAGE_GUILD)
    async with stage.bot(OLLAMA_PULL_ALLOW="llama3*") as bot:
        shown = []
        for place, name in ((stage.channel, "llama3.1"), (stage.channel.thread("aside"), "llama3.2")):
            download = boss.slash(place, "model pull", name=name)
            shown.append(await download.message(shows("pulling manifest")))
            await held.reached()
        await stored(stage, 1, "state WHERE key = 'downloads' AND value LIKE '% %'")
        yield bot, shown
        await stored(stage, 1, "state WHERE key = 'downloads' AND value = ''")
        assert "Traceback" not in bot.log()


async def says_cut_off(stage: Stage, message: Message) -> None:
    """Wait until a download's message says that a restart cut it off, and has no button any more."""
    event = await stage.discord.wait_for(
        lambda event: event.message and event.message.id == message.id and event.message.content == CUT_OFF
    )
    assert event.message
    assert not event.message.components


async def test_downloads_that_a_crash_cut_off_are_said_to_be_by_the_next_start(stage: Stage) -> None:
    async with two_downloads(stage) as (bot, begun):
        await bot.kill()
        await bot.start()

        for message in begun:
            await says_cut_off(stage, message)


async def test_of_downloads_that_were_cut_off_one_that_is_gone_holds_up_no_other(stage: Stage) -> None:
    async with two_downloads(stage) as (bot, begun):
        await bot.kill()
        stage.discord.delete_message(begun[0])
        await bot.start()

        await says_cut_off(stage, begun[1])


async def test_a_download_whose_message_is_out_of_reach_at_one_start_is_said_to_be_cut_off_at_the_next(
    stage: Stage,
) -> None:
    async with two_downloads(stage) as (bot, begun):
        await bot.kill()
        faults = stage.discord.faults
        faults.refuse("GET", f"/messages/{begun[0].id}", errors.unauthorized())
        faults.refuse("PATCH", f"/messages/{begun[1].id}", errors.unauthorized())
        await bot.start()
        async with asyncio.timeout(PATIENCE):
            while bot.log().count("can't be changed now") < 2:  # noqa: ASYNC110  # the log is all that tells
                await asyncio.sleep(0.02)
        await bot.kill()
        await bot.start()

        for message in begun:
            await says_cut_off(stage, message)


async def test_a_download_that_ended_just_before_the_crash_is_left_as_it_is(stage: Stage) -> None:
    async with two_downloads(stage) as (bot, begun):
        await bot.kill()
        with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
            [(noted,)] = connection.execute("SELECT value FROM state WHERE key = 'downloads'")
        stage.ollama.between = None
        await bot.start()
        for message in begun:
            await says_cut_off(stage, message)
        boss = stage.guild.add_member("Another", permissions=Permission.MANAGE_GUILD)
        done = await boss.slash(stage.channel, "model pull", name="llama3.3").message(shows("is downloaded"))
        await bot.kill()
        with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
            value = f"{noted} {stage.channel.id}/{done.id}"
            connection.execute("UPDATE state SET value = ? WHERE key = 'downloads'", [value])
            connection.commit()
        await bot.start()

        await stored(stage, 1, "state WHERE key = 'downloads' AND value = ''")
        assert [page.content for page in pages(stage.channel)] == [CUT_OFF, done.content]


async def test_the_button_of_a_download_that_a_crash_ended_says_so_where_the_start_could_not(stage: Stage) -> None:
    async with two_downloads(stage) as (bot, begun):
        await bot.kill()
        refused = stage.discord.faults.refuse("GET", "/messages/", errors.missing_permissions(), times=2)
        await bot.start()
        await stored(stage, 1, "state WHERE key = 'downloads' AND value = ''")
        assert refused.hits == 2

        stage.guild.add_member("Another", permissions=Permission.MANAGE_GUILD).click(begun[0], "Cancel")

        await says_cut_off(stage, begun[0])
