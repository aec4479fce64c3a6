"""Takes a foreign file apart in a process of its own.

A file can be made so that its parser runs for ever or fills the memory. A thread could be neither stopped nor limited,
and would hold up every answer meanwhile; a process can be ended, and takes nothing with it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
LARGEST_MEMORY = 1024**3
"""Bytes of address space for the process."""
REFUSED = 65
"""The exit status for a file that can't be read: EX_DATAERR of sysexits.h."""


class Unreadable(Exception):
    """Why a file can't be read, in words that go on after its name and need a full stop."""


async def apart(module: str, data: bytes, *arguments: str, seconds: float) -> bytes:
    """What a module that calls `serve` makes of a file. Raises Unreadable, also when the time is over."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(seconds):
            result, _ = await process.communicate(data)
    except TimeoutError:
        raise Unreadable(f"is too complicated: reading it takes longer than {seconds:g} seconds") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == REFUSED:
        raise Unreadable(result.decode())
    if process.returncode:
        log.warning("%s ended with status %s", module, process.returncode)
        raise Unreadable("is damaged, or too complicated to be read")
    return result


def serve(read: Callable[[bytes], bytes]) -> None:
    """Be that process: a file comes in, what `read` makes of it goes out, or the reason why it can't be read."""
    _limit_memory()
    try:
        result, status = read(sys.stdin.buffer.read()), 0
    except Unreadable as error:
        result, status = str(error).encode(), REFUSED
    except MemoryError:
        result, status = b"is too complicated: reading it takes too much memory", REFUSED
    sys.stdout.buffer.write(result)
    sys.stdout.flush()
    sys.exit(status)


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415  # Windows has no such module
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, LARGEST_MEMORY))
