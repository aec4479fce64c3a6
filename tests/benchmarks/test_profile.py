from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import sampler
from benchmarks.profile import Profile, keep, place, purpose, stacks

BUSY = """
import os, signal, time

def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def main(arguments):
    work(float(arguments[0]))
    if "wait" in arguments:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    return 3
"""
START = "__main__:main;bot.__main__:main;asyncio.runners:Runner.run;asyncio.events:Handle._run;"
FEED = (
    f"{START}bot.chat.assistant:Assistant.answer;bot.delivery.live_answer:LiveAnswer.text;bot.delivery.pages:Pages.feed"
)
CHUNK = f"{START}bot.chat.assistant:Assistant.answer;bot.llm.ollama:read;httpx._client:stream;json:loads"
EDIT = f"{START}bot.delivery.live_answer:LiveAnswer.show;discord.http:HTTPClient.request;aiohttp.client:request"


def sampled(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """Run the busy program and return its exit code and the samples."""
    (folder / "busy.py").write_text(BUSY)
    found = folder / "samples"
    path = os.pathsep.join([str(folder), str(Path.cwd())])
    environment = os.environ | {sampler.MODULE: "busy", sampler.FILE: str(found), "PYTHONPATH": path}
    command = [sys.executable, "-m", "benchmarks.sampler", *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603  # ours
    return ended.returncode, found.read_text().splitlines()


@pytest.mark.parametrize(("arguments", "status"), [(["0.4"], 3), (["0.4", "wait"], -2)])
def test_samples_are_left_however_a_program_ends(tmp_path: Path, arguments: list[str], status: int) -> None:
    code, lines = sampled(tmp_path, *arguments)
    assert code == status
    counted = stacks(lines, 0.0, float("inf"))
    [(stack, count)] = counted.most_common(1)
    assert stack.endswith("__main__:main;busy:main;busy:work")
    assert count > 0.8 * counted.total() > 10
    assert stacks(lines, 0.0, float(lines[0].split()[0])).total() == 1


@pytest.mark.parametrize(
    ("stack", "for_what", "where"),
    [
        (FEED, "rendering frames", "bot.delivery.pages"),
        (CHUNK, "reading the model", "httpx"),
        (EDIT, "calls to Discord", "aiohttp"),
        (f"{START}discord.gateway:received;json:loads", "gateway events", "discord"),
        (f"{START}bot.storage.database:write;sqlalchemy.engine:execute", "database", "sqlalchemy"),
        (FEED.rpartition(";")[0], "the bot's own work", "bot.delivery.live_answer"),
        (sampler.OTHER_THREADS, "database", sampler.OTHER_THREADS),
        (f"{EDIT};logging:Logger.info;structlog:render", "logging", "structlog"),
        (f"{START}aiohttp.client_proto:ResponseHandler.data_received", "sockets", "aiohttp"),
        (f"{START}asyncio.selector_events:read_ready", "event loop", "Python"),
        ("bot.__main__:main;uvloop:run;asyncio.runners:Runner.run", "event loop", "Python"),
    ],
)
def test_a_stack_tells_for_what_and_in_whose_code(stack: str, for_what: str, where: str) -> None:
    assert (purpose(stack), place(stack)) == (for_what, where)


def test_a_report_shares_the_cpu_time_out(tmp_path: Path) -> None:
    profile = Profile(Counter({CHUNK: 30, EDIT: 10}), cpu=0.4, tokens=1_000, calls=20)
    keep(profile, tmp_path, "p")
    told = (tmp_path / "p.md").read_text()
    assert "0.40 s of CPU time, 1,000 tokens, 20 calls to Discord, 40 samples" in told
    assert "| reading the model | 300 | 15000 | httpx 300 |" in told
    assert "| calls to Discord | 100 | 5000 | aiohttp 100 |" in told
    assert "| all | 400 | 20000 |" in told
    assert (tmp_path / "p.folded").read_text().splitlines() == sorted([f"{CHUNK} 30", f"{EDIT} 10"])
