"""The process: how it starts, what it says, and that it never outlives the one that started it."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from playground.model.process import EmbeddedModel, ModelFailedError
from playground.model.serving import keep

ENDS_WITHIN = 5.0
"""Seconds; it is one on a machine that has nothing else to do."""
ENGINE_MISSING = "raise ModuleNotFoundError(\"No module named 'xllamacpp'\")"
LIBRARY_MISSING = 'raise ImportError("libgomp.so.1: cannot open shared object file: No such file or directory")'
STRANGE = 'raise ImportError("wrong ELF class")'


async def started(*arguments: str, environment: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "playground.model", *arguments),
        env=os.environ | (environment or {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def told(process: asyncio.subprocess.Process) -> dict[str, str]:
    assert process.stdout
    said: dict[str, str] = json.loads(await process.stdout.readline())
    return said


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(ENDS_WITHIN):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_serves_and_ends_when_told(gguf: Path, number: int) -> None:
    process = await started("--model-file", str(gguf))

    said = await told(process)
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(said["host"])).text == "Ollama is running"
    process.send_signal(number)

    assert said["model"] == "smollm2:135m"
    assert await ended(process) == (0, "")


async def test_it_ends_in_the_middle_of_an_answer(gguf: Path, tmp_path: Path) -> None:
    model = EmbeddedModel(tmp_path, file=gguf, stop_timeout=ENDS_WITHIN)
    await model.start()
    question = {"model": model.model, "messages": [{"role": "user", "content": "many words " * 1500}]}
    async with httpx.AsyncClient(base_url=model.host, trust_env=False, timeout=60) as client:
        asked = [asyncio.create_task(client.post("/api/chat", json=question)) for _ in range(3)]
        await asyncio.wait(asked, timeout=0.5)

        await model.stop()

        assert await model.exited() == 0
        assert all(isinstance(lost, httpx.HTTPError) for lost in await asyncio.gather(*asked, return_exceptions=True))


async def test_it_does_not_outlive_a_parent_that_is_killed(gguf: Path, tmp_path: Path) -> None:
    script = dedent("""
        import asyncio, sys
        from pathlib import Path
        from playground.model.process import EmbeddedModel

        async def main():
            async with EmbeddedModel(Path(sys.argv[1]), file=Path(sys.argv[2])) as model:
                print(model.host, flush=True)
                await asyncio.Event().wait()

        asyncio.run(main())
    """)
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(tmp_path), str(gguf)), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    host = (await parent.stdout.readline()).decode().strip()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(host.rpartition(":")[2]))

    parent.kill()
    await parent.wait()

    async with asyncio.timeout(ENDS_WITHIN):
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        (ENGINE_MISSING, "is not installed: run `pip install -r requirements-demo.txt`."),
        (LIBRARY_MISSING, "needs the system's library libgomp.so.1; on Debian and Ubuntu: `apt install libgomp1`."),
        (STRANGE, "does not load on this system (wrong ELF class). Name an Ollama"),
    ],
)
async def test_what_the_machine_lacks_is_said(gguf: Path, tmp_path: Path, engine: str, sentence: str) -> None:
    (tmp_path / "xllamacpp.py").write_text(engine)

    process = await started("--model-file", str(gguf), environment={"PYTHONPATH": str(tmp_path)})

    code, errors = await ended(process)
    assert code == 69
    assert sentence in errors
    assert len(errors.splitlines()) == 1


async def test_a_model_that_is_killed_is_back_at_the_same_address(gguf: Path, tmp_path: Path) -> None:
    reports: asyncio.Queue[str] = asyncio.Queue()
    async with EmbeddedModel(tmp_path, file=gguf) as model, httpx.AsyncClient(trust_env=False) as client:
        keeping = asyncio.create_task(keep(model, reports.put_nowait))
        for before in (model.pid, model.pid):
            host = model.host
            os.kill(model.pid, signal.SIGKILL)

            assert await reports.get() == "The demo model ended with exit code -9, so it is started again."
            assert await reports.get() == "The demo model is back."
            assert model.pid != before
            assert (await client.get(host)).text == "Ollama is running"
        keeping.cancel()


async def test_a_model_that_does_not_come_back_is_told(gguf: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.symlink_to(gguf)
    reports: asyncio.Queue[str] = asyncio.Queue()
    async with EmbeddedModel(tmp_path, file=file) as model:
        file.unlink()
        os.kill(model.pid, signal.SIGKILL)

        await keep(model, reports.put_nowait)

    assert "so it is started again" in reports.get_nowait()
    assert reports.get_nowait().startswith("There is no demo model any more, so start the demo again.")


async def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary,")

    with pytest.raises(ModelFailedError, match=r"exit code 69(?s:.*)notes.txt is not a model in the GGUF format"):
        await EmbeddedModel(tmp_path, file=tmp_path / "notes.txt").start()


@pytest.fixture
def half(gguf: Path, tmp_path: Path) -> Path:
    half = tmp_path / "half.gguf"
    half.write_bytes(gguf.read_bytes()[: gguf.stat().st_size // 2])
    return half


async def test_half_a_model_does_not_load(half: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFailedError, match=r"half.gguf can't be loaded"):
        await EmbeddedModel(tmp_path, file=half).start()


async def test_a_taken_port_is_named(gguf: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        process = await started("--model-file", str(gguf), "--port", str(other.getsockname()[1]))

        code, errors = await ended(process)

    assert code == 69
    assert "address already in use" in errors


async def test_a_model_that_takes_too_long_is_given_up(gguf: Path, tmp_path: Path) -> None:
    model = EmbeddedModel(tmp_path, file=gguf, start_timeout=0.01)

    with pytest.raises(ModelFailedError, match="did not start within"):
        await model.start()
    assert await model.exited() == -signal.SIGKILL
