"""The processes of the bare chain, and what a process costs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher.process import ChildProcess, start
from launcher.valkey import free_port

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


def start_bare(directory: Path, redis_url: str) -> tuple[dict[str, ChildProcess], tuple[str, int]]:
    """Starts the bare chain; returns its processes and where its HTTP server listens."""
    ports = {part: free_port() for part in ("front", "outside", "middle", "leaf", "sender")}
    shared = {
        **os.environ,
        "BARE_REDIS": redis_url,
        "BARE_MIDDLE": f"127.0.0.1:{ports['middle']}",
        "BARE_LEAF": f"127.0.0.1:{ports['leaf']}",
        "BARE_SENDER": f"127.0.0.1:{ports['sender']}",
        "BARE_OUTSIDE": f"http://127.0.0.1:{ports['outside']}/",
    }
    processes = {
        part: start(
            part,
            ["bench.bare", part],
            {**shared, "BARE_LISTEN": f"127.0.0.1:{port}"},
            directory / "logs" / f"bare-{part}.log",
            ROOT,
        )
        for part, port in ports.items()
    }
    return processes, ("127.0.0.1", ports["front"])


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used (Linux, /proc/PID/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_ms_per_request(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """Milliseconds of CPU a request, by process."""
    return {name: (after[name] - before[name]) / count * 1000 for name in before}


def snapshot(pids: Mapping[str, int], names: Sequence[str]) -> dict[str, float]:
    """CPU time of some processes."""
    return {name: cpu_seconds(pids[name]) for name in names}
