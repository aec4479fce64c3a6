"""A process that ends when its parent does, however the parent went."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from playground.with_parent import main

# Says when it is up, and how it was told to end.
CHILD = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("up", sys.argv[1:], flush=True)
signal.pause()
"""
# Starts the child with a pipe, and waits for its own death.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "playground.with_parent", "child", "one", "two"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
time.sleep(60)
"""
PATIENCE = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "child.py").write_text(CHILD)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{folder}:{Path.cwd()}"}


async def started(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environment(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode().strip()


async def test_it_runs_the_module_with_its_arguments_and_its_exit_code(folder: Path) -> None:
    process = await started(folder, "-m", "playground.with_parent", "child", "one", "two")
    assert await line_of(process) == "up ['one', 'two']"

    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 7


async def test_a_closed_pipe_ends_it_as_an_operator_would(folder: Path) -> None:
    process = await started(folder, "-m", "playground.with_parent", "child")
    assert await line_of(process) == "up []"

    assert process.stdin
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 7


async def test_a_killed_parent_leaves_no_child_behind(folder: Path) -> None:
    parent = await started(folder, "-c", PARENT)
    told = {await line_of(parent), await line_of(parent)}
    assert "up ['one', 'two']" in told

    parent.kill()
    await parent.wait()
    assert parent.stdout
    # The child holds the other end of this pipe, so the end of the stream is the end of the child.
    assert await asyncio.wait_for(parent.stdout.read(), PATIENCE) == b""


def test_it_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 64
    assert "Usage:" in capsys.readouterr().err
