"""Runs ours and the bare chain in turn, so that a machine whose speed drifts is fair to both."""

import statistics
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from bench import load
from bench.processes import cpu_ms_per_request, snapshot
from bench.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Figures:
    """
    One side of one comparison, medians over the rounds.

    Attributes:
        rate: Requests a second.
        p50_ms: Half of the answers came within this.
        cpu_ms: CPU a request by process.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    requests: int
    cpu_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Attributes:
        ratio: Our rate by the bare chain's, the median of the pairs.
    """

    scenario: str
    calls: str
    connections: int
    ours: Figures
    bare: Figures
    ratio: float


@dataclass(frozen=True, slots=True)
class Side:
    """Where one side listens, and its processes by name."""

    address: tuple[str, int]
    pids: Mapping[str, int]


async def compare(
    scenario: Scenario, ours: Side, bare: Side, connections: int, seconds: float, rounds: int
) -> Comparison:
    """Measures both sides in turn, after a short load that is not counted."""
    pairs: list[tuple[Figures, Figures]] = []
    for number in range(rounds + 1):
        length = seconds if number else min(1.0, seconds)
        pair = (
            await _figures(scenario.ours, scenario.our_processes, ours, connections, length),
            await _figures(scenario.bare, scenario.bare_processes, bare, connections, length),
        )
        if number:
            pairs.append(pair)
    return Comparison(
        scenario.name,
        scenario.calls,
        connections,
        _median([pair[0] for pair in pairs]),
        _median([pair[1] for pair in pairs]),
        statistics.median(pair[0].rate / pair[1].rate for pair in pairs),
    )


async def _figures(
    requests: Callable[[int], AsyncIterator[load.Request]],
    names: tuple[str, ...],
    side: Side,
    connections: int,
    seconds: float,
) -> Figures:
    before = snapshot(side.pids, names)
    result = await load.run(side.address, requests, connections, seconds)
    after = snapshot(side.pids, names)
    count = len(result.latencies)
    return Figures(
        result.rate,
        result.percentile_ms(0.5),
        result.percentile_ms(0.99),
        count,
        cpu_ms_per_request(before, after, count),
    )


def _median(rounds: list[Figures]) -> Figures:
    return Figures(
        statistics.median(figures.rate for figures in rounds),
        statistics.median(figures.p50_ms for figures in rounds),
        statistics.median(figures.p99_ms for figures in rounds),
        sum(figures.requests for figures in rounds),
        {name: statistics.median(figures.cpu_ms[name] for figures in rounds) for name in rounds[0].cpu_ms},
    )
