"""The scripted Ollama as the harness sees it: started, asked for its record, ended."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.ollama_server import RECORD
from benchmarks.script import Script, Written

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What the model wrote, and the CPU seconds that its process has used so far."""

    answers: dict[int, list[Written]]
    """By number; more than one where it was asked again."""
    cpu: float


@dataclass(frozen=True, slots=True)
class ScriptedOllama:
    """A running one."""

    host: str

    async def record(self) -> ModelRecord:
        """Read what was written so far."""
        async with aiohttp.ClientSession() as session, session.get(self.host + RECORD) as response:
            told: dict[str, Any] = await response.json()
        answers = {int(number): [Written(**one) for one in all_] for number, all_ in told["answers"].items()}
        return ModelRecord(answers, told["cpu"])


@asynccontextmanager
async def scripted_ollama(script: Script) -> AsyncIterator[ScriptedOllama]:
    """Serve a script as a process of its own, so that neither the bot nor the loopback Discord delays a token."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.ollama_server",
        json.dumps(asdict(script)),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both were asked for")
    try:
        port = int(await process.stdout.readline())
        yield ScriptedOllama(f"http://127.0.0.1:{port}")
    finally:
        process.stdin.close()
        await process.wait()
