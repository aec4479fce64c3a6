from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from playground import ask
from playground.bot_process import BotFailedError
from playground.discord import EventKind, LoopbackDiscord, Message
from playground.launch import main as launch
from playground.model.choice import Found, NoModelError, find_model
from playground.model.serving import Served
from playground.transcript import Transcript
from tests.playground.stub_bot import process, put_into


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put_into(tmp_path)


@pytest.mark.wire
async def test_a_question_is_shown_edit_by_edit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ask.parser().parse_args(["Capital of Poland?"])

    assert await ask.ask_in(folder, Served("http://127.0.0.1:1", "tiny", embedded=False), options) == 0

    out = capsys.readouterr().out
    shown = [line.split("s  ", 1)[-1] for line in out.splitlines() if " s  " in line]
    assert shown == [
        "… thinking",
        "+ -# Anna asked: Capital of Poland?",
        "+ Warsaw",
        "… Writing…",
        "+  is it.",
        "+ -# tiny · assistant",
    ]
    assert "Warsaw is it.\n-# tiny · assistant\n" in out
    assert "2 edits, 0 rate-limit hits" in out.splitlines()[-1]


@pytest.mark.wire
async def test_a_private_answer_is_shown_as_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ask.parser().parse_args(["Capital of Poland?", "--private"])

    assert await ask.ask_in(folder, Served("http://127.0.0.1:1", "tiny", embedded=False), options) == 0
    assert "Warsaw is it." in capsys.readouterr().out


@pytest.mark.wire
async def test_a_failed_answer_ends_with_the_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ask.parser().parse_args(["fail"])

    assert await ask.ask_in(folder, Served("http://127.0.0.1:1", "tiny", embedded=False), options) == 1
    assert "The model is gone." in capsys.readouterr().out


@pytest.mark.wire
async def test_a_bot_that_does_not_start_says_why(folder: Path) -> None:
    async with LoopbackDiscord() as discord:
        with pytest.raises(BotFailedError, match=r"exit code 1(?s:.*)a setting is missing"):
            await process(discord, folder, BROKEN="1").start()


@pytest.mark.wire
async def test_a_bot_that_dies_is_noticed(folder: Path) -> None:
    with pytest.raises(BotFailedError, match="exit code 3"):
        await ask.ask_in(folder, Served("http://127.0.0.1:1", "tiny", embedded=False), ask.parser().parse_args(["die"]))


@pytest.mark.wire
async def test_a_bot_runs_ends_and_comes_back(folder: Path) -> None:
    async with LoopbackDiscord() as discord:
        discord.add_guild()
        async with process(discord, folder) as bot:
            assert discord.command_names() == {"ask"}
            assert "started with ['run']" in bot.log()
            await bot.kill()
            await discord.wait_for(lambda event: event.kind is EventKind.CONNECTION_LOST)
            await bot.start()
        assert len([event for event in discord.events if event.kind is EventKind.READY]) == 2


def test_the_launcher_takes_only_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert launch([]) == 64
    assert launch(["https://example.com"]) == 64
    assert "Usage:" in capsys.readouterr().err


class FakeOllama:
    def __init__(self) -> None:
        self.models: list[dict[str, object]] = []
        self.url = ""

    async def tags(self, _: web.Request) -> web.Response:
        return web.json_response({"models": self.models})

    async def show(self, request: web.Request) -> web.Response:
        kind = "embedding" if "embed" in (await request.json())["model"] else "completion"
        return web.json_response({"capabilities": [kind]})


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    fake = FakeOllama()
    app = web.Application()
    app.router.add_get("/api/tags", fake.tags)
    app.router.add_post("/api/show", fake.show)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


async def test_the_smallest_model_that_chats_is_taken(ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_MODEL", raising=False)
    ollama.models = [{"name": "big", "size": 9}, {"name": "small", "size": 2}, {"name": "embed", "size": 1}]

    assert await find_model(ollama.url, None) == Found(ollama.url, "small")
    assert (await find_model(ollama.url, "big")).model == "big"


async def test_no_model_is_one_sentence(ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", ollama.url)
    with pytest.raises(NoModelError, match="`ollama pull"):
        await find_model(None, None)


def test_no_ollama_ends_with_69(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask.main(["Hi", "--ollama", "http://127.0.0.1:9"]) == 69

    [sentence] = capsys.readouterr().err.splitlines()
    assert "OLLAMA_HOST" in sentence


def test_a_second_message_is_announced() -> None:
    transcript = Transcript()
    first, second = (
        Message(id=number, channel_id=1, author_id=1, author_name="bot", content=f"page {number}") for number in (1, 2)
    )

    assert transcript.lines(first) == ["+ page 1"]
    assert transcript.lines(second) == ["# message 2", "+ page 2"]
