"""Where and with what something was measured."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_CPU_INFO = Path("/proc/cpuinfo")
_LIBRARIES = ("discord.py", "ollama", "httpx", "aiohttp")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, its load at the beginning, and the versions of everything that matters."""

    date: str
    cpu: str
    cores: int
    load: float
    """Processes that wanted to run, averaged over the minute before."""
    system: str
    python: str
    libraries: dict[str, str]
    revision: str


def this_machine() -> Machine:
    """Describe this machine now; nothing that names it or its owner is in it."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[0],
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        libraries={name: version(name) for name in _LIBRARIES},
        revision=_revision(),
    )


def _cpu() -> str:
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _revision() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = [git, "describe", "--always", "--dirty"]
    told = subprocess.run(asked, cwd=_ROOT, capture_output=True, text=True, check=False)  # noqa: S603  # nothing in it is anybody's input
    return told.stdout.strip() or "unknown"
