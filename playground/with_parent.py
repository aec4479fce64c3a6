"""`python -m playground.with_parent MODULE ARGUMENTS...`: run a module that ends when its parent does.

The parent, a `Child`'s owner, holds the other end of our standard input: when it is gone, however it went, the pipe is
closed, and we tell ourselves to end as an operator would. Without this a demo that was killed would leave a bot behind
that looks for its Discord for ever.
"""

import asyncio
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

_USAGE = "Usage: python -m playground.with_parent MODULE [ARGUMENTS...], with a pipe as standard input"
_STDIN = 0
_TAIL_LINES = 30


class Child:
    """A module as a process that ends with this one and logs to a file; it can be started again when it has ended."""

    def __init__(self, log_file: Path) -> None:
        self.log_file = log_file
        self._process: asyncio.subprocess.Process | None = None

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.returncode if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process to look at for memory and threads."""
        return self._started().pid

    async def kill(self) -> None:
        """End it as a crash would."""
        process = self._started()
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def exited(self) -> int:
        """Wait for it to end by itself, and return its exit code."""
        return await self._started().wait()

    def log(self) -> str:
        """Return everything that it logged."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def told(self, sentence: str) -> str:
        """Return a sentence with the end of the log below it."""
        tail = "\n".join(self.log().splitlines()[-_TAIL_LINES:])
        return f"{sentence} Its log ends:\n{tail}"

    async def _spawn(
        self, *command: str, cwd: Path, env: Mapping[str, str] | None = None, stdout: int | None = None
    ) -> asyncio.subprocess.Process:
        """Start the module with its arguments; what it writes to stdout is logged unless it goes elsewhere."""
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "playground.with_parent", *command),
                cwd=cwd,
                env=env,
                stdin=asyncio.subprocess.PIPE,
                stdout=stdout or log,
                stderr=log,
                # Ctrl+C in a terminal reaches every process of its group; this one is to be told by us, once.
                start_new_session=True,
            )
        return self._process

    async def _end(self, within: float) -> bool:
        """Ask it to end (SIGTERM), and insist after so many seconds; whether asking was enough."""
        process = self._started()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(within):
                    await process.wait()
            except TimeoutError:
                await self.kill()
                return False
        return True

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{type(self).__name__} was not started.")
        return self._process


def _end_with_stdin() -> None:
    # Not sys.stdin: a thread that waits inside a buffered reader makes the interpreter abort when it ends.
    while os.read(_STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Run the module as `python -m` would; it ends the process."""
    if not arguments:
        sys.stderr.write(f"{_USAGE}\n")
        return os.EX_USAGE
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    sys.argv[1:] = arguments[1:]
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
