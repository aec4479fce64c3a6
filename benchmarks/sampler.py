"""`python -m benchmarks.sampler ARGUMENTS`: another module's `main`, with notes on where its CPU time goes.

The kernel interrupts the process each time that it has used a few milliseconds of CPU, and what was being called then
is noted. Unlike a profiler that hooks into every call, this makes small functions look no more expensive than they are.
"""

import importlib
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Self

MODULE = "SAMPLED_MODULE"
"""The environment variable that names the module to run."""
FILE = "SAMPLES_FILE"
"""The environment variable that says where the samples go: a moment and a stack each line, outermost call first."""
OTHER_THREADS = "other threads"

_EVERY = 0.001
"""Seconds of CPU time; the kernel rounds them up to its own tick, of 4 ms on most machines."""


class Sampler:
    """Takes samples of the main thread's stack within a `with` block, of which no two may be open at once."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, str]] = []
        self._used = 0.0
        self._used_here = 0.0

    def __enter__(self) -> Self:
        signal.signal(signal.SIGPROF, self._take)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def lines(self) -> list[str]:
        """Return what was found, as a file's lines."""
        return [f"{at:.6f} {stack}\n" for at, stack in self._samples]

    def _take(self, _signal: int, frame: FrameType | None) -> None:
        used, here = time.process_time(), time.thread_time()
        # The signal tells of the whole process's CPU time; Python brings it to the main thread, asleep or not.
        was_here = 2 * (here - self._used_here) >= used - self._used
        self._used, self._used_here = used, here
        self._samples.append((time.monotonic(), _stack(frame) if was_here else OTHER_THREADS))


def _stack(frame: FrameType | None) -> str:
    calls = []
    while frame:
        calls.append(f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return ";".join(reversed(calls))


def main(arguments: list[str]) -> object:
    """Run the module that the environment names; the samples are written when it has ended, however it ends."""
    sampler = Sampler()
    # A program that leaves SIGTERM alone would end before the samples are written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with sampler:
            return importlib.import_module(os.environ[MODULE]).main(arguments)
    finally:
        Path(os.environ[FILE]).write_text("".join(sampler.lines()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))  # type: ignore[arg-type]
