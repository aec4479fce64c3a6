"""The demo model as a process of its own, which ends with the one that started it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Self

from playground.model.download import model_file

_ROOT = Path(__file__).resolve().parents[2]
_TAIL_LINES = 30


class ModelFailedError(RuntimeError):
    """The demo model did not come up, or ended by itself; the text ends with its log."""


class EmbeddedModel:
    """One run of the demo model; `async with` gets its file, starts it, waits for it and stops it.

    It logs to `model.log` in `folder`. `file` is a model to use instead of the downloaded one. Started again, it has
    the same address.
    """

    def __init__(
        self, folder: Path, *, file: Path | None = None, start_timeout: float = 60.0, stop_timeout: float = 5.0
    ) -> None:
        self._file = file
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._earlier = 0
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self.log_file = folder / "model.log"
        self.host = ""
        """The address for OLLAMA_HOST, once it serves."""
        self.model = ""
        """The name for OLLAMA_MODEL, once it serves."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start and wait until it serves. Raises DownloadError, ModelFailedError."""
        # Here and not over there, where nobody would see the download's progress.
        file = self._file or await model_file()
        with self.log_file.open("ab") as log:
            self._earlier = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "playground.with_parent"),
                *("playground.model", "--model-file", str(file.absolute()), "--port", str(self._port)),
                cwd=_ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                # Ctrl+C in a terminal reaches every process of its group; this one is to be told by us.
                start_new_session=True,
            )
        try:
            self.host, self.model = await self._serving(self._process)
        except BaseException:
            await self._kill()
            raise
        self._port = int(self.host.rpartition(":")[2])

    async def _serving(self, process: asyncio.subprocess.Process) -> tuple[str, str]:
        try:
            async with asyncio.timeout(self._start_timeout):
                line = await process.stdout.readline() if process.stdout else b""
        except TimeoutError as late:
            raise ModelFailedError(
                self._told(f"The demo model did not start within {self._start_timeout} s.")
            ) from late
        if not line:
            raise ModelFailedError(self._told(f"The demo model ended with exit code {await process.wait()}."))
        served = json.loads(line)
        return served["host"], served["model"]

    async def stop(self) -> None:
        """Ask it to end (SIGTERM), and insist after the deadline."""
        process = self._running()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(self._stop_timeout):
                    await process.wait()
            except TimeoutError:
                await self._kill()

    @property
    def pid(self) -> int:
        """The process."""
        return self._running().pid

    async def exited(self) -> int:
        """Wait for it to end by itself, and return its exit code."""
        return await self._running().wait()

    def log(self) -> str:
        """What it logged since it was started last."""
        return self.log_file.read_bytes()[self._earlier :].decode(errors="replace")

    async def _kill(self) -> None:
        process = self._running()
        if process.returncode is None:
            process.kill()
        await process.wait()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("The demo model was not started.")
        return self._process

    def _told(self, sentence: str) -> str:
        tail = "\n".join(self.log().splitlines()[-_TAIL_LINES:])
        return f"{sentence} Its log ends:\n{tail}"
