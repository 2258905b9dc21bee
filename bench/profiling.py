"""Where the time of one service goes under load, by cProfile inside of its process."""

import pstats
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.chains import our_chain
from bench.generator import generating
from bench.load import Job
from launcher.stack import ONE_PROCESS_EACH, ROOT, Stack

KEPT_IN = ROOT / "data" / "bench"

SECONDS = 6.0
LINES = 45


async def profile(service: str, scenario: str, connections: int, directory: Path) -> None:
    """Loads our services while one of them runs under cProfile, and prints what took longest in it."""
    file = KEPT_IN / f"{service}.prof"
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    layout: Mapping[str, Sequence[str]] = {
        **ONE_PROCESS_EACH,
        service: ("cProfile", "-o", str(file), "-m", *ONE_PROCESS_EACH[service]),
    }
    stack = Stack(directory, layout=layout)
    async with our_chain(stack, [scenario]) as chain, generating() as generator:
        job = Job(scenario, chain.side, "profile", chain.ports[scenario], connections, SECONDS, 100_000)
        measured = await generator.run(job)
    print(f"{measured.in_all} requests, {measured.errors} errors; the profile slows the service down")
    statistics = pstats.Stats(str(file))
    for order in ("tottime", "cumulative"):
        statistics.sort_stats(order).print_stats(LINES)
    print(f"kept in {file}")
