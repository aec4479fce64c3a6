"""What people are told is kept, what is, and that it goes: by the real bot, in its real database file."""

from __future__ import annotations

import io
import json
import sqlite3
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.chat.privacy import Notice
from bot.ui.notice import WORDS
from playground.bot_process import BotProcess
from playground.discord import Actor, Asked, Message, Permission, Settings
from playground.discord.settings import Intent
from tests.fake_ollama import MODEL
from tests.files.made import image

from .stage import PATIENCE, Held, Stage, answer, is_finished, shows, staged, stored

pytestmark = pytest.mark.wire

SECONDS = 5.0
"""For everything about a person to be gone."""


@pytest.fixture
def bernd(stage: Stage) -> Actor:
    return stage.guild.add_member("Bernd")


def dump(stage: Stage) -> str:
    """Everything that is stored, as another program sees it."""
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return "\n".join(connection.iterdump())


def files(stage: Stage) -> bytes:
    """The database's files as they are on the disk, its log among them."""
    return b"".join(file.read_bytes() for file in sorted(stage.folder.glob("llampost.db*")))


def told(who: Actor) -> list[str]:
    """What the bot said to a person directly."""
    return [message.content for message in who.dm.messages() if message.author_id != who.id]


async def confirmed(who: Actor, asked: Asked) -> Message:
    """A deletion, once its button is pressed."""
    click = who.click(await asked.message(shows("Shall I delete everything")), "Delete everything")
    return await click.message(shows("is deleted"), timeout=PATIENCE)


async def ask(stage: Stage, who: Actor, prompt: str) -> Message:
    return await answer(who.slash(stage.channel, "ask", prompt=prompt))


@pytest.fixture(params=[False, True], ids=["as usual", "with every message's text"])
async def listening(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """A stage on which the bot is told of every message."""
    settings = Settings(privileged_intents=Intent.MESSAGE_CONTENT) if request.param else Settings()
    async with staged(tmp_path, settings) as stage, stage.bot(MESSAGE_CONTENT_INTENT=str(request.param).lower()):
        yield stage


async def test_of_somebody_who_never_addressed_the_bot_nothing_is_stored(listening: Stage) -> None:
    stage, quiet = listening, listening.guild.add_member("Quirin Quiet")
    hers = stage.mention("What do you think?")
    answered = await stage.reply_to(hers)
    quiet.say(stage.channel, "A heliotrope secret.")
    quiet.say(stage.channel, "A heliotrope answer.", reply_to=hers)
    quiet.edit(quiet.say(stage.channel, "x"), "A heliotrope correction.")
    thread = quiet.open_thread(stage.channel, "heliotrope", answered)
    quiet.say(thread, "heliotrope", attachments=[("heliotrope.txt", b"heliotrope")])
    quiet.delete(quiet.say(stage.channel, "heliotrope"))
    await quiet.slash(stage.channel, "settings show").message()
    await quiet.slash(stage.channel, "privacy show").message(shows("I keep nothing about you."))
    await ask(stage, stage.anna, "Last one.")
    await stored(stage, 4, "messages WHERE end_reason = 'complete'")

    kept = dump(stage)
    assert "Anna" in kept
    for trace in (str(quiet.id), "Quirin", "heliotrope"):
        assert trace not in kept
    assert told(quiet) == []


async def test_a_person_is_told_once_and_privately_what_is_kept(stage: Stage, bot: BotProcess, bernd: Actor) -> None:
    asked = stage.ask("Hi")
    hint = await asked.message(shows(WORDS[Notice.KEPT]), timeout=PATIENCE)
    await stage.reply_to(bernd.say(stage.channel, "Hi", mention_bot=True))
    await stored(stage, 2, "people WHERE told_at IS NOT NULL")
    await bot.stop()
    await bot.start()
    again = stage.ask("And then?")
    await answer(again)
    await stage.reply_to(bernd.say(stage.channel, "And then?", mention_bot=True))
    await stage.reply_to(stage.mention("And then?"))
    shown = await bernd.slash(stage.channel, "privacy show").message(shows("I keep about you"))

    assert hint.ephemeral
    assert again.followups == []
    assert told(bernd) == [WORDS[Notice.KEPT]]
    assert told(stage.anna) == []
    assert "2 questions, 2 answers to them" in shown.content
    assert all(WORDS[Notice.KEPT] not in message.content for message in stage.channel.messages())


async def test_somebody_who_takes_no_direct_messages_is_answered_all_the_same(stage: Stage, bot: BotProcess) -> None:
    refusal = stage.discord.faults.fail("POST", "/users/@me/channels", status=403, times=5)
    await stage.reply_to(stage.mention("Hi"))
    await stage.reply_to(stage.mention("And then?"))
    hint = await stage.ask("By command?").message(shows(WORDS[Notice.KEPT]), timeout=PATIENCE)

    assert refusal.hits == 1
    assert hint.ephemeral
    assert "Traceback" not in bot.log()


async def test_everything_about_a_person_is_gone_within_seconds_and_the_others_conversation_goes_on(
    stage: Stage, bot: BotProcess, bernd: Actor
) -> None:
    stage.ollama.reply = lambda body: [f"You said {body['messages'][-1]['content'].split()[-1]}"]
    asked = stage.ask("aubergine", file=("aubergine.txt", b"aubergine"))
    await answer(asked)
    await ask(stage, bernd, "gravel")
    await stage.reply_to(stage.mention("periwinkle"))
    await answer(stage.anna.slash(stage.anna.dm, "ask", prompt="celadon"))
    await ask(stage, bernd, "granite")
    await stage.anna.slash(stage.channel, "settings set", parameter="quiet", value="on", scope="me").message()
    words = ["aubergine", "periwinkle", "celadon", "Anna", str(stage.anna.id), str(stage.anna.dm.id)]
    await stored(stage, 10, "messages WHERE end_reason = 'complete'")
    assert all(word in dump(stage) for word in words)

    begun = time.monotonic()
    said = await confirmed(stage.anna, stage.anna.slash(stage.channel, "privacy delete"))

    assert time.monotonic() - begun < SECONDS
    assert said.content == "Everything about you is deleted, 6 messages among it."
    assert not [word for word in words if word in dump(stage)]
    assert not [word for word in words[:4] if word.encode() in files(stage)]
    assert stage.anna.id.to_bytes(8) not in files(stage)
    await ask(stage, bernd, "basalt")
    history = [content for _, content in stage.ollama.prompts[-1][1:]]
    assert history[-1] == "basalt"
    assert history[1::2] == ["You said gravel", "You said granite"]
    shown = await stage.anna.slash(stage.channel, "privacy show").message(shows("I keep"))
    assert shown.content.startswith("I keep nothing about you.")


async def test_a_question_that_waits_is_not_stored_after_everything_was_deleted(
    stage: Stage, bot: BotProcess, bernd: Actor
) -> None:
    held = Held(stage.ollama, before=1)
    bernd.slash(stage.channel, "ask", prompt="First.")
    await held.reached()
    waiting = stage.ask("aubergine")
    await waiting.message(timeout=PATIENCE)

    await confirmed(stage.anna, stage.anna.slash(stage.channel, "privacy delete"))
    held.go_on()
    await ask(stage, bernd, "Second.")

    assert "aubergine" not in dump(stage)
    assert str(stage.anna.id) not in dump(stage)


async def test_an_export_holds_everything_images_among_it(stage: Stage, bot: BotProcess, bernd: Actor) -> None:
    stage.ollama.models[MODEL]["capabilities"] = ["completion", "vision"]
    await answer(stage.ask("What is this?", file=("dot.png", image())))
    await ask(stage, bernd, "gravel")
    told = await stage.anna.slash(stage.channel, "privacy export").message(
        shows("Here is everything"), timeout=PATIENCE
    )

    assert told.ephemeral
    [attached] = told.attachments
    assert attached.filename == "about-me-1.zip"
    with zipfile.ZipFile(io.BytesIO(attached.data)) as archive:
        rows = json.loads(archive.read("data.json"))
        kept = archive.read(rows["images"][0]["file"])
    assert [row["content"].splitlines()[0] for row in rows["messages"]] == ["What is this?", "Hello there."]
    assert {row["author_id"] for row in rows["messages"]} == {str(stage.anna.id), None}
    assert kept.startswith(b"\xff\xd8"), "as it was kept: a JPEG"
    assert "gravel" not in str(rows)


async def test_who_opted_out_is_answered_and_nothing_of_it_is_stored(
    stage: Stage, bot: BotProcess, bernd: Actor
) -> None:
    await ask(stage, bernd, "I am Bernd.")
    chosen = await stage.anna.slash(stage.channel, "privacy opt-out").message()
    first = await stage.reply_to(stage.mention("aubergine"))
    await stage.said(stage.anna.dm, shows(WORDS[Notice.NOT_KEPT]))
    await stored(stage, 1, "people WHERE told_at IS NOT NULL AND opted_out_at IS NOT NULL")
    await bot.stop()
    await bot.start()
    await ask(stage, stage.anna, "periwinkle")
    await stage.reply_to(stage.mention("celadon"))

    assert chosen.content.startswith("From now on I keep nothing of what you ask me")
    assert is_finished(first)
    assert [content for _, content in stage.ollama.prompts[-1][1:]] == [
        "I am Bernd.",
        "Hello there.",
        *spoken("celadon"),
    ]
    assert told(stage.anna) == [WORDS[Notice.NOT_KEPT]]
    kept = dump(stage)
    assert not [word for word in ("aubergine", "periwinkle", "celadon", "Anna") if word in kept]
    assert kept.count(str(stage.anna.id)) == 1, "only that she wants it so"
    shown = await stage.anna.slash(stage.channel, "privacy show").message(shows("You opted out"))
    assert "\nI keep nothing about you but that you opted out.\n" in shown.content

    back = await stage.anna.slash(stage.channel, "privacy opt-in").message()
    await ask(stage, stage.anna, "mauve")
    assert back.content == "From now on I remember what you ask me."
    await stored(stage, 1, "messages WHERE content = 'mauve'")


def spoken(text: str) -> list[str]:
    """A second person's question as the model reads it."""
    return [f"[Until now Bernd was speaking. From here on each message begins with its speaker's name.]\nAnna: {text}"]


async def test_what_is_older_than_a_server_allows_goes(stage: Stage, bot: BotProcess) -> None:
    boss = stage.guild.add_member("Boss", permissions=Permission.MANAGE_GUILD)
    await ask(stage, stage.anna, "aubergine")
    await answer(stage.anna.slash(stage.anna.dm, "ask", prompt="celadon"))
    await boss.slash(stage.channel, "privacy retention", days=30).message(shows("are deleted after 30 days."))
    await stored(stage, 4, "messages WHERE end_reason = 'complete'")
    await bot.stop()
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        connection.execute("UPDATE messages SET created_at = datetime(created_at, '-31 days') || '.000000'")
        connection.commit()
    await bot.start()

    await stored(stage, 2, "messages")
    assert "aubergine" not in dump(stage)
    assert "celadon" in dump(stage), "a direct message belongs to no server"
    shown = await stage.anna.slash(stage.channel, "privacy show").message(shows("I keep about you"))
    assert shown.content.endswith("Questions and answers here are deleted after 30 days, from this server.")


async def test_each_person_can_have_a_conversation_of_their_own(stage: Stage, bot: BotProcess, bernd: Actor) -> None:
    boss = stage.guild.add_member("Boss", permissions=Permission.MANAGE_CHANNELS | Permission.MANAGE_MESSAGES)
    await ask(stage, stage.anna, "Together.")
    set_ = boss.slash(stage.channel, "settings set", parameter="memory", value="person")
    await set_.message(shows("`memory` is **person** in this channel now."))
    await ask(stage, stage.anna, "I am Anna.")
    await ask(stage, bernd, "I am Bernd.")
    await ask(stage, stage.anna, "Who am I?")
    hers = await stage.anna.slash(stage.channel, "history show").message()
    undone = await bernd.slash(stage.channel, "history undo").message()
    his = await bernd.slash(stage.channel, "history show").message()

    assert [content for _, content in stage.ollama.prompts[-1][1:]] == ["I am Anna.", "Hello there.", "Who am I?"]
    assert hers.content.startswith("4 messages are remembered here. All of them go to the model")
    assert hers.content.endswith("-# Each person has a conversation of their own here; this is yours.")
    assert undone.content == "Forgotten, with its answer: “I am Bernd.”"
    assert his.content.startswith("Nothing is remembered of this conversation yet.")

    await boss.slash(stage.channel, "settings reset", parameter="memory").message(shows("Reset in this channel"))
    await ask(stage, bernd, "And now?")
    assert [content for _, content in stage.ollama.prompts[-1][1:3]] == ["Together.", "Hello there."]
