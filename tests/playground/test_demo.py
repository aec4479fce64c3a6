"""The demo as a process of its own, started, used and stopped as a newcomer does it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playground.discord import Settings
from playground.discord.settings import invented_token
from tests.fake_ollama import MODEL, FakeOllama

from .page.visitor import Stream

pytestmark = pytest.mark.wire
PATIENCE = 60.0
ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = re.compile(r"http://127\.0\.0\.1:\d+")
ADDRESS = re.compile(r"Open (http://127\.0\.0\.1:(\d+)/[\w-]+/)")

Json = dict[str, Any]


class Demo:
    """One run."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""
        self.url = ""

    async def opened(self) -> Demo:
        """Wait for the address."""
        async with asyncio.timeout(PATIENCE):
            while not (found := ADDRESS.search(self.said)):
                assert self.process.stdout
                line = await self.process.stdout.readline()
                assert line, f"it ended and said: {self.said}"
                self.said += line.decode()
        self.url = found[1]
        return self

    async def ended(self) -> int:
        """Wait for the end, and take what it says until then."""
        assert self.process.stdout
        async with asyncio.timeout(PATIENCE):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()

    @asynccontextmanager
    async def visited(self) -> AsyncIterator[Visit]:
        """Open the page as Anna."""
        async with aiohttp.ClientSession(headers={"Origin": self.url[: self.url.index("/", 8)]}) as session:
            async with session.get(f"{self.url}stream") as response:
                anna = next(user for user in (await Stream(response).until("world"))["users"] if user["name"] == "Anna")
            async with session.get(f"{self.url}stream", params={"as": anna["id"]}) as response:
                stream = Stream(response)
                world = await stream.until("world")
                yield Visit(self.url, session, stream, anna["id"], world)


class Visit:
    """What Anna sees and does."""

    def __init__(self, url: str, session: aiohttp.ClientSession, stream: Stream, anna: str, world: Json) -> None:
        self.stream = stream
        self.world = world
        self.general = next(one["id"] for one in world["channels"] if one["name"] == "general")
        self._url = url
        self._session = session
        self._anna = anna

    async def post(self, path: str, **data: object) -> Json:
        async with self._session.post(self._url + path, json={"as": self._anna, **data}) as answer:
            body: Json = await answer.json()
            assert answer.status == 200, body
            return body

    async def command(self, name: str, /, **options: object) -> None:
        await self.post("command", channel=self.general, command=name, options=options)

    async def message(self, *parts: str) -> Json:
        """Wait for a message with all of these in its text."""
        return await self.stream.until("message", lambda one: all(part in one["content"] for part in parts))

    async def bot_is(self, state: str) -> None:
        await self.stream.until("world", lambda world: world["bot"]["state"] == state)


@asynccontextmanager
async def running(folder: Path, *arguments: str, **environment: str) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "playground.demo", "--no-browser", "--port", "0", "--folder", str(folder)),
        *arguments,
        cwd=ROOT,
        env=environment_without("OLLAMA_HOST", "OLLAMA_MODEL") | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def environment_without(*names: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in names}


@pytest.fixture
async def ollama() -> AsyncIterator[tuple[FakeOllama, str]]:
    fake = FakeOllama()
    async with fake.serving() as host:
        yield fake, host


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def discord_of(demo: Demo) -> str:
    """The address that the bot was given on its command line."""
    children = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children").read_text().split()
    [address] = LOOPBACK.findall(" ".join(Path(f"/proc/{child}/cmdline").read_text() for child in children))
    return str(address)


def put_aside(folder: Path) -> list[Path]:
    return list(folder.glob("discord.jsonl.*"))


async def stop(demo: Demo, number: int = signal.SIGINT) -> float:
    """Press Ctrl+C, or send another signal; returns the seconds that it takes."""
    begun = time.monotonic()
    demo.process.send_signal(number)
    assert await demo.ended() == 0
    return time.monotonic() - begun


async def test_a_newcomers_walk_survives_a_new_start(tmp_path: Path, ollama: tuple[FakeOllama, str]) -> None:
    fake, host = ollama
    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        note = f'The model {MODEL} of your Ollama answers here; make demo ARGS="--model NAME" takes another one.'
        assert note in demo.said
        assert visit.world["demo"] == {
            "model": MODEL,
            "embedded": False,
            "note": note,
        }
        fake.answer = ["Green ", "parrots."]
        await visit.command("ask", prompt="What is in the jungle?")
        await visit.message("What is in the jungle?", "Green parrots.")
        await visit.command("persona use", name="commentator")
        await visit.message("commentator")
        await stop(demo)

    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        shown = (await visit.stream.until("messages"))["messages"]
        assert any("Green parrots." in message["content"] for message in shown)
        await visit.command("ask", prompt="And what else?")
        await visit.message("And what else?", "Green parrots.", "commentator")
        assert ("assistant", "Green parrots.") in fake.prompts[-1]
        await stop(demo)


async def test_an_open_tab_finds_the_next_demo_at_the_same_address(
    tmp_path: Path, ollama: tuple[FakeOllama, str]
) -> None:
    _, host = ollama
    async with running(tmp_path, "--ollama", host) as demo:
        first = (await demo.opened()).url
        await stop(demo)
    port = first.split(":")[2].split("/")[0]
    async with running(tmp_path, "--ollama", host, "--port", port) as demo:
        assert (await demo.opened()).url == first
    assert stat.S_IMODE((tmp_path / "page.json").stat().st_mode) == 0o600


async def test_ctrl_c_ends_it_within_two_seconds_in_the_middle_of_an_answer_which_is_mended(
    tmp_path: Path, ollama: tuple[FakeOllama, str]
) -> None:
    fake, host = ollama
    fake.answer = [f"word{number} " for number in range(1000)]
    held = asyncio.Event()

    async def hold(index: int) -> None:
        if index == 5:
            await held.wait()

    fake.between = hold
    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        await visit.command("ask", prompt="Count!")
        await visit.message("word4")
        # Twice what is promised, for a machine that has other work as well.
        assert await stop(demo) < 4.0
        assert "Traceback" not in demo.said
    fake.between = None
    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        shown = await visit.stream.until("messages")
        told = [one["content"] for one in shown["messages"]]
        if not any("word4" in text and "nterrupted" in text for text in told):
            await visit.message("word4", "nterrupted")


async def test_a_visitor_restarts_and_crashes_the_bot(tmp_path: Path, ollama: tuple[FakeOllama, str]) -> None:
    _, host = ollama
    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        await visit.post("bot", do="restart")
        await visit.bot_is("starting")
        await visit.bot_is("running")
        await visit.post("bot", do="kill")
        await visit.bot_is("crashed")
        await visit.bot_is("running")
        await visit.command("ask", prompt="Still there?")
        await visit.message("Still there?", "Hello there.")


async def test_the_prompt_that_the_model_got_is_shown(tmp_path: Path, ollama: tuple[FakeOllama, str]) -> None:
    _, host = ollama
    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        await visit.command("ask", prompt="What do you get?")
        await visit.message("Hello there.")
        async with aiohttp.ClientSession() as session, session.get(f"{demo.url}prompts/1") as answer:
            prompt = await answer.json()
        assert [message["role"] for message in prompt["messages"]] == ["system", "user"]
        assert "What do you get?" in prompt["messages"][-1]["content"]
        assert prompt["answer"] == "Hello there."


async def test_two_demos_do_not_share_a_folder(tmp_path: Path, ollama: tuple[FakeOllama, str]) -> None:
    _, host = ollama
    async with running(tmp_path, "--ollama", host) as first:
        await first.opened()
        async with running(tmp_path, "--ollama", host) as second:
            assert await second.ended() == 1
            assert f"A demo runs already with the folder {tmp_path}: {first.url}" in second.said


async def test_a_fresh_demo_forgets_what_was_kept_and_nothing_else(
    tmp_path: Path, ollama: tuple[FakeOllama, str]
) -> None:
    _, host = ollama
    (tmp_path / "letter.txt").write_text("not ours")
    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        await visit.command("ask", prompt="Who am I?")
        await visit.message("Hello there.")
        await stop(demo)
    async with running(tmp_path, "--ollama", host, "--fresh") as demo, (await demo.opened()).visited() as visit:
        assert (await visit.stream.until("messages"))["messages"] == []
    assert (tmp_path / "letter.txt").read_text() == "not ours"


async def test_a_port_that_is_taken_is_said_and_replaced(tmp_path: Path, ollama: tuple[FakeOllama, str]) -> None:
    _, host = ollama
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with running(tmp_path, "--ollama", host, "--port", str(port)) as demo:
            assert f":{port}/" not in (await demo.opened()).url
            assert f"Port {port} is taken by another program" in demo.said


async def test_a_damaged_world_is_put_aside_and_said(tmp_path: Path, ollama: tuple[FakeOllama, str]) -> None:
    _, host = ollama
    (tmp_path / "discord.jsonl").write_text("half a fi")
    async with running(tmp_path, "--ollama", host) as demo:
        await demo.opened()
        assert "damaged" in demo.said
    assert list(map(Path.read_text, put_aside(tmp_path))) == ["half a fi"]


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
async def test_a_port_that_is_none_is_refused_at_once(port: str, tmp_path: Path) -> None:
    async with running(tmp_path, "--port", port) as demo:
        assert await demo.ended() == 2
        assert "Traceback" not in demo.said
        assert "argument --port: " in demo.said


@pytest.mark.parametrize("name", ["100%40 ü", "what?#"])
async def test_everything_is_kept_in_the_folder_whatever_its_name_is(
    name: str, tmp_path: Path, ollama: tuple[FakeOllama, str]
) -> None:
    _, host = ollama
    async with running(tmp_path / name, "--ollama", host) as demo:
        await demo.opened()
        assert names_in(tmp_path) == {name}
        assert "llampost.db" in names_in(tmp_path / name)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="nothing here tells a process's command line")
async def test_nobody_who_does_not_know_the_token_of_this_run_logs_in_as_the_bot(
    tmp_path: Path, ollama: tuple[FakeOllama, str]
) -> None:
    _, host = ollama
    async with running(tmp_path, "--ollama", host) as demo:
        await demo.opened()
        headers = {"Authorization": f"Bot {invented_token(Settings().bot_id)}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{discord_of(demo)}/api/v10/users/@me") as answer,
        ):
            assert answer.status == 401


@pytest.mark.usefixtures("in_a_terminal")
async def test_a_terminal_that_is_closed_ends_it_as_ctrl_c_does(tmp_path: Path, ollama: tuple[FakeOllama, str]) -> None:
    _, host = ollama
    async with running(tmp_path, "--ollama", host) as demo, (await demo.opened()).visited() as visit:
        await visit.command("ask", prompt="Who am I?")
        await visit.message("Hello there.")
        await stop(demo, signal.SIGHUP)
    assert "Hello there." in (tmp_path / "discord.jsonl").read_text()


async def test_an_ollama_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    async with running(tmp_path, "--ollama", "http://127.0.0.1:9") as demo:
        assert await demo.ended() == 69
        assert demo.said.startswith("No Ollama answers at http://127.0.0.1:9: ")
        assert "Traceback" not in demo.said
