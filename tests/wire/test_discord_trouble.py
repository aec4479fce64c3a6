"""What goes wrong between the bot and Discord in the middle of an answer."""

from __future__ import annotations

import pytest

from playground.bot_process import BotProcess
from playground.discord import EventKind, Permission

from .stage import PATIENCE, Held, Stage, answer, is_finished, shows

pytestmark = pytest.mark.wire

TEXT = "Hello there."
FOOTER = "-# tiny:1b · assistant"


async def test_a_dropped_gateway_is_resumed_and_the_answer_completes(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    asked, mention = stage.ask("Hi"), stage.anna.say(stage.guild.add_channel("other"), "Hi", mention_bot=True)
    await asked.message(shows("Hello"))

    stage.discord.gateway.drop()
    await stage.discord.wait_for(lambda event: event.kind is EventKind.CONNECTION_LOST)
    meanwhile = stage.anna.say(stage.guild.add_channel("third"), "Meanwhile", mention_bot=True)
    await stage.discord.wait_for(lambda event: event.kind is EventKind.RESUMED)
    held.go_on()

    assert (await answer(asked)).content == f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}"
    assert (await stage.reply_to(mention)).content == f"{TEXT}\n{FOOTER}"
    assert (await stage.reply_to(meanwhile)).content == f"{TEXT}\n{FOOTER}"


async def test_a_void_session_does_not_hurt_an_answer(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))
    [before] = stage.discord.gateway.sessions

    stage.discord.gateway.invalidate()
    await stage.discord.wait_for(
        lambda event: event.kind is EventKind.READY and event.data["session"] != before, timeout=PATIENCE
    )
    held.go_on()

    assert (await answer(asked)).content.endswith(f"{TEXT}\n{FOOTER}")
    assert "Told Discord the slash commands" not in bot.log().partition("Ready as")[2]


@pytest.mark.parametrize("status", [500, 503])
async def test_an_edit_that_fails_is_repeated(stage: Stage, bot: BotProcess, status: int) -> None:
    held = Held(stage.ollama, before=1)
    asked, mention = stage.ask("Hi"), stage.anna.say(stage.guild.add_channel("other"), "Hi", mention_bot=True)
    await asked.message(shows("Hello"))
    await stage.reply_to(mention, shows("Hello"))

    edits = stage.discord.faults.fail("PATCH", "/messages/", status=status, times=3)
    held.go_on()

    assert (await answer(asked)).content == f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}"
    assert (await stage.reply_to(mention)).content == f"{TEXT}\n{FOOTER}"
    assert edits.hits == 3


@pytest.mark.parametrize("after", [False, True])
async def test_a_connection_that_breaks_during_an_edit_loses_nothing(
    stage: Stage, bot: BotProcess, after: bool
) -> None:
    held = Held(stage.ollama, before=1)
    asked, mention = stage.ask("Hi"), stage.anna.say(stage.guild.add_channel("other"), "Hi", mention_bot=True)
    await asked.message(shows("Hello"))
    await stage.reply_to(mention, shows("Hello"))

    edits = stage.discord.faults.drop("PATCH", "/messages/", times=4, after=after)
    held.go_on()

    assert (await answer(asked)).content == f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}"
    assert (await stage.reply_to(mention)).content == f"{TEXT}\n{FOOTER}"
    assert await bot.stop() == 0
    assert edits.hits


async def test_a_limit_that_no_header_announced_is_respected(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    asked, mention = stage.ask("Hi"), stage.anna.say(stage.guild.add_channel("other"), "Hi", mention_bot=True)
    await asked.message(shows("Hello"))
    await stage.reply_to(mention, shows("Hello"))

    stage.discord.faults.rate_limit("PATCH", "/messages/", retry_after=1.5, times=2)
    held.go_on()

    assert (await answer(asked)).content == f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}"
    assert (await stage.reply_to(mention)).content == f"{TEXT}\n{FOOTER}"
    assert stage.discord.rate_limit_hits == 2


async def test_a_first_message_that_fails_is_repeated(stage: Stage, bot: BotProcess) -> None:
    stage.discord.faults.fail("POST", "/channels/", status=500)
    stage.discord.faults.fail("POST", "/callback", status=500)

    mention = stage.mention("Hi")
    await stage.reply_to(mention)
    await answer(stage.ask("Hi"))

    assert len(stage.channel.messages()) == 3


async def test_a_first_message_whose_confirmation_is_lost_is_not_sent_twice(stage: Stage, bot: BotProcess) -> None:
    stage.discord.faults.drop("POST", "/channels/", after=True)

    mention = stage.mention("Hi")
    await stage.reply_to(mention)

    assert [message.reply_to for message in stage.channel.messages()] == [None, mention.id]


async def test_a_response_whose_confirmation_is_lost_is_written_on(stage: Stage, bot: BotProcess) -> None:
    stage.discord.faults.drop("POST", "/callback", after=True)

    done = await stage.ask("Hi").message(is_finished, timeout=PATIENCE)

    assert done.content == f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}"


async def test_a_further_page_whose_confirmation_is_lost_is_not_sent_twice(stage: Stage, bot: BotProcess) -> None:
    stage.ollama.answer = [f"{number:04} " for number in range(600)]
    held = Held(stage.ollama, before=100)
    stage.mention("Count")
    await stage.said(stage.channel, shows("0099"))

    stage.discord.faults.drop("POST", "/channels/", after=True)
    held.go_on()

    await stage.said(stage.channel, is_finished)
    assert len(stage.channel.messages()) == 3


async def test_a_deleted_answer_frees_the_model(stage: Stage, bot: BotProcess) -> None:
    moderator = stage.guild.add_member("Mo", permissions=Permission.MANAGE_MESSAGES)
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))

    moderator.delete(asked.original)

    await held.left()
    await works_still(stage)


async def test_a_deleted_reply_frees_the_model(stage: Stage, bot: BotProcess) -> None:
    moderator = stage.guild.add_member("Mo", permissions=Permission.MANAGE_MESSAGES)
    held = Held(stage.ollama, before=1)
    moderator.delete(await stage.reply_to(stage.mention("Hi"), shows("Hello")))

    await held.left()
    await works_still(stage)


async def test_a_deleted_question_takes_the_answer_away(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    reply = await stage.reply_to(question, shows("Hello"))

    stage.anna.delete(question)

    await held.left()
    await stage.deleted(reply)
    await works_still(stage)


@pytest.mark.parametrize("kind", ["channel", "thread", "parent"])
async def test_a_deleted_channel_frees_the_model(stage: Stage, bot: BotProcess, kind: str) -> None:
    parent = stage.guild.add_channel("doomed")
    place = parent if kind == "channel" else parent.thread("aside")
    held = Held(stage.ollama, before=1)
    await stage.anna.slash(place, "ask", prompt="Hi").message(shows("Hello"))

    (parent if kind == "parent" else place).delete()

    await held.left()
    await works_still(stage)


async def test_losing_sight_of_a_channel_frees_the_model(stage: Stage, bot: BotProcess) -> None:
    other = stage.guild.add_channel("other")
    held = Held(stage.ollama, before=2)
    stage.ollama.answer = ["Hello ", "there, ", "Anna."]
    first = Held(stage.ollama, before=1)
    stage.ollama.between = lambda index: first.hold(index) or held.hold(index)
    await stage.reply_to(stage.anna.say(other, "Hi", mention_bot=True), shows("Hello"))

    other.deny_bot(Permission.VIEW_CHANNEL)
    first.go_on()

    # The next edit is refused, and nobody can be told.
    await held.left()
    await works_still(stage)


async def test_an_archived_thread_frees_the_model(stage: Stage, bot: BotProcess) -> None:
    thread = stage.channel.thread("aside")
    stage.ollama.answer = ["Hello ", "there, ", "Anna."]
    first, held = Held(stage.ollama, before=1), Held(stage.ollama, before=2)
    stage.ollama.between = lambda index: first.hold(index) or held.hold(index)
    await stage.reply_to(stage.anna.say(thread, "Hi", mention_bot=True), shows("Hello"))

    thread.archive(locked=True)
    first.go_on()

    await held.left()
    await works_still(stage)


async def test_a_bot_that_is_thrown_out_frees_the_model(stage: Stage, bot: BotProcess) -> None:
    guild = stage.discord.add_guild("Other")
    channel, bernd = guild.add_channel(), guild.add_member("Bernd")
    stage.ollama.answer = ["Hello ", "there, ", "Anna."]
    first, held = Held(stage.ollama, before=1), Held(stage.ollama, before=2)
    stage.ollama.between = lambda index: first.hold(index) or held.hold(index)
    await stage.reply_to(bernd.say(channel, "Hi", mention_bot=True), shows("Hello"))

    guild.remove_bot()
    first.go_on()

    await held.left()
    await works_still(stage)


async def test_an_expired_interaction_goes_on_in_the_channel(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))

    asked.expire()
    held.go_on()

    done = await asked.message(is_finished, timeout=PATIENCE)
    assert done.content == f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}"


async def test_a_person_who_takes_no_direct_messages_costs_nothing_but_one_refusal(
    stage: Stage, bot: BotProcess
) -> None:
    stage.channel.deny_bot(Permission.SEND_MESSAGES)
    stage.anna.user.accepts_dms = False
    stage.mention("Hi")

    await works_still(stage)

    assert stage.ollama.prompts[0][-1] == ("user", "Still there?")
    assert stage.discord.invalid_requests == 1


async def works_still(stage: Stage) -> None:
    stage.ollama.between = None
    stage.ollama.answer = ["Hello ", "there."]
    question = stage.anna.say(stage.guild.add_channel("later"), "Still there?", mention_bot=True)
    assert (await stage.reply_to(question)).content == f"{TEXT}\n{FOOTER}"


GONE = "“a.txt” can't be downloaded from Discord any more."
LATER = "“a.txt” can't be downloaded from Discord just now. Please try again."


@pytest.mark.parametrize("status", [None, 503], ids=["the line breaks", "503"])
async def test_a_file_whose_download_fails_is_downloaded_again(
    stage: Stage, bot: BotProcess, status: int | None
) -> None:
    faults = stage.discord.faults
    trouble = faults.fail("GET", "/attachments/", status=status) if status else faults.drop("GET", "/attachments/")

    question = stage.anna.say(stage.channel, "Why?", mention_bot=True, attachments=[("a.txt", b"Because.")])

    assert (await stage.reply_to(question)).content == f"{TEXT}\n{FOOTER}"
    assert "Because." in stage.ollama.prompts[-1][-1][1]
    assert trouble.hits == 1


async def test_a_file_that_does_not_come_is_said_to_be_tried_again(stage: Stage, bot: BotProcess) -> None:
    stage.discord.faults.drop("GET", "/attachments/", times=100)

    asked = stage.ask("Why?", file=("a.txt", b"Because."))
    question = stage.anna.say(stage.channel, "Why?", mention_bot=True, attachments=[("a.txt", b"Because.")])

    assert (await asked.message(shows("downloaded"), timeout=PATIENCE)).content == LATER
    assert (await stage.reply_to(question, shows("downloaded"))).content == LATER
    assert "Traceback" not in bot.log()


@pytest.mark.parametrize("status", [403, 404])
async def test_a_file_that_is_not_there_any_more_is_said_to_be_gone(stage: Stage, bot: BotProcess, status: int) -> None:
    gone = stage.discord.faults.fail("GET", "/attachments/", status=status, times=100)

    asked = stage.ask("Why?", file=("a.txt", b"Because."))
    question = stage.anna.say(stage.channel, "Why?", mention_bot=True, attachments=[("a.txt", b"Because.")])

    assert (await asked.message(shows("downloaded"))).content == GONE
    assert (await stage.reply_to(question, shows("downloaded"))).content == GONE
    assert gone.hits == 2  # it will not come back
    assert stage.ollama.asked == []
    stage.discord.faults.clear()
    assert (await answer(stage.ask("Still there?"))).content == f"-# Anna asked: Still there?\n{TEXT}\n{FOOTER}"
    assert "Traceback" not in bot.log()
