"""Files are taken apart in a process of its own, which ends with its file whatever happens."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bot.chat.answers import TextFile
from bot.chat.messages import Image
from bot.errors import BadInput
from bot.files.apart import Unreadable, apart
from bot.files.kinds import Kind
from bot.files.reader import FileReader

from .made import image, pdf

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for the process as Linux names it")


def children() -> set[str]:
    """The processes that this one has started and not yet seen the end of; other tests may have left some running."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text("utf-8").split()}


@pytest.fixture
def reader() -> FileReader:
    return FileReader(max_text_bytes=10_000)


async def test_a_pdf_becomes_text_and_an_image_stays_one(reader: FileReader) -> None:
    assert await reader.read("a.pdf", Kind.PDF, pdf("Hello")) == TextFile("a.pdf", "[page 1]\nHello")
    read = await reader.read("b.gif", Kind.IMAGE, image("GIF"))
    assert isinstance(read, Image)
    assert read.name == "b.gif"
    assert read.data.startswith(b"\xff\xd8\xff")


async def test_a_refusal_comes_back_as_a_sentence_with_the_files_name(reader: FileReader) -> None:
    with pytest.raises(BadInput, match=r"^“ab\.pdf” is damaged, or not a PDF at all\.$"):
        await reader.read("ab.pdf", Kind.PDF, b"Hello")


async def test_a_file_that_takes_too_long_is_given_up_and_its_process_ends() -> None:
    before = children()
    reader = FileReader(max_text_bytes=10_000, seconds=0.001)

    with pytest.raises(BadInput, match=r"^“a\.pdf” is too complicated: reading it takes longer than 0\.001 seconds\.$"):
        await reader.read("a.pdf", Kind.PDF, pdf("Hello"))

    assert children() <= before


async def test_whoever_stops_waiting_ends_the_process(reader: FileReader) -> None:
    before = children()
    reading = asyncio.create_task(reader.read("a.pdf", Kind.PDF, pdf("Hello")))
    async with asyncio.timeout(60):
        while children() <= before:  # noqa: ASYNC110  # the system gives no event for it
            await asyncio.sleep(0)

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert reading.cancelled()
    assert children() <= before


async def test_a_process_that_dies_is_a_damaged_file() -> None:
    with pytest.raises(Unreadable, match="is damaged, or too complicated to be read"):
        await apart("bot.files.no_such_module", b"", seconds=60)


async def test_the_process_can_not_take_all_memory() -> None:
    with pytest.raises(Unreadable, match="is too complicated: reading it takes too much memory"):
        await apart("tests.files.greedy", b"", seconds=60)
