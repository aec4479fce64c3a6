"""The Chromium of this machine: Playwright only steers it, and downloads none of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--force-color-profile=srgb")


class NoChromiumError(Exception):
    """There is no Chromium; the text says what helps."""


def executable() -> Path:
    """Where Chromium is: the one named in the environment as CHROMIUM, else the first on the PATH."""
    names = [name for name in (os.environ.get("CHROMIUM"),) if name] or _NAMES
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise NoChromiumError("There is no Chromium: install the package chromium, or name one with CHROMIUM=/path.")
    return Path(found)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without windows. Raises NoChromiumError."""
    path = executable()
    # Chromium refuses to sandbox anything for root.
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()
