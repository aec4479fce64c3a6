"""Asking when something goes wrong: the place goes away, the model fails, the bot itself does."""

# ruff: noqa: PLR0917  # fixtures are given by name

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama, Fault
from tests.world import (
    Gate,
    answers,
    file_of,
    said,
    texts,
    thread_in,
)

SIGNATURE = f"-# {MODEL} · assistant"

# When the place goes away


async def test_deleting_the_answer_stops_the_model(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = Gate(env, before=1)
    answer = await boss.slash(channel, "ask", prompt="Why?")
    assert answer.response is not None

    await boss.delete(answer.response)

    assert fake.closed == 1
    assert answers(env, channel) == []


async def test_deleting_the_question_stops_the_model_and_the_answer_says_so(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = Gate(env, before=1)
    question = await alice.send(channel, f"{me} Why?")

    await alice.delete(question)

    assert fake.closed == 1
    assert answers(env, channel) == [f"Hello\n{SIGNATURE} · stopped"]


async def test_many_messages_deleted_at_once_stop_the_model_too(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = Gate(env, before=1)
    question = await alice.send(channel, f"{me} Why?")
    chatter = await alice.send(channel, "Never mind.")

    env.backend.bulk_delete_messages(channel.id, [question.id, chatter.id])
    await env.settle()

    assert fake.closed == 1


@pytest.mark.parametrize("where", ["channel", "thread", "channel of the thread"])
async def test_deleting_the_place_stops_the_model(
    where: str, env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    thread = thread_in(channel, alice)
    fake.between = Gate(env, before=1)
    await alice.slash(channel if where == "channel" else thread, "ask", prompt="Why?")

    env.backend.delete_channel(thread.id if where == "thread" else channel.id)
    await env.settle()

    assert fake.closed == 1


async def test_a_question_deleted_while_it_waits_is_never_asked(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = gate = Gate(env, before=1)
    await alice.send(channel, f"{me} First?")
    second = await alice.send(channel, f"{me} Second?")

    await alice.delete(second)
    await gate.open()

    assert len(fake.asked) == 1
    assert answers(env, channel) == [f"Hello there.\n{SIGNATURE}", "-# stopped"]


async def test_without_the_permission_to_send_the_person_is_told_privately(
    env: Env, alice: MemberActor, guild: GuildHandle, me: str, fake: FakeOllama
) -> None:
    assert guild.me is not None
    silent = guild.create_text_channel(
        "silent", overwrites={guild.me: discord.PermissionOverwrite(send_messages=False)}
    )

    await alice.send(silent, f"{me} Why?")

    [told] = alice.user.dm_channel.history()
    assert told.content == (
        f"I can't answer you in <#{silent.id}>, because I lack the permission “Send Messages” there. "
        "Please ask a server manager to grant it, or ask me here."
    )
    assert texts(silent) == [f"{me} Why?"]
    assert fake.asked == []


async def test_a_thread_needs_its_own_permission(
    alice: MemberActor, guild: GuildHandle, me: str, fake: FakeOllama
) -> None:
    assert guild.me is not None
    channel = guild.create_text_channel(
        "silent", overwrites={guild.me: discord.PermissionOverwrite(send_messages_in_threads=False)}
    )
    thread = thread_in(channel, alice)

    await alice.send(thread, f"{me} Why?")

    [told] = alice.user.dm_channel.history()
    assert "“Send Messages in Threads”" in told.content
    assert fake.asked == []


async def test_a_permission_that_is_lost_in_mid_answer_stops_the_model(
    env: Env, alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.answer = ["word "] * 900
    fake.between = gate = Gate(env, before=10)
    await alice.send(channel, f"{me} Talk.")

    env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await gate.open()

    assert len(answers(env, channel)) == 1
    asked = len(fake.asked)
    fake.between = None
    fake.answer = ["Short."]
    env.backend.faults.clear()
    await alice.send(channel, f"{me} Still there?")
    assert len(fake.asked) == asked + 1
    assert answers(env, channel)[-1] == f"Short.\n{SIGNATURE}"


async def test_a_discord_that_stumbles_loses_nothing(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    env.inject_error("PATCH", "/webhooks/*", status=500, times=3)

    answer = await alice.slash(channel, "ask", prompt="Why?")

    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"


async def test_a_confirmation_that_gets_lost_doubles_nothing(
    env: Env, alice: MemberActor, channel: ChannelHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord has the response already, but the bot does not hear of it and tries again."""
    request = env._webhook_adapter.request
    lost: list[str] = []

    async def losing_the_first(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # whatever discord.py asks for
        reply = await request(*args, **kwargs)
        if not lost:
            lost.append("once")
            raise ConnectionResetError
        return reply

    monkeypatch.setattr(env._webhook_adapter, "request", losing_the_first)

    answer = await alice.slash(channel, "ask", prompt="Why?")

    assert lost
    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"
    assert len(texts(channel)) == 1


async def test_where_direct_messages_are_closed_too_nobody_is_told(
    env: Env, alice: MemberActor, guild: GuildHandle, me: str, fake: FakeOllama
) -> None:
    assert guild.me is not None
    silent = guild.create_text_channel(
        "silent", overwrites={guild.me: discord.PermissionOverwrite(send_messages=False)}
    )
    env.inject_error("POST", "/users/@me/channels", status=403, code=50007)

    await alice.send(silent, f"{me} Why?")

    assert fake.asked == []
    assert env.errors == []


async def test_a_hint_that_can_not_be_sent_is_let_go(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str
) -> None:
    env.inject_error("POST", "/channels/*/messages", status=400, code=200000)

    await alice.send(channel, me)

    assert texts(channel) == [me]
    assert env.errors == []


# When the model fails

UNREACHABLE = (
    "Ollama does not answer at http://127.0.0.1:11434. Ask the operator to check that it runs; "
    "`python -m bot check` tells more."
)


async def test_an_outage_is_explained_and_its_question_is_no_memory(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.offline = True
    lost = await alice.slash(channel, "ask", prompt="Anyone there?")

    fake.offline = False
    await alice.slash(channel, "ask", prompt="And now?")

    assert said(lost) == f"-# alice asked: Anyone there?\n⚠️ {UNREACHABLE}\n{SIGNATURE}"
    assert [content for _, content in fake.prompts[0][1:]] == ["And now?"]


@pytest.mark.parametrize(
    ("status", "ollamas_words", "ours"),
    [
        (404, "model 'tiny:1b' not found", "“tiny:1b”"),
        (500, "cudaMalloc failed: out of memory on /dev/nvidia0", "memory"),
        (503, "server busy, please try again. maximum pending requests exceeded", "too much to do"),
        (400, 'option "temperature" must be of type float32', "Ollama refuses one of the parameters."),
        (500, "panic: runtime error at /root/ollama.go:12", "Ollama"),
    ],
)
async def test_every_failure_is_one_sentence_without_ollamas_own_words(
    status: int,
    ollamas_words: str,
    ours: str,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    me: str,
) -> None:
    fake.fault = Fault(status, ollamas_words)

    failed = await alice.slash(channel, "ask", prompt="Why?")
    await alice.send(channel, f"{me} Why?")

    for text in (said(failed).removeprefix("-# alice asked: Why?\n"), texts(channel)[-1]):
        sentence, signature = text.splitlines()
        assert sentence.startswith("⚠️ ")
        assert ours in sentence
        assert ollamas_words not in sentence
        assert signature == SIGNATURE


async def test_a_failure_in_mid_answer_keeps_what_was_said_and_the_memory_of_it(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["Once ", "upon a time"]
    fake.error_line = "llama runner process has terminated: signal: killed /usr/bin/ollama"
    broken = await alice.slash(channel, "ask", prompt="Tell me a story.")
    fake.error_line = None
    await alice.slash(channel, "ask", prompt="Go on.")

    header, text, sentence, signature = said(broken).splitlines()
    assert (header, text, signature) == ("-# alice asked: Tell me a story.", "Once upon a time", SIGNATURE)
    assert sentence.startswith("⚠️ ")
    assert "/usr/bin" not in sentence
    assert ("assistant", "Once upon a time") in fake.prompts[1]


async def test_a_stream_that_just_ends_is_said_to_be_broken(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.ending = None

    broken = await alice.slash(channel, "ask", prompt="Why?")

    assert "Hello there.\n⚠️ The answer of “tiny:1b” broke off before its end. Ask again." in said(broken)


async def test_a_model_that_says_nothing_is_said_to_say_nothing(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = []

    silent = await alice.slash(channel, "ask", prompt="Why?")

    assert said(silent).splitlines()[1:] == [
        "*The model said nothing. Please ask again, or ask it differently.*",
        SIGNATURE,
    ]


async def test_an_answer_cut_off_at_its_limit_says_how_to_allow_more(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.ending = {"done_reason": "length"}
    await boss.slash(channel, "settings set", parameter="num_predict", value="50")

    cut = await boss.slash(channel, "ask", prompt="Why?")

    assert said(cut).endswith(
        f"{SIGNATURE} · cut off at the token limit of 50; `/settings set num_predict 100` allows more"
    )


async def test_thinking_is_said_and_never_shown(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.thoughts = ["They want to know", " a secret"]
    fake.between = gate = Gate(env, before=0)

    answer = await alice.slash(channel, "ask", prompt="Why?")
    thinking = said(answer)
    await gate.open()

    assert thinking == "-# alice asked: Why?\n-# Thinking…"
    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"


async def test_a_long_question_that_failed_is_given_back(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    question = "Why is that so? " * 100
    fake.offline = True

    lost = await alice.slash(channel, "ask", prompt=question)

    [copy] = lost.followups
    assert [file.filename for file in copy.attachments] == ["question.txt"]
    assert file_of(env, copy) == question


async def test_a_long_question_is_given_back_also_when_it_fails_after_15_minutes(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    question = "Why is that so? " * 100
    fake.between = gate = Gate(env, before=1)
    fake.ending = None
    await alice.slash(channel, "ask", prompt=question)

    await env.advance_time(16 * 60)
    await gate.open()

    copy = channel.history()[-1]
    assert [file.filename for file in copy.attachments] == ["question.txt"]
    assert file_of(env, copy) == question


@pytest.mark.operator(OLLAMA_NUM_CTX="256", OLLAMA_NUM_PREDICT="60")
async def test_a_memory_that_is_full_is_said_once_and_the_oldest_messages_leave_it(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["word "] * 30
    answers = [said(await alice.slash(channel, "ask", prompt=f"Question {number}?")) for number in range(9)]

    full = [number for number, text in enumerate(answers) if "the memory was full, so the oldest" in text]
    assert full
    assert full[0] > 1
    assert len(full) < 4
    questions = [content for role, content in fake.prompts[full[0]] if role == "user"]
    assert "Question 0?" not in questions
    assert questions[-1] == f"Question {full[0]}?"


@pytest.mark.operator(OLLAMA_NUM_CTX="256", OLLAMA_NUM_PREDICT="1000")
async def test_an_answer_cut_off_by_the_window_says_how_to_make_room(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.ending = {"done_reason": "length"}

    cut = await alice.slash(channel, "ask", prompt="Why?")

    assert said(cut).endswith(f"{SIGNATURE} · cut off because the context window is full; `/history clear` makes room")


async def test_a_question_too_long_for_the_model_is_refused_with_the_sizes(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    refusal = await alice.slash(channel, "ask", prompt="x" * 6000)

    assert "⚠️ That is too long for the model: together with the system prompt it has about " in said(refusal)
    assert fake.asked == []


async def test_an_unexpected_error_shows_an_id_that_is_in_the_log_and_nothing_else(
    alice: MemberActor, channel: ChannelHandle, database_file: Path, me: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(database_file)) as connection:
        connection.execute("DROP TABLE settings")

    failed = await alice.slash(channel, "ask", prompt="Why?")
    await alice.send(channel, f"{me} Why?")

    for text in (said(failed), texts(channel)[-1]):
        found = re.search(
            r"^⚠️ Something unexpected went wrong\. .* in the log as error ([0-9a-f]{8})\.$", text, re.MULTILINE
        )
        assert found
        assert f"Unexpected error {found[1]}" in caplog.text
        assert "settings" not in text


async def test_an_answer_is_shown_even_where_the_memory_fails(
    alice: MemberActor, channel: ChannelHandle, database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(database_file)) as connection:
        connection.execute("DROP TABLE discord_messages")

    answer = await alice.slash(channel, "ask", prompt="Why?")

    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE}"
    assert "could not be noted in the memory" in caplog.text
