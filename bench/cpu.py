"""CPU time of processes, from the kernel."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Returns user and system time of each process since its start, seconds, by name."""
    return {name: _seconds(pid) for name, pid in pids.items()}


def used_since(before: Mapping[str, float], pids: Mapping[str, int]) -> dict[str, float]:
    """Returns what each process has used since `before`, seconds."""
    return {name: seconds - before[name] for name, seconds in cpu_seconds(pids).items()}


def _seconds(pid: int) -> float:
    # The name of the program stands in brackets and may hold anything; fields are counted behind it.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
