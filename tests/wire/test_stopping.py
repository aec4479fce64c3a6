"""A bot that is told to stop at the worst moments ends within ten seconds, and without an error."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from time import monotonic

import pytest

from playground.bot_process import BotFailedError, BotProcess

from .crashes import prompted, settled
from .stage import PATIENCE, Held, Stage, pages, shows

FOOTER = "-# tiny:1b · assistant"
PUT_OFF = "-# Waiting: the bot is being restarted. It answers this when it is back."

pytestmark = pytest.mark.wire

LIMIT = 10.0


async def end(bot: BotProcess) -> None:
    """Tell the bot to stop, and see that it does so in time."""
    begun = monotonic()
    os.kill(bot.pid, signal.SIGTERM)
    status = await bot.exited()
    lasted = monotonic() - begun
    assert (status, lasted < LIMIT) == (0, True), f"status {status} after {lasted:.1f} s"


async def told_again_and_again(bot: BotProcess, *numbers: int) -> int:
    """Signals at every moment of the bot's end, the very last one included; returns its exit code."""
    ending = asyncio.create_task(bot.exited())
    for number in cycle(numbers):
        with suppress(ProcessLookupError):  # it has ended just now
            os.kill(bot.pid, number)
        done, _ = await asyncio.wait({ending}, timeout=0.002)
        if done:
            break
    return await ending


@pytest.mark.parametrize("numbers", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
async def test_told_more_than_once_it_ends_as_if_told_once(stage: Stage, bot: BotProcess, numbers: list[int]) -> None:
    Held(stage.ollama, before=1)
    begun = stage.mention("Begun")
    await stage.reply_to(begun, shows("Hello"))
    waiting = stage.guild.add_member("Ben").say(stage.channel, "Waiting", mention_bot=True)
    await stage.reply_to(waiting, shows("Waiting"))

    assert await told_again_and_again(bot, *numbers) == 0

    assert "Traceback" not in bot.log()
    assert "⚠️ Interrupted" in (await stage.reply_to(begun)).content
    stage.ollama.between = None
    await bot.start()
    assert (await stage.reply_to(waiting)).content == f"Hello there.\n{FOOTER}"
    await settled(stage)
    assert prompted(stage, "Begun") == 1
    assert await told_again_and_again(bot, *numbers) == 0


@contextmanager
def deaf_server() -> Iterator[str]:
    """The address of a machine that takes no further connection, and does not refuse any."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for one in waiting:
            one.close()


async def test_while_ollama_lets_it_wait_for_a_connection(stage: Stage) -> None:
    with deaf_server() as host:
        async with stage.bot(OLLAMA_HOST=host) as bot:
            question = stage.mention("Hi")
            await stage.reply_to(question, bool)

            await end(bot)

            assert "Traceback" not in bot.log()
            assert len(pages(stage.channel)) == 1


async def test_while_ollama_reads_and_says_nothing(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=0)
    question = stage.mention("Hi")
    await held.reached()

    await end(bot)

    assert "Traceback" not in bot.log()
    assert "⚠️ Interrupted" in (await stage.reply_to(question)).content


async def test_while_discord_answers_nothing(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    await stage.reply_to(stage.mention("Hi"), shows("Hello"))
    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        stage.discord.faults.slow(method, "/", seconds=60, times=1_000)
    held.go_on()
    stage.anna.slash(stage.guild.add_channel("other"), "ask", prompt="Hi")

    await end(bot)


async def test_while_many_answer_and_more_wait(stage: Stage) -> None:
    async with stage.bot(MAX_PARALLEL_ANSWERS="8", MAX_WAITING_QUESTIONS="100") as bot:
        held = Held(stage.ollama, before=1)
        asked = [stage.anna.slash(stage.guild.add_channel(f"c{n}"), "ask", prompt="Hi") for n in range(30)]
        for _ in range(8):
            await held.reached()
        for one in asked:
            await one.message(timeout=PATIENCE)

        await end(bot)

        assert "Traceback" not in bot.log()
        said = [one.original.content for one in asked]
        assert sum("⚠️ Interrupted" in one for one in said) == 8
        assert sum(one.endswith(PUT_OFF) for one in said) == 22


def endless_pdf() -> bytes:
    """A page whose fonts and texts take many seconds to be read."""
    stream = b"BT /F1 12 Tf " + b"(abcdefgh) Tj 1 0 0 1 5 5 Tm " * 300_000 + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >> stream\n%b\nendstream" % (len(stream), stream),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj %b endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end_of_file = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (count, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table) + end_of_file


async def test_while_a_pdf_is_being_read(stage: Stage, bot: BotProcess) -> None:
    stage.anna.say(stage.channel, "What is in it?", mention_bot=True, attachments=[("long.pdf", endless_pdf())])
    async with asyncio.timeout(PATIENCE):
        while not children(bot):  # noqa: ASYNC110  # nothing else tells of it
            await asyncio.sleep(0.01)
    [reader] = children(bot)

    await end(bot)

    assert "Traceback" not in bot.log()
    with pytest.raises(ProcessLookupError):
        os.kill(reader, 0)


def children(bot: BotProcess) -> list[int]:
    return [int(number) for number in Path(f"/proc/{bot.pid}/task/{bot.pid}/children").read_text().split()]


async def test_while_it_waits_for_the_database_to_start(stage: Stage) -> None:
    async with stage.bot():
        pass
    bot = stage.bot()
    with closing(sqlite3.connect(stage.folder / "llampost.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        starting = asyncio.create_task(bot.start())
        async with asyncio.timeout(PATIENCE):
            while not has_opened(bot, stage.folder / "llampost.db.lock"):  # noqa: ASYNC110  # nothing else tells of it
                await asyncio.sleep(0.01)
        await end(bot)
    assert "Traceback" not in bot.log()
    with pytest.raises(BotFailedError, match="exit code 0"):
        await starting


def has_opened(bot: BotProcess, file: Path) -> bool:
    """Whether a process that may not be there yet has a file open."""
    with suppress(OSError, RuntimeError):
        return any(it.resolve() == file for it in Path(f"/proc/{bot.pid}/fd").iterdir())
    return False
