"""The button behind which thoughts are folded."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.ui.thoughts import ThoughtsButton
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, file_of, refused, said, written

SIGNATURE = f"-# {MODEL} · assistant · thought for 1 s"
GONE = "These thoughts are no longer there: they are kept for 7 days, and go with their answer."


@pytest.fixture
def newest_answer(database_file: Path) -> Callable[[], int]:
    def find() -> int:
        with closing(sqlite3.connect(database_file)) as connection:
            (answer_id,) = connection.execute("SELECT max(id) FROM messages WHERE role = 'assistant'").fetchone()
        return int(answer_id)

    return find


def labels(message: discord.Message) -> list[str | None]:
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return [item.label for row in rows for item in row.children if isinstance(item, discord.Button)]


async def button(env: Env, channel: ChannelHandle, answer_id: int) -> discord.Message:
    """A message with nothing but the button for an answer."""
    view = discord.ui.View(timeout=None)
    view.add_item(ThoughtsButton(answer_id))
    there = env.bot.get_channel(channel.id)
    assert isinstance(there, discord.TextChannel)
    with env._bot_scope():
        await there.send("Here:", view=view)
    await env.settle()
    return channel.history()[-1]


async def test_thoughts_are_shown_to_nobody_but_the_one_who_presses(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, newest_answer: Callable[[], int]
) -> None:
    fake.thoughts = ["They want\n", "a secret. @everyone"]
    answer = await alice.slash(channel, "ask", prompt="Why?")

    pressed = await alice.click(await button(env, channel, newest_answer()), label="Thoughts")

    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"
    assert refused(pressed) == "> They want\n> a secret. @everyone"
    assert all("secret" not in message.content for message in channel.history() if not message.flags.ephemeral)


async def test_the_button_stands_below_answers_that_were_thought_out_and_no_others(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await alice.send(channel, f"{me} Why?")
    unthinking = channel.history()[-1]
    fake.thoughts = ["Hm."]
    await alice.send(channel, f"{me} Why not?")
    thinking = next(message for message in reversed(channel.history()) if "thought for" in message.content)

    assert "Thoughts" not in labels(unthinking)
    assert "Thoughts" in labels(thinking)
    assert refused(await alice.click(thinking, label="Thoughts")) == "> Hm."


async def test_long_thoughts_come_as_a_file(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, newest_answer: Callable[[], int]
) -> None:
    fake.thoughts = ["Hm, hm. "] * 300
    await alice.slash(channel, "ask", prompt="Why?")

    pressed = await alice.click(await button(env, channel, newest_answer()), label="Thoughts")

    assert refused(pressed) == "The thoughts are too long for a message, so here they are as a file."
    assert pressed.response is not None
    assert [file.filename for file in pressed.response.attachments] == ["thoughts.md"]
    assert file_of(env, pressed.response) == ("Hm, hm. " * 300).strip()


async def test_only_who_asked_and_moderators_see_thoughts(
    env: Env,
    alice: MemberActor,
    bob: MemberActor,
    boss: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    newest_answer: Callable[[], int],
) -> None:
    fake.thoughts = ["A secret."]
    await alice.slash(channel, "ask", prompt="Why?")
    message = await button(env, channel, newest_answer())

    assert refused(await bob.click(message, label="Thoughts")) == (
        "Only the person who asked, or somebody who may manage messages here, can look at these thoughts."
    )
    assert refused(await boss.click(message, label="Thoughts")) == "> A secret."


async def test_the_button_works_after_a_restart(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    newest_answer: Callable[[], int],
) -> None:
    fake.thoughts = ["Hm."]
    await alice.slash(channel, "ask", prompt="Why?")
    message = await button(env, channel, newest_answer())

    # As a new process, the bot knows of no view that it ever sent.
    env.bot._connection._view_store._views.clear()

    assert refused(await alice.click(message, label="Thoughts")) == "> Hm."


async def test_thoughts_that_are_gone_are_said_to_be_gone(
    env: Env,
    alice: MemberActor,
    boss: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    newest_answer: Callable[[], int],
) -> None:
    fake.thoughts = ["Hm."]
    await alice.slash(channel, "ask", prompt="Why?")
    message = await button(env, channel, newest_answer())

    await alice.slash(channel, "history undo")

    assert refused(await alice.click(message, label="Thoughts")) == GONE
    assert refused(await boss.click(message, label="Thoughts")) == GONE


async def test_thoughts_are_shown_nowhere_but_where_the_model_answered(
    env: Env,
    alice: MemberActor,
    guild: GuildHandle,
    channel: ChannelHandle,
    fake: FakeOllama,
    newest_answer: Callable[[], int],
) -> None:
    fake.thoughts = ["Hm."]
    await alice.slash(channel, "ask", prompt="Why?")
    elsewhere = await button(env, guild.create_text_channel("elsewhere"), newest_answer())

    assert refused(await alice.click(elsewhere, label="Thoughts")) == GONE


async def test_thoughts_in_tags_show_no_more_of_themselves_than_those_in_the_field(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["<thi", "nk>Hm, ", "hm.</", "think>", "\n\nYes."]
    fake.between = gate = Gate(env, before=4)
    answer = await alice.slash(channel, "ask", prompt="Why?")
    thinking = said(answer)
    await gate.open()

    assert thinking == "-# alice asked: Why?\n-# Thinking…"
    assert said(answer) == f"-# alice asked: Why?\nYes.\n{SIGNATURE}"
    assert not any("hm" in body.get("content", "") for body in written(env))


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("stop", "*The model thought, but gave no answer. Please ask again, or ask it differently.*"),
        (
            "length",
            (
                "*The model used up the room for its answer, on thinking, and said nothing. "
                "Please ask again, or ask something simpler.*"
            ),
        ),
    ],
)
async def test_thoughts_that_never_end_are_no_answer_but_can_be_read(
    reason: str,
    sentence: str,
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    newest_answer: Callable[[], int],
) -> None:
    fake.answer, fake.ending = ["<think>", "On and on"], {"done_reason": reason}

    answer = await alice.slash(channel, "ask", prompt="Why?")
    pressed = await alice.click(await button(env, channel, newest_answer()), label="Thoughts")

    assert said(answer).startswith(f"-# alice asked: Why?\n{sentence}\n{SIGNATURE}")
    assert refused(pressed) == "> On and on"
