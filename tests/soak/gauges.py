"""What a process holds, as Linux tells it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Held:
    """How much there is of what may leak."""

    answers: int
    files: int
    sockets: int
    threads: int
    children: int
    megabytes: float

    def __str__(self) -> str:
        return (
            f"after {self.answers:4} answers: {self.files} file descriptors, {self.sockets} of them sockets; "
            f"{self.threads} threads; {self.children} child processes; {self.megabytes:.1f} MB"
        )


def held(pid: int, answers: int) -> Held:
    """Look at a process."""
    targets = [_target(it) for it in Path(f"/proc/{pid}/fd").iterdir()]
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return Held(
        answers,
        files=len(targets),
        sockets=sum(target.startswith("socket:") for target in targets),
        threads=int(status["Threads"]),
        children=len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()),
        megabytes=int(status["VmRSS"].split()[0]) / 1024,
    )


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # it was closed just now


async def settled(pid: int, answers: int, *, at_most: Held | None, within: float) -> Held:
    """Look once idle connections are closed: they are kept for some seconds for the next call."""
    found = held(pid, answers)
    async with asyncio.timeout(within + 10):
        for _ in range(int(within)):
            if at_most and found.files <= at_most.files and found.threads <= at_most.threads:
                break
            await asyncio.sleep(1)
            found = held(pid, answers)
    return found
