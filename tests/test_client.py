"""The bot as a whole: its start, its end, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import discord
import pytest
from discord import app_commands
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from bot import app
from bot.assembly import build_services
from bot.chat.messages import Author, EndReason, OpenAnswer, Place, Receipt
from bot.client import Bot, Services
from bot.config import Settings, read_settings
from bot.delivery import wording
from bot.delivery.budgets import Budgets
from bot.llm.ollama import OllamaModel
from bot.storage.database import open_database
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, WaitsForOthers, answers, file_of, may_notify, refused, said, shut_down, texts

SIGNATURE = f"-# {MODEL} · assistant"
INTERRUPTED = "⚠️ Interrupted by a restart of the bot."
BEGUN, BLANK = (
    f"{INTERRUPTED} Continue goes on from here, Regenerate begins anew.",
    f"{INTERRUPTED} Regenerate begins anew.",
)
BARE = f"{INTERRUPTED} Please ask again."
PUT_OFF = "-# Waiting: the bot is being restarted. It answers this when it is back."


def syncs(env: Env) -> int:
    """How often Discord was told the commands."""
    return sum(entry.method == "PUT" and entry.path.endswith("/commands") for entry in env.http_requests)


# The start


def test_every_cog_on_disk_is_loaded() -> None:
    on_disk = {f"cogs.{path.stem}" for path in Path(app.__file__).parent.with_name("cogs").glob("[!_]*.py")}

    assert set(app.COGS) == on_disk
    assert len(app.COGS) == len(on_disk)


async def test_a_cog_that_does_not_load_ends_the_start(services: Services) -> None:
    broken = Bot(services=services, cogs=["cogs.nothing"], message_content=False)

    with pytest.raises(discord.ext.commands.ExtensionNotFound):
        await broken.setup_hook()


@pytest.mark.parametrize(("variable", "wanted"), [("true", True), ("false", False)])
def test_only_where_the_operator_says_so_the_text_of_every_message_is_asked_for(
    variable: str, wanted: bool, environment: dict[str, str], services: Services
) -> None:
    settings = read_settings(environment | {"MESSAGE_CONTENT_INTENT": variable})

    bot = app.build_bot(settings, services)

    assert bot.intents.message_content is wanted
    assert not bot.intents.members
    assert not bot.intents.presences


def test_by_default_nothing_that_the_bot_says_notifies(new_bot: Callable[[], Bot]) -> None:
    allowed = new_bot().allowed_mentions

    assert allowed is not None
    assert allowed.to_dict() == discord.AllowedMentions.none().to_dict()


async def test_commands_are_told_once_and_again_only_when_they_change(
    env: Env, new_bot: Callable[[], Bot], services: Services, channel: ChannelHandle, alice: MemberActor
) -> None:
    first = syncs(env)
    await env.restart_bot(new_bot())
    unchanged = syncs(env)
    await env.restart_bot(Bot(services=services, cogs=["cogs.history"], message_content=False))
    changed = syncs(env)

    assert (first, unchanged, changed) == (1, 1, 2)
    assert alice.available_commands(channel) == (
        "history show",
        "history undo",
        "history clear",
        "history export",
    )


async def test_a_restarted_bot_still_knows_everything(
    env: Env, new_bot: Callable[[], Bot], alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="My name is Alice.")
    await env.restart_bot(new_bot())
    await alice.slash(channel, "ask", prompt="Who am I?")

    assert ("user", "My name is Alice.") in fake.prompts[1]


# The end


async def test_a_shutdown_lets_a_running_answer_end(
    env: Env, simcord_bot: Bot, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=1)
    answer = await alice.slash(channel, "ask", prompt="Why?")

    closing = asyncio.create_task(simcord_bot.close())
    await asyncio.sleep(0)
    await gate.open()
    await closing

    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"
    assert fake.closed == 0


async def test_a_shutdown_that_can_not_wait_marks_what_is_written_and_puts_off_what_waits(
    env: Env, simcord_bot: Bot, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = Gate(env, before=1)
    running = await alice.slash(channel, "ask", prompt="Why?")
    await alice.send(channel, f"{me} And why that?")

    await shut_down(env, simcord_bot, after=9)

    assert said(running) == f"-# alice asked: Why?\nHello\n{BEGUN}\n{SIGNATURE}"
    assert texts(channel)[-1] == PUT_OFF
    assert fake.closed == 1


async def test_what_was_said_before_the_shutdown_is_remembered(
    env: Env,
    simcord_bot: Bot,
    new_bot: Callable[[], Bot],
    services: Services,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
) -> None:
    fake.between = Gate(env, before=1)
    await alice.slash(channel, "ask", prompt="Why?")

    await shut_down(env, simcord_bot, after=9)

    [question, answer] = await services.memory.branch(Place(channel.id, alice.guild.id))
    assert (question.content, answer.content) == ("Why?", "Hello ")
    assert answer.end_reason is EndReason.INTERRUPTED


async def test_while_it_shuts_down_the_bot_takes_no_more_questions(
    env: Env, simcord_bot: Bot, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await simcord_bot.services.deliveries.close()

    refusal = await alice.slash(channel, "ask", prompt="Why?")
    await alice.send(channel, f"{me} Why?")

    assert refused(refusal) == "The bot is being restarted; please ask again in a minute."
    assert texts(channel)[-1] == "The bot is being restarted; please ask again in a minute."
    assert fake.asked == []


# After a crash


def on_way(channel: ChannelHandle, alice: MemberActor) -> OpenAnswer:
    return OpenAnswer(place=Place(channel.id, alice.guild.id), opened_at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("left", "mended"),
    [
        ("-# alice asked: Why?\nHello\n-# Writing…", f"-# alice asked: Why?\nHello\n{BLANK}"),
        ("-# alice asked: Why?", f"-# alice asked: Why?\n{BLANK}"),
        ("-# One moment…", BLANK),
        ("A full page\n\n```\ncode\n```", f"A full page\n\n```\ncode\n```\n{BLANK}"),
    ],
)
async def test_what_can_be_read_in_discord_only_stays_there(
    left: str,
    mended: str,
    env: Env,
    new_bot: Callable[[], Bot],
    services: Services,
    alice: MemberActor,
    channel: ChannelHandle,
) -> None:
    """The memory has the question and the message, and of the answer nothing yet."""
    suppressed = discord.MessageFlags(suppress_embeds=True).value
    me = env.backend.bot_user.id
    done = env.backend.create_message(channel.id, me, "The page before", flags=suppressed)
    last = env.backend.create_message(channel.id, me, left, flags=suppressed)
    _, answer_id, _ = await services.memory.begin(Place(channel.id, alice.guild.id), Author(alice.id, "alice"), "Why?")
    for page in (done, last):
        await services.memory.shown_as(answer_id, page.id)
    await services.open_answers.open(replace(on_way(channel, alice), discord_id=last.id, answer_id=answer_id))

    await env.restart_bot(new_bot())

    assert answers(env, channel) == ["The page before", mended]
    assert channel.history()[-1].flags.suppress_embeds
    assert may_notify(env) == set()
    await env.restart_bot(new_bot())
    assert answers(env, channel) == ["The page before", mended]


async def test_a_crash_in_mid_answer_is_mended(
    env: Env,
    settings: Settings,
    database_file: Path,
    environment: dict[str, str],
    model: OllamaModel,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    me: str,
    tmp_path: Path,
) -> None:
    """The next process finds the database as it was in the middle of the answer."""
    fake.between = Gate(env, before=1)
    await alice.send(channel, f"{me} Why?")
    copy = tmp_path / "at-the-crash.db"
    with closing(sqlite3.connect(database_file)) as now, closing(sqlite3.connect(copy)) as then:
        now.backup(then)

    async with await open_database(f"sqlite+aiosqlite:///{copy}") as database:
        services = build_services(
            settings, database=database, model=model, environment=environment, budgets=Budgets(unlimited=True)
        )
        before = texts(channel)[-1]
        await env.restart_bot(app.build_bot(settings, services))
        await env.settle()

    assert before == "Hello\n-# Writing…"
    assert texts(channel)[-1] == f"Hello\n{BEGUN}"


async def test_messages_that_are_gone_do_not_hinder_the_start(
    env: Env, new_bot: Callable[[], Bot], services: Services, alice: MemberActor, channel: ChannelHandle
) -> None:
    left = env.backend.create_message(channel.id, env.backend.bot_user.id, "Hello\n-# Writing…")
    for message_id in (4242, left.id):
        await services.open_answers.open(replace(on_way(channel, alice), discord_id=message_id))

    await env.restart_bot(new_bot())

    assert answers(env, channel) == [f"Hello\n{BARE}"]
    assert await services.open_answers.all() == []


async def test_an_answer_that_was_complete_but_not_shown_is_shown(
    env: Env, new_bot: Callable[[], Bot], services: Services, alice: MemberActor, channel: ChannelHandle
) -> None:
    """The memory has the whole answer, the message only its beginning."""
    left = env.backend.create_message(channel.id, env.backend.bot_user.id, "Hello\n-# Writing…")
    _, answer_id, _ = await services.memory.begin(Place(channel.id, alice.guild.id), Author(alice.id, "alice"), "Why?")
    await services.memory.shown_as(answer_id, left.id)
    header = "-# alice asked: Why?"
    await services.open_answers.open(
        replace(on_way(channel, alice), discord_id=left.id, answer_id=answer_id, header=header)
    )
    await services.memory.finish(answer_id, "Hello there.", EndReason.COMPLETE, Receipt(MODEL, "assistant", 0, {}))

    await env.restart_bot(new_bot())

    assert answers(env, channel) == [f"{header}\nHello there.\n{SIGNATURE}"]
    assert await services.open_answers.all() == []


async def test_a_message_that_reads_as_it_should_is_left_alone(
    env: Env, new_bot: Callable[[], Bot], services: Services, alice: MemberActor, channel: ChannelHandle
) -> None:
    """The crash came between the last edit and its note; of the answer nothing is kept."""
    done = env.backend.create_message(channel.id, env.backend.bot_user.id, f"Hello\n{SIGNATURE}")
    await services.open_answers.open(replace(on_way(channel, alice), discord_id=done.id, key="0a"))

    await env.restart_bot(new_bot())

    assert answers(env, channel) == [f"Hello\n{SIGNATURE}"]
    assert await services.open_answers.all() == []


@pytest.mark.parametrize("question", ["Why?", "Why? " * 100])
async def test_a_question_that_waited_too_long_is_given_back(
    question: str, env: Env, new_bot: Callable[[], Bot], services: Services, alice: MemberActor, channel: ChannelHandle
) -> None:
    header = wording.header("alice", question)
    left = env.backend.create_message(channel.id, env.backend.bot_user.id, f"{header}\n-# Waiting: one other")
    waiting = replace(
        on_way(channel, alice),
        opened_at=datetime.now(UTC) - timedelta(hours=2),
        discord_id=left.id,
        header=header,
        asker=Author(alice.id, "alice"),
        interaction_id=4,
        question=question,
        may_be_asked=True,
    )
    await services.open_answers.open(waiting)

    await env.restart_bot(new_bot())

    first, *files = [message for message in channel.history() if message.author.id == env.backend.bot_user.id]
    assert first.content == f"{header}\n⚠️ {wording.NOT_REACHED}"
    assert [file_of(env, file) for file in files] == ([question] if len(question) > 300 else [])
    assert await services.open_answers.all() == []


# Errors without a sentence of their own


async def test_a_command_that_discord_knows_and_the_bot_does_not_is_explained(
    env: Env, services: Services, alice: MemberActor, channel: ChannelHandle
) -> None:
    await env.restart_bot(Bot(services=services, cogs=app.COGS, message_content=False))
    bot = env.bot
    assert isinstance(bot, Bot)
    bot.tree.remove_command("history")
    env.check_errors = False

    refusal = await alice.slash(channel, "history show")

    assert refused(refusal) == (
        "This command has just changed. Please type it again; restarting Discord helps if it goes on."
    )
    assert isinstance(env.errors[-1], app_commands.CommandNotFound)
    assert isinstance(env._work.external_waits, WaitsForOthers)
