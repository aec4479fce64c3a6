"""What goes wrong between the bot and Ollama: what came stays, one sentence says why, the next question is answered."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from playground.discord import Message
from tests.fake_ollama import Fault

from .stage import Held, Line, Stage, answer, line_to, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

TEXT = "Hello there."
FOOTER = "-# tiny:1b · assistant"
BROKE_OFF = "⚠️ The answer of “tiny:1b” broke off before its end. Ask again."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wired(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stage, Line]]:
    """One bot for all, whose way to Ollama is a line that tests may cut."""
    async with staged(tmp_path_factory.mktemp("bot")) as direct, line_to(direct.ollama_host) as line:
        stage = replace(direct, ollama_host=line.host)
        async with stage.bot(OLLAMA_FIRST_TOKEN_TIMEOUT="3") as bot:
            yield stage, line
            assert "Traceback" not in bot.log()
            assert await bot.stop() == 0
        assert stage.discord.rate_limit_hits == 0
        assert stage.discord.unknown_routes == []


@pytest_asyncio.fixture(loop_scope="module")
async def stage(wired: tuple[Stage, Line]) -> AsyncIterator[Stage]:
    """A fresh channel; afterwards the bot must be as well as before."""
    stage, _ = wired
    stage = replace(stage, channel=stage.guild.add_channel("talk"))
    yield stage
    ollama = stage.ollama
    ollama.answer, ollama.between, ollama.fault, ollama.error_line = ["Hello ", "there."], None, None, None
    ollama.ending = {"done_reason": "stop"}
    done = await stage.reply_to(stage.mention("Are you well?"))
    assert done.content == f"{TEXT}\n{FOOTER}"


@pytest.fixture
def line(wired: tuple[Stage, Line]) -> Line:
    return wired[1]


async def failed(stage: Stage, question: str = "Hi") -> str:
    """The answer without its header, which must be there."""
    done: Message = await answer(stage.ask(question))
    header = f"-# Anna asked: {question}\n"
    assert done.content.startswith(header)
    return done.content.removeprefix(header)


async def test_ollama_is_down(stage: Stage, line: Line) -> None:
    await line.unplug()

    told = await failed(stage)

    assert told.startswith(f"⚠️ Ollama does not answer at {line.host}. Ask the operator")
    await line.plug_in()


async def test_ollama_dies_in_the_middle(stage: Stage, line: Line) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))

    line.cut()

    assert (await answer(asked)).content == f"-# Anna asked: Hi\nHello\n{BROKE_OFF}\n{FOOTER}"
    await held.left()


async def test_ollama_dies_before_the_first_word(stage: Stage, line: Line) -> None:
    held = Held(stage.ollama, before=0)
    asked = stage.ask("Hi")
    await held.reached()

    line.cut()

    assert "⚠️" in (await answer(asked)).content
    await held.left()


async def test_an_answer_that_never_begins_is_given_up(stage: Stage) -> None:
    held = Held(stage.ollama, before=0)

    told = await failed(stage)

    assert told.startswith("⚠️ “tiny:1b” did not begin to answer within 3 seconds.")
    await held.left()


async def test_an_error_line_ends_the_answer(stage: Stage) -> None:
    stage.ollama.error_line = "an error was encountered while running the model: CUDA error: out of memory"

    told = await failed(stage)

    assert told.startswith(f"{TEXT}\n⚠️ The machine that runs Ollama can't hold “tiny:1b”")
    assert "CUDA" not in told


async def test_a_stream_without_its_last_line_is_no_answer(stage: Stage) -> None:
    stage.ollama.ending = None

    assert await failed(stage) == f"{TEXT}\n{BROKE_OFF}\n{FOOTER}"


@pytest.mark.parametrize(
    "garbage",
    [b"<html>502 Bad Gateway</html>\n", b"{\n", b"[]\n", b"null\n", b"\xff\xfe\n", b'{"message": 1}\n'],
    ids=["page", "half", "list", "null", "bytes", "type"],
)
async def test_garbage_in_the_middle_ends_the_answer(stage: Stage, line: Line, garbage: bytes) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))

    line.inject(garbage)

    assert (await answer(asked)).content == f"-# Anna asked: Hi\nHello\n{BROKE_OFF}\n{FOOTER}"
    await held.left()


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (503, "server busy, please try again.  maximum pending requests exceeded", "Ollama has too much to do"),
        (500, "model requires more system memory (9 GiB) than is available (1 GiB)", "can't hold “tiny:1b”"),
        (500, "something new", "Ollama failed at this."),
        (400, 'option "temperature" must be of type float32', "refuses one of the parameters"),
        (404, "page not found", "is not Ollama"),
        (401, "unauthorized", "refuses the bot's credentials"),
        (400, "illegal base64 data at input byte 4", "“tiny:1b” can't read this image"),
        (400, "registry.ollama.ai/library/tiny:1b does not support tools", "“tiny:1b” can't use tools"),
        (400, "the input length exceeds the context length; input is longer than the context size", "does not fit"),
        (500, "prompt is longer than the context window", "does not fit into the context window of “tiny:1b”"),
    ],
)
async def test_a_refusal_is_explained(stage: Stage, status: int, error: str, told: str) -> None:
    stage.ollama.fault = Fault(status, error)

    words = await failed(stage)

    assert words.startswith("⚠️ ")
    assert told in words
    assert error not in words


async def test_a_model_that_is_gone_is_explained(stage: Stage) -> None:
    there = dict(stage.ollama.models)
    stage.ollama.models.clear()

    told = await failed(stage)

    assert told.startswith("⚠️ Ollama does not have the model “tiny:1b”.")
    stage.ollama.models |= there


@pytest.mark.parametrize("by_mention", [False, True])
async def test_a_question_that_failed_is_not_lost(stage: Stage, by_mention: bool) -> None:
    stage.ollama.fault = Fault(500, "no")
    question = "Why? " * 200

    if by_mention:
        asked = stage.mention(question)
        await stage.reply_to(asked)
        assert stage.channel.messages()[0].content.endswith(question.strip())
    else:
        stage.ask(question)
        with_file = await stage.said(stage.channel, lambda message: message.attachments)
        assert with_file.attachments[0].data.decode() == question


@pytest.mark.parametrize("after", [False, True])
async def test_a_question_that_failed_is_not_lost_when_the_connection_breaks_too(stage: Stage, after: bool) -> None:
    held = Held(stage.ollama, before=1)
    question = "Why? " * 200
    asked = stage.ask(question)
    await asked.message(shows("Hello"))
    fault = stage.discord.faults.drop("POST", "/webhooks/", times=2, after=after)

    stage.ollama.error_line = "no"
    held.go_on()

    with_file = await stage.said(stage.channel, lambda message: message.attachments)
    assert with_file.attachments[0].data.decode() == question
    assert fault.hits


async def test_a_failed_answer_is_no_part_of_the_conversation(stage: Stage) -> None:
    stage.ollama.fault = Fault(500, "no")
    await failed(stage)
    stage.ollama.fault = None

    await answer(stage.ask("Again"))

    assert [content for role, content in stage.ollama.prompts[-1] if role == "user"] == ["Again"]


async def test_a_bot_starts_without_ollama_and_finds_it_later(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with (
        staged(tmp_path_factory.mktemp("later")) as direct,
        line_to(direct.ollama_host, plugged_in=False) as line,
    ):
        stage = replace(direct, ollama_host=line.host)
        async with stage.bot():
            assert "Ollama does not answer" in await failed(stage)

            await line.plug_in()

            assert await failed(stage) == f"{TEXT}\n{FOOTER}"


async def test_a_server_that_is_not_ollama_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with staged(tmp_path_factory.mktemp("other")) as right:
        stage = replace(right, ollama_host=right.discord.url)
        async with stage.bot():
            assert f"What answers at {stage.discord.url} is not Ollama." in await failed(stage)


async def test_a_default_model_that_ollama_lacks_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with staged(tmp_path_factory.mktemp("unknown")) as stage, stage.bot(OLLAMA_MODEL="nope"):
        done = await stage.reply_to(stage.mention("Hi"), shows("⚠️"))

        assert done.content.startswith("⚠️ Ollama does not have the model “nope”.")


async def test_a_host_name_that_nobody_knows_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with staged(tmp_path_factory.mktemp("nowhere")) as right:
        stage = replace(right, ollama_host="http://ollama.invalid:11434")
        async with stage.bot() as bot:
            told = await failed(stage)

            assert told.startswith("⚠️ The host name in http://ollama.invalid:11434 is not known. Ask the operator")
            assert "Traceback" not in bot.log()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tls")
    async with staged(folder) as right, encrypted(right.ollama_host, folder) as host:
        stage = replace(right, ollama_host=host)
        async with stage.bot() as bot:
            told = await failed(stage)

            assert told.startswith(f"⚠️ No secure connection to {host} is possible (TLS). Ask the operator")
            assert "certificate verify failed" in bot.log()
            assert "Traceback" not in bot.log()
            assert right.ollama.asked == []


@asynccontextmanager
async def encrypted(host: str, folder: Path) -> AsyncIterator[str]:
    """A way to a server on this machine behind TLS, with a certificate that was made here; yields its address."""
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    making = await asyncio.create_subprocess_exec(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, *files, stderr=asyncio.subprocess.DEVNULL
    )
    assert await making.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    line = Line(host)
    await line.plug_in(context)
    try:
        yield line.host.replace("http", "https", 1)
    finally:
        await line.unplug()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_named_and_not_followed(tmp_path_factory: pytest.TempPathFactory, status: int) -> None:
    async with staged(tmp_path_factory.mktemp("moved")) as right, moved_to(right.ollama_host, status) as host:
        stage = replace(right, ollama_host=host)
        async with stage.bot() as bot:
            told = await failed(stage)

            assert told.startswith(f"⚠️ {host} sends the bot to another address. Ask the operator to set OLLAMA_HOST")
            assert "Traceback" not in bot.log()
            assert right.ollama.asked == []


@asynccontextmanager
async def moved_to(host: str, status: int) -> AsyncIterator[str]:
    """A server that sends everybody to another one; yields its address."""

    async def send_away(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": f"{host}{request.path}"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", send_away)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("reason", [None, "", "load", "unload", "something new"])
async def test_an_answer_that_ends_for_no_usual_reason_is_an_answer(stage: Stage, reason: str | None) -> None:
    stage.ollama.ending = {"done_reason": reason}

    assert await failed(stage) == f"{TEXT}\n{FOOTER}"

    stage.ollama.ending = {"done_reason": "stop"}
    await answer(stage.ask("And then?"))
    assert stage.ollama.prompts[-1][1:] == [("user", "Hi"), ("assistant", TEXT), ("user", "And then?")]


@pytest.mark.parametrize("reason", [None, "", "load", "unload"])
async def test_a_model_that_was_loaded_or_unloaded_and_said_nothing_is_told_of(
    stage: Stage, reason: str | None
) -> None:
    stage.ollama.answer, stage.ollama.ending = [], {"done_reason": reason}

    assert await failed(stage) == f"*The model said nothing. Please ask again, or ask it differently.*\n{FOOTER}"

    stage.ollama.answer, stage.ollama.ending = ["Hello ", "there."], {"done_reason": "stop"}
    assert (await answer(stage.ask("And now?"))).content == f"-# Anna asked: And now?\n{TEXT}\n{FOOTER}"


async def test_an_answer_that_stands_still_is_given_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with staged(tmp_path_factory.mktemp("stall")) as stage, stage.bot(OLLAMA_STALL_TIMEOUT="1"):
        held = Held(stage.ollama, before=1)

        told = await failed(stage)

        assert told.startswith("Hello\n⚠️ The answer of “tiny:1b” stood still for 1 seconds and was given up.")
        await held.left()
