"""Text files that come with a question."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import (
    refused,
    said,
    texts,
)

SIGNATURE = f"-# {MODEL} · assistant"


@pytest.fixture
def downloads(env: Env, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses of the files that were downloaded."""
    seen: list[str] = []
    found = env.backend.cdn.get

    def get(url: str) -> bytes | None:
        seen.append(url)
        return found(url)

    monkeypatch.setattr(env.backend.cdn, "get", get)
    return seen


async def test_a_text_file_is_read_along_with_the_question(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    answer = await alice.slash(channel, "ask", prompt="Sum it up.", file=("notes.md", "# Größe\n```x```\n".encode()))

    assert fake.prompts[0][-1] == ("user", "Sum it up.\n\nnotes.md:\n````\n# Größe\n```x```\n\n````")
    assert said(answer) == f"-# alice asked: Sum it up.\nHello there.\n{SIGNATURE}"


async def test_files_can_come_with_a_mention_also_without_a_word(
    alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await alice.send(channel, me, attachments=[("a.py", b"\xef\xbb\xbfprint()"), ("Dockerfile", b"FROM x")])

    assert fake.prompts[0][-1] == ("user", "a.py:\n```\nprint()\n```\n\nDockerfile:\n```\nFROM x\n```")


async def test_a_private_question_with_a_file_is_answered_privately(alice: MemberActor, channel: ChannelHandle) -> None:
    answer = await alice.slash(channel, "ask", prompt="Why?", file=("a.txt", b"a"), private=True)

    assert answer.ephemeral
    assert said(answer) == f"Hello there.\n{SIGNATURE}"
    assert texts(channel) == []


REFUSED = [
    (
        [("cat.png", b"x")],
        "“cat.png” is not a text file. I read text and source files, such as .txt, .md, .py or .csv.",
    ),
    ([("big.txt", b"x" * 300_000)], "“big.txt” is too large: it is 300.0 kB, and at most 262.1 kB are allowed."),
]


@pytest.mark.parametrize(("files", "sentence"), REFUSED)
async def test_a_file_that_is_not_for_reading_is_refused_before_it_is_downloaded(
    files: list[tuple[str, bytes]],
    sentence: str,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    downloads: list[str],
) -> None:
    refusal = await alice.slash(channel, "ask", prompt="Why?", file=files[0])
    await alice.send(channel, f"{me} Why?", attachments=files)

    assert refused(refusal) == sentence
    assert texts(channel)[1:] == [sentence]
    assert downloads == []
    assert fake.asked == []


async def test_too_many_files_are_refused_before_they_are_downloaded(
    alice: MemberActor, channel: ChannelHandle, me: str, downloads: list[str]
) -> None:
    await alice.send(channel, f"{me} Why?", attachments=[(f"{number}.txt", b"x") for number in range(6)])

    assert texts(channel)[1:] == ["At most 5 files can come with a question; these are 6."]
    assert downloads == []


async def test_a_file_from_anywhere_but_discord_is_never_downloaded(
    alice: MemberActor, channel: ChannelHandle, downloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simcord.backend.cdn.CDN_BASE", "https://cdn.discordapp.com.evil.example")

    refusal = await alice.slash(channel, "ask", prompt="Why?", file=("a.txt", b"x"))

    assert refused(refusal) == "“a.txt” is not kept by Discord, so it is not downloaded."
    assert downloads == []


@pytest.mark.parametrize("data", ["Größe".encode("latin-1"), b"PK\x03\x04\0\0", "Größe".encode("utf-16")])
async def test_what_is_no_utf_8_is_refused(
    data: bytes, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    sentence = "“a.txt” is not UTF-8 text. Please save it as UTF-8 and try again."

    refusal = await alice.slash(channel, "ask", prompt="Why?", file=("a.txt", data))
    await alice.send(channel, f"{me} Why?", attachments=[("a.txt", data)])

    assert said(refusal) == sentence
    assert texts(channel)[-1] == sentence
    assert fake.asked == []


async def test_a_file_that_discord_lost_is_said_to_be_gone(
    env: Env, alice: MemberActor, channel: ChannelHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(env.backend.cdn, "get", lambda _: None)

    refusal = await alice.slash(channel, "ask", prompt="Why?", file=("a.txt", b"x"))

    assert said(refusal) == "“a.txt” can't be downloaded from Discord any more."
