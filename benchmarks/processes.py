"""CPU time and memory of other processes, and what else the machine was doing. On Linux; elsewhere None."""

import os
import time
from pathlib import Path

_SCHED_CLOCK = 2  # of another process, as clock_getcpuclockid(3) makes its number
_PROC = Path("/proc")
_IDLE = (3, 4)  # the fields of /proc/stat that are no work: idle and waiting for input or output
_COUNTED = 8  # those after it repeat a part of the first two
_KIB = 1024


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU time of all threads of a process, user and system, to the microsecond."""
    if not _PROC.is_dir():
        return None
    return time.clock_gettime((~pid << 3) | _SCHED_CLOCK)


def peak_memory(pid: int) -> int | None:
    """Return the most bytes of memory that a process ever had resident."""
    status = _PROC / str(pid) / "status"
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * _KIB


def machine_cpu_seconds() -> float | None:
    """Return the CPU time that all processes, and other guests of the same host, have taken since the machine began."""
    stat = _PROC / "stat"
    if not stat.exists():
        return None
    ticks = [int(field) for field in stat.read_text().splitlines()[0].split()[1 : 1 + _COUNTED]]
    return (sum(ticks) - sum(ticks[field] for field in _IDLE)) / os.sysconf("SC_CLK_TCK")
