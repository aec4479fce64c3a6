"""Answers that are long, or take long."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import (
    PATIENCE,
    Gate,
    answers,
    said,
    texts,
    written,
)

SIGNATURE = f"-# {MODEL} · assistant"
HELPFUL = ("system", "You are a helpful assistant.")


async def test_a_long_answer_goes_on_in_further_messages_with_its_code_block_intact(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    code = [f"print({number}, 'of a program that is far too long for one message')\n" for number in range(80)]
    fake.answer = ["Here it is:\n", "```python\n", *code, "```\n", "Done."]

    answer = await alice.slash(channel, "ask", prompt="Write a program.")

    pages = answers(env, channel)
    assert pages[0] == said(answer)
    assert all(page.flags.suppress_notifications for page in answer.followups)
    assert len(pages) == 3
    assert all(len(page) <= 2000 for page in pages)
    assert all(page.count("```") % 2 == 0 for page in pages)
    assert [page.splitlines()[0] for page in pages[1:]] == ["```python", "```python"]
    assert pages[-1].endswith(f"```\nDone.\n{SIGNATURE}")
    assert [line for page in pages for line in page.splitlines(keepends=True) if line.startswith("print")] == code


async def test_a_long_answer_to_a_mention_notifies_once(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.answer = ["word "] * 900

    await alice.send(channel, f"{me} Talk.")

    [_, *pages] = channel.history()
    assert len(pages) == 3
    assert [page.flags.suppress_notifications for page in pages] == [False, True, True]
    assert [page.reference is not None for page in pages] == [True, False, False]


async def test_every_frame_on_the_way_fits_into_a_message(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["so long 👩‍💻 "] * 700

    await alice.slash(channel, "ask", prompt="why " * 1500)

    lengths = [len(body["content"].encode("utf-16-le")) // 2 for body in written(env) if "content" in body]
    assert len(lengths) > 3
    assert max(lengths) <= 2000


async def test_after_14_minutes_an_answer_goes_on_without_the_interaction(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    """Discord takes no more words through an interaction that is 15 minutes old."""
    fake.answer = ["word "] * 900
    fake.between = gate = Gate(env, before=10)
    answer = await alice.slash(channel, "ask", prompt="Talk.")

    await env.advance_time(16 * 60)
    await gate.open()

    assert said(answer).startswith("-# alice asked: Talk.\nword word")
    assert "Writing" not in said(answer)
    assert len(answers(env, channel)) == 3
    assert answers(env, channel)[-1].endswith(SIGNATURE)


async def test_the_memory_knows_which_messages_show_what_it_keeps(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama, database_file: Path
) -> None:
    fake.answer = ["word "] * 900

    await alice.send(channel, f"{me} Talk.")

    with closing(sqlite3.connect(database_file)) as connection:
        shown = connection.execute(
            "SELECT role, discord_id FROM discord_messages JOIN messages ON messages.id = message_id ORDER BY 2"
        ).fetchall()
    question, *pages = channel.history()
    assert shown == [("user", question.id), *(("assistant", page.id) for page in pages)]


async def test_no_page_of_a_private_answer_ever_goes_into_the_channel(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    """The first page is full when its 15 minutes are over, so a new message would be next."""
    fake.answer = ["word " * 380 + "\n" * 200, "secret " * 9]
    fake.between = gate = Gate(env, before=1)
    private = await alice.slash(channel, "ask", prompt="Talk.", private=True)

    await env.advance_time(16 * 60)
    await gate.open()

    assert private.ephemeral
    assert not any("secret" in message.content for message in channel.history())


async def test_a_private_answer_that_takes_longer_than_15_minutes_stops_the_model(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    """Nothing reaches a private message any more, so nobody would see the rest."""
    first, second = Gate(env, before=0), Gate(env, before=1)
    fake.between = lambda index: first(index) or second(index)
    await alice.slash(channel, "ask", prompt="Talk.", private=True)

    await env.advance_time(16 * 60)
    await first.open()

    assert fake.closed == 1
    assert texts(channel) == []


@pytest.mark.parametrize(
    ("loaded", "news"),
    [
        (set(), "Loading tiny:1b into memory… this can take a minute the first time."),
        ({MODEL}, "tiny:1b is busy reading…"),
    ],
)
async def test_what_takes_so_long_is_said(
    loaded: set[str],
    news: str,
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
) -> None:
    fake.between = gate = Gate(env, before=0)
    fake.loaded = loaded
    answer = await alice.slash(channel, "ask", prompt="Why?")

    await env.advance_time(PATIENCE)
    slow = said(answer)
    await gate.open()

    assert slow == f"-# alice asked: Why?\n-# {news}"
    assert said(answer).endswith(SIGNATURE)
