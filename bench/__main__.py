"""
Measures a bare chain and our services in one run: `python -m bench`, which is `make bench`.

Exit codes: 0 measured and every answer was right, 1 not.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvloop

from bench import costs, report
from bench.chains import APART, LAYOUTS, bare_chain, our_chain
from bench.conversations import CONVERSATIONS
from bench.generator import generating
from bench.profiling import profile
from bench.rounds import Bench, Pairs
from launcher.stack import ONE_PROCESS_EACH, Stack

CONNECTIONS = (1, 32)


@dataclass(frozen=True, slots=True)
class Extent:
    """
    How long to measure.

    Attributes:
        pairs: Rounds of each side, by turns.
        seconds: Of one round, by number of connections.
    """

    pairs: int
    seconds: dict[int, float]


FULL = Extent(3, {1: 1.0, 32: 2.2})
QUICK = Extent(1, {1: 0.5, 32: 1.5})


def main(arguments: Sequence[str]) -> int:
    """Measures and prints what the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser("python -m bench", description="What requests cost, beside bare services.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--layout", choices=LAYOUTS, default=APART, help="services apart (default) or in one process")
    parser.add_argument("--scenario", choices=CONVERSATIONS, action="append", help="measure this one only")
    parser.add_argument("--profile", choices=ONE_PROCESS_EACH, metavar="SERVICE", help="profile one of our services")
    chosen = parser.parse_args(arguments)
    scenarios = chosen.scenario or list(CONVERSATIONS)
    with tempfile.TemporaryDirectory(prefix="njia-bench-") as scratch:
        directory = Path(scratch)
        if chosen.profile:
            uvloop.run(profile(chosen.profile, scenarios[0], max(CONNECTIONS), directory))
            return 0
        figures = uvloop.run(measure(directory, QUICK if chosen.quick else FULL, chosen.layout, scenarios))
    if chosen.json:
        print(json.dumps(figures, indent=2))
    else:
        report.show(figures)
    return 1 if report.errors_of(figures) else 0


async def measure(directory: Path, extent: Extent, layout: str, scenarios: Sequence[str]) -> dict[str, object]:
    """Counts, warms up, measures; returns the figures."""
    progress("counting calls and trips…")
    counted = await costs.record(directory / "counted")
    progress("starting both sides…")
    stack = Stack(directory / "measured", layout=LAYOUTS[layout])
    async with (
        our_chain(stack, scenarios) as ours,
        bare_chain(stack, counted, directory, scenarios) as bare,
        generating() as generator,
        httpx.AsyncClient(base_url=stack.emulator_url, timeout=10, trust_env=False) as emulator,
    ):
        bench = Bench(generator, bare, ours, emulator)
        await bench.warm_up(scenarios, max(CONNECTIONS))
        measured: list[Pairs] = []
        for scenario in scenarios:
            for connections in CONNECTIONS:
                progress(f"{report.TITLES[scenario]}, {connections} connections…")
                measured.append(await bench.pairs(scenario, connections, extent.pairs, extent.seconds[connections]))
    return report.document(counted, measured, layout)


def progress(text: str) -> None:
    """Tells a person who waits what is under way."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
