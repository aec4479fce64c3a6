"""Texts and PDFs that come with a question, and files that do not get that far."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama
from tests.files.made import image, pdf
from tests.world import refused, said, texts

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


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
async def test_a_text_may_be_saved_in_another_encoding(
    encoding: str, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?", file=("a.txt", "Größe".encode(encoding)))

    assert fake.prompts[0][-1] == ("user", "Why?\n\na.txt:\n```\nGröße\n```")


async def test_of_a_pdf_the_text_of_its_pages_is_read(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Sum it up.", file=("report.pdf", pdf("Profits rose.", "Costs fell.")))

    pages = "[page 1]\nProfits rose.\n\n[page 2]\nCosts fell."
    assert fake.prompts[0][-1] == ("user", f"Sum it up.\n\nreport.pdf:\n```\n{pages}\n```")


async def test_files_of_every_kind_come_with_a_reply_in_their_order(
    alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.models[MODEL]["capabilities"] = ["completion", "vision"]
    await alice.send(channel, f"{me} Hello!")

    await alice.send(
        channel,
        f"{me} Compare.",
        reply_to=channel.history()[-1],
        attachments=[("b.png", image()), ("a.pdf", pdf("Hello")), ("c.txt", b"c")],
    )

    files = "[image: b.png]\n\na.pdf:\n```\n[page 1]\nHello\n```\n\nc.txt:\n```\nc\n```"
    assert fake.prompts[-1][-1] == ("user", f"Compare.\n\n{files}")


async def test_a_long_text_that_was_pasted_is_the_question_itself(
    env: Env, alice: MemberActor, fake: FakeOllama
) -> None:
    pasted = env.backend.store_attachments(alice.user.dm_channel.id, [("message.txt", b"Why is it so?\n" * 200)])

    await alice.user.send_dm(attachments=pasted)

    assert fake.prompts[0][-1] == ("user", ("Why is it so?\n" * 200).strip())


async def test_what_was_pasted_follows_what_was_typed_and_other_files_stay_files(
    alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    files = [("a.txt", b"a"), ("message.txt", b"And this `too`.")]

    await alice.send(channel, f"{me} Read this.", attachments=files)

    assert fake.prompts[0][-1] == ("user", "Read this.\n\nAnd this `too`.\n\na.txt:\n```\na\n```")


async def test_a_pasted_text_without_a_word_is_no_question(
    alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await alice.send(channel, me, attachments=[("message.txt", b" \n")])

    assert texts(channel)[-1] == "“message.txt” is empty."
    assert fake.asked == []


async def test_a_private_question_with_a_file_is_answered_privately(alice: MemberActor, channel: ChannelHandle) -> None:
    answer = await alice.slash(channel, "ask", prompt="Why?", file=("a.txt", b"a"), private=True)

    assert answer.ephemeral
    assert said(answer) == f"Hello there.\n{SIGNATURE}"
    assert texts(channel) == []


REFUSED = [
    (
        ("song.mp3", b"x"),
        (
            "“song.mp3” is nothing that I can read. I read text and source files, PDF files, "
            "and images in PNG, JPEG, WebP or GIF."
        ),
    ),
    (("big.txt", b"x" * 300_000), "“big.txt” is too large: it is 300.0 kB, and a text file may have at most 262.1 kB."),
    (("big.pdf", bytes(11_000_000)), "“big.pdf” is too large: it is 11.0 MB, and a PDF may have at most 10.5 MB."),
    (("big.png", bytes(11_000_000)), "“big.png” is too large: it is 11.0 MB, and an image may have at most 10.5 MB."),
]


@pytest.mark.parametrize(("file", "sentence"), REFUSED)
async def test_a_file_that_is_not_for_reading_is_refused_before_it_is_downloaded(
    file: tuple[str, bytes],
    sentence: str,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    downloads: list[str],
) -> None:
    refusal = await alice.slash(channel, "ask", prompt="Why?", file=file)
    await alice.send(channel, f"{me} Why?", attachments=[file])

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


UNREADABLE = [
    (
        ("a.txt", b"PK\x03\x04\0\0"),
        "“a.txt” is not a text that I can read; it may be a program, an archive or another binary file.",
    ),
    (
        ("a.bin", bytes(20)),
        "“a.bin” is not a text that I can read; it may be a program, an archive or another binary file.",
    ),
    (("a.txt", b" \n"), "“a.txt” is empty."),
    (("a.pdf", b"PK\x03\x04\0\0"), "“a.pdf” is damaged, or not a PDF at all."),
    (
        ("scan.pdf", pdf("")),
        "“scan.pdf” has no text in it: its pages are pictures. Please send them as images, or a PDF with text.",
    ),
]


@pytest.mark.parametrize(("file", "sentence"), UNREADABLE)
async def test_what_can_not_be_read_after_all_is_refused(
    file: tuple[str, bytes], sentence: str, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    refusal = await alice.slash(channel, "ask", prompt="Why?", file=file)
    await alice.send(channel, f"{me} Why?", attachments=[file])

    assert said(refusal) == sentence
    assert texts(channel)[-1] == sentence
    assert fake.asked == []


@pytest.mark.operator(MAX_FILE_BYTES="1000")
async def test_a_pdf_may_have_no_more_text_than_a_text_file(alice: MemberActor, channel: ChannelHandle) -> None:
    refusal = await alice.slash(channel, "ask", prompt="Why?", file=("a.pdf", pdf("word " * 300)))

    assert said(refusal) == "“a.pdf” has too much text: more than the 1.0 kB that are allowed."


async def test_a_file_that_discord_lost_is_said_to_be_gone(
    env: Env, alice: MemberActor, channel: ChannelHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(env.backend.cdn, "get", lambda _: None)

    refusal = await alice.slash(channel, "ask", prompt="Why?", file=("a.txt", b"x"))

    assert said(refusal) == "“a.txt” can't be downloaded from Discord any more."
