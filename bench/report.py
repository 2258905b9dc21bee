"""The figures as a table and as JSON."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.costs import Costs, summary
from bench.rounds import Pairs, Round

TITLES: Mapping[str, str] = {
    "ussd": "USSD turn",
    "execute": "SMS echo by execute",
    "incoming": "SMS echo by callback",
}
SHOWN_MS = 0.05
"""CPU time of a process below it is not of the request."""

LIBRARIES = ("grpcio", "redis", "hiredis", "uvicorn", "uvloop", "starlette", "protobuf")


def document(costs: Costs, measured: Sequence[Pairs], layout: str) -> dict[str, Any]:
    """Returns everything that was measured; times in milliseconds."""
    return {
        "machine": machine(),
        "layout": layout,
        "costs": summary(costs),
        "scenarios": [
            {
                "scenario": pairs.scenario,
                "connections": pairs.connections,
                "ratio": round(pairs.ratio, 3),
                "cpuRatio": round(pairs.cpu_ratio, 3),
                "bare": _side(pairs.bare),
                "ours": _side(pairs.ours),
            }
            for pairs in measured
        ],
    }


def machine() -> dict[str, Any]:
    """Returns what the figures depend on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def show(report: Mapping[str, Any]) -> None:
    """Prints the figures for a person."""
    console = Console(width=max(120, Console().width), highlight=False)
    about = report["machine"]
    console.print(
        f"{about['cores']} cores, {about['system']} {about['architecture']}, Python {about['python']}; "
        f"processes: {report['layout']}\n"
    )
    console.print(_costs_table(report["costs"]))
    console.print(_rates_table(report["scenarios"]))
    console.print(_cpu_table(report["scenarios"]))
    errors = sum(scenario[side]["errors"] for scenario in report["scenarios"] for side in ("bare", "ours"))
    console.print(f"errors: {errors}")
    for scenario in report["scenarios"]:
        for side in ("bare", "ours"):
            for problem in scenario[side]["problems"]:
                console.print(f"  {scenario['scenario']} {side}: {problem}", markup=False)


def errors_of(report: Mapping[str, Any]) -> int:
    """Returns how many answers were wrong."""
    return sum(scenario[side]["errors"] for scenario in report["scenarios"] for side in ("bare", "ours"))


def _side(rounds: Sequence[Round]) -> dict[str, Any]:
    cpu = {name: median(each.cpu[name] for each in rounds) * 1000 for name in rounds[0].cpu}
    return {
        "requestsPerSecond": round(median(each.rate for each in rounds), 1),
        "rounds": [round(each.rate, 1) for each in rounds],
        "p50Ms": round(median(each.p50 for each in rounds) * 1000, 2),
        "p99Ms": round(median(each.p99 for each in rounds) * 1000, 2),
        "cpuMsPerRequest": {name: round(value, 3) for name, value in cpu.items()},
        "cpuMsPerRequestInAll": round(median(each.cpu_in_all for each in rounds) * 1000, 3),
        "loadGeneratorShareOfACore": round(median(each.load_share for each in rounds), 3),
        "requests": sum(each.requests for each in rounds),
        "errors": sum(each.errors for each in rounds),
        "problems": [problem for each in rounds for problem in each.problems],
    }


def _costs_table(costs: Mapping[str, Any]) -> Table:
    table = Table(title="What one request makes, counted on the wire (the bare chain makes the same)")
    for column in ("request", "RPCs", "called", "Redis trips", "made by"):
        table.add_column(column, justify="right" if column in {"RPCs", "Redis trips"} else "left")
    for kind, cost in costs.items():
        calls = f"{cost['calls']} ({cost['callBytes']} B)"
        trips = f"{cost['trips']} ({cost['tripBytes']} B)"
        table.add_row(kind, calls, ", ".join(cost["called"]), trips, ", ".join(cost["tripsOf"]))
    return table


def _rates_table(scenarios: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Closed loop, medians of rounds; ratios are medians of pairs")
    for column in (
        "scenario",
        "clients",
        "side",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU ms/request",
        "ratio",
        "by CPU",
    ):
        table.add_column(column, justify="left" if column in {"scenario", "side"} else "right")
    for scenario in scenarios:
        for side in ("bare", "ours"):
            figures = scenario[side]
            table.add_row(
                TITLES[scenario["scenario"]] if side == "bare" else "",
                str(scenario["connections"]) if side == "bare" else "",
                side,
                f"{figures['requestsPerSecond']:,.0f}",
                f"{figures['p50Ms']:.2f}",
                f"{figures['p99Ms']:.2f}",
                f"{figures['cpuMsPerRequestInAll']:.2f}",
                "" if side == "bare" else f"{scenario['ratio']:.2f}",
                "" if side == "bare" else f"{scenario['cpuRatio']:.2f}",
                end_section=side == "ours",
            )
    return table


def _cpu_table(scenarios: Sequence[Mapping[str, Any]]) -> Table:
    used = [_cpu(scenario, side) for scenario in scenarios for side in ("bare", "ours")]
    names = [name for name in dict.fromkeys(name for cpu in used for name in cpu) if name != "load"]
    names = [*(name for name in names if any(cpu.get(name, 0) >= SHOWN_MS for cpu in used)), "load"]
    table = Table(title="CPU ms for one request, by process (load: the generator, with its share of one core)")
    for column in ("scenario", "clients", "side", *names):
        table.add_column(column, justify="left" if column in {"scenario", "side"} else "right", no_wrap=True)
    for scenario in scenarios:
        for side in ("bare", "ours"):
            cpu = _cpu(scenario, side)
            share = scenario[side]["loadGeneratorShareOfACore"]
            table.add_row(
                TITLES[scenario["scenario"]] if side == "bare" else "",
                str(scenario["connections"]) if side == "bare" else "",
                side,
                *(f"{cpu[name]:.2f}" if cpu.get(name, 0) >= SHOWN_MS else "-" for name in names[:-1]),
                f"{cpu['load']:.2f} ({share:.0%})",
                end_section=side == "ours",
            )
    return table


def _cpu(scenario: Mapping[str, Any], side: str) -> Mapping[str, float]:
    cpu: Mapping[str, float] = scenario[side]["cpuMsPerRequest"]
    return cpu
