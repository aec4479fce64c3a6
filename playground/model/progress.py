"""How far pip is, for whoever waits at a terminal or reads a log."""

from __future__ import annotations

import asyncio
import sys
import time

_PATIENCE = 2.0
"""Seconds before there is a word about it."""
_REPEAT = 5.0
"""Seconds between two words where no terminal can show one that changes."""
_REDRAW = 0.25
_MEGABYTE = 1_000_000


class Progress:
    """Tells on stderr how far the download is, once it takes long: in place on a terminal, else now and then."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._done = self._total = 0
        self._in_place = sys.stderr.isatty()
        self._shown = False

    def took(self, line: str) -> bool:
        """Whether pip's line was about progress: "Progress 123 of 456", in bytes."""
        match line.split():
            case ["Progress", done, "of", total] if done.isdigit() and total.isdigit():
                self._done, self._total = int(done), int(total)
                return True
        return False

    async def tick(self) -> None:
        """Tell until cancelled."""
        await asyncio.sleep(_PATIENCE)
        while True:
            self._tell()
            await asyncio.sleep(_REDRAW if self._in_place else _REPEAT)

    def end(self) -> None:
        """Leave the line for others."""
        if self._shown and self._in_place:
            sys.stderr.write("\n")

    def _tell(self) -> None:
        self._shown = True
        done, total = self._done // _MEGABYTE, self._total // _MEGABYTE
        far = f"{done} of {total} MB" if total else f"{time.monotonic() - self._begun:.0f} s"
        text = f"Downloading the demo model (once)… {far}"
        sys.stderr.write(f"\r{text}\033[K" if self._in_place else f"{text}\n")
        sys.stderr.flush()
