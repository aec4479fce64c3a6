"""Asking when the model fails, or the bot itself does."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama, Fault
from tests.world import (
    Gate,
    file_of,
    refused,
    said,
    texts,
)

SIGNATURE = f"-# {MODEL} · assistant"

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


async def test_a_limit_that_is_used_up_without_a_word_is_said(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.thoughts, fake.answer = ["Well, ", "let me see"], []
    fake.ending = {"done_reason": "length"}

    silent = await alice.slash(channel, "ask", prompt="Why?")

    assert said(silent).splitlines()[1:] == [
        (
            "*The model used up the room for its answer, on thinking, and said nothing. "
            "Please ask again, or ask something simpler.*"
        ),
        (
            f"{SIGNATURE} · thought for 1 s · cut off at the token limit of 1024; "
            "`/settings set parameter:num_predict value:2048` allows more"
        ),
    ]


async def test_an_answer_cut_off_at_its_limit_says_how_to_allow_more(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.ending = {"done_reason": "length"}
    await boss.slash(channel, "settings set", parameter="num_predict", value="50")

    cut = await boss.slash(channel, "ask", prompt="Why?")

    assert said(cut).endswith(
        f"{SIGNATURE} · cut off at the token limit of 50; Continue goes on, "
        "`/settings set parameter:num_predict value:100` allows more"
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
    assert said(answer) == f"-# alice asked: Why?\nHello there.\n{SIGNATURE} · thought for 1 s"


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


async def test_a_private_question_that_failed_is_given_back_to_its_asker_alone(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.offline = True

    lost = await alice.slash(channel, "ask", prompt="Between us: why?", private=True)

    [copy] = lost.followups
    assert copy.ephemeral
    assert [file.filename for file in copy.attachments] == ["question.txt"]
    assert file_of(env, copy) == "Between us: why?"
    assert texts(channel) == []


async def test_a_question_that_can_be_read_above_its_failure_is_not_given_back(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.offline = True

    lost = await alice.slash(channel, "ask", prompt="Why?")
    await alice.send(channel, f"{me} {'Why? ' * 100}")

    assert lost.followups == []
    assert not any(message.attachments for message in channel.history())


@pytest.mark.parametrize(("length", "files"), [(300, []), (301, ["question.txt"])])
async def test_a_long_question_that_is_refused_is_given_back(
    length: int, files: list[str], env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    question = "x" * length

    refusal = await alice.slash(channel, "ask", prompt=question, file=("song.mp3", b"x"))

    assert refused(refusal).startswith("“song.mp3” is nothing that I can read.")
    assert [(copy.content, copy.ephemeral) for copy in refusal.followups] == [("Here is your question:", True)] * len(
        files
    )
    assert [file.filename for copy in refusal.followups for file in copy.attachments] == files
    assert all(file_of(env, copy) == question for copy in refusal.followups)
    assert fake.asked == []


@pytest.mark.operator(OLLAMA_NUM_CTX="256", OLLAMA_NUM_PREDICT="60")
async def test_a_window_that_is_full_is_said_once_and_the_oldest_messages_leave_it(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["word "] * 30
    answers = [said(await alice.slash(channel, "ask", prompt=f"Question {number}?")) for number in range(9)]

    full = [number for number, text in enumerate(answers) if "so it no longer sees the oldest messages" in text]
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

    assert said(cut).endswith(
        f"{SIGNATURE} · cut off because this conversation is as long as the model can read; "
        "`/history clear` forgets it and makes room"
    )


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
    assert "An answer on its way could not be noted in the database" in caplog.messages


async def test_an_answer_that_could_not_be_remembered_says_so_by_an_id(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    database_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake.between = gate = Gate(env, before=1)
    answer = await alice.slash(channel, "ask", prompt="Why?")

    with closing(sqlite3.connect(database_file)) as connection:
        connection.execute("ALTER TABLE receipts RENAME TO gone")
    await gate.open()

    header, text, sentence, signature = said(answer).splitlines()
    assert (header, text, signature) == ("-# alice asked: Why?", "Hello there.", SIGNATURE)
    found = re.fullmatch(r"⚠️ Something unexpected went wrong\. .* in the log as error ([0-9a-f]{8})\.", sentence)
    assert found
    assert f"Unexpected error {found[1]}" in caplog.text
