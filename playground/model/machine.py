"""What the engine needs of the machine, in sentences for those whose machine lacks it."""

from __future__ import annotations

from pathlib import Path

_OTHERWISE = "Name an Ollama on another machine with --ollama URL."
NO_AVX2 = f"The demo model needs a processor with AVX2, which this one is not. {_OTHERWISE}"


def has_avx2(cpu_info: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor knows AVX2; True where the system does not tell, or it is none of Intel's kind."""
    try:
        lines = cpu_info.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return True
    flags = next((line.split() for line in lines if line.startswith("flags")), None)
    return flags is None or "avx2" in flags


def import_trouble(wrong: ImportError) -> str:
    """Why the engine's library does not load."""
    if isinstance(wrong, ModuleNotFoundError):
        return "The demo model's engine is not installed: run `pip install -r requirements-demo.txt`."
    if "libgomp" in str(wrong):
        return "The demo model needs the system's library libgomp.so.1; on Debian and Ubuntu: `apt install libgomp1`."
    return f"The demo model's engine does not load on this system ({wrong}). {_OTHERWISE}"
