"""The demo model as a process of its own, which ends with the one that started it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Self

from playground.model.download import model_file
from playground.with_parent import Child

_ROOT = Path(__file__).resolve().parents[2]


class ModelFailedError(RuntimeError):
    """The demo model did not come up, or ended by itself; the text ends with its log."""


class EmbeddedModel(Child):
    """One run of the demo model; `async with` gets its file, starts it, waits for it and stops it.

    It logs to `model.log` in `folder`. `file` is a model to use instead of the downloaded one. Started again, it has
    the same address.
    """

    def __init__(
        self, folder: Path, *, file: Path | None = None, start_timeout: float = 60.0, stop_timeout: float = 5.0
    ) -> None:
        super().__init__(folder / "model.log")
        self._file = file
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._earlier = 0
        self._port = 0
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
        self._earlier = self.log_file.stat().st_size if self.log_file.exists() else 0
        process = await self._spawn(
            *("playground.model", "--model-file", str(file.absolute()), "--port", str(self._port)),
            cwd=_ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            self.host, self.model = await self._serving(process)
        except BaseException:
            await self.kill()
            raise
        self._port = int(self.host.rpartition(":")[2])

    async def _serving(self, process: asyncio.subprocess.Process) -> tuple[str, str]:
        try:
            async with asyncio.timeout(self._start_timeout):
                line = await process.stdout.readline() if process.stdout else b""
        except TimeoutError as late:
            raise ModelFailedError(self.told(f"The demo model did not start within {self._start_timeout} s.")) from late
        if not line:
            raise ModelFailedError(self.told(f"The demo model ended with exit code {await process.wait()}."))
        served = json.loads(line)
        return served["host"], served["model"]

    async def stop(self) -> None:
        """Ask it to end (SIGTERM), and insist after the deadline."""
        await self._end(self._stop_timeout)

    def log(self) -> str:
        """What it logged since it was started last."""
        return self.log_file.read_bytes()[self._earlier :].decode(errors="replace")
