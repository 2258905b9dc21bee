"""Rounds of load, bare and ours by turns, since the machine is noisy: medians of pairs say more than one long run."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median, quantiles

import httpx

from bench.chains import Chain
from bench.cpu import cpu_seconds, used_since
from bench.generator import Generator
from bench.load import Job, Measured

SENDS_SMS = ("execute", "incoming")
"""Scenarios whose requests each make the emulator accept one SMS."""

ANSWERED_BEFORE_SENT = ("incoming",)
"""Scenarios whose answer comes before the work is done: they are over when the last SMS is out."""

MOST_AT_ONCE = 600
"""Requests of a round of those: what is answered and not done yet has a bound in our services (1,000)."""

MOST = 20_000

CHECKED_TEXTS = 20
"""SMS whose words are looked at after a round."""

DRAIN_SECONDS = 20.0
WARM_UP_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Round:
    """
    One round of one side.

    Attributes:
        rate: Requests a second.
        p50, p99: Seconds from request to answer.
        cpu: CPU seconds for one request, by process; the load generator is `load`.
        load_share: How much of one core the load generator used, 0 to 1.
        requests: Measured requests.
        errors: Wrong or missing answers, and SMS that were not sent or sent too often.
    """

    rate: float
    p50: float
    p99: float
    cpu: Mapping[str, float]
    load_share: float
    requests: int
    errors: int
    problems: Sequence[str] = field(default=())

    @property
    def cpu_in_all(self) -> float:
        """CPU seconds for one request, without the load generator's."""
        return sum(seconds for name, seconds in self.cpu.items() if name != "load")


@dataclass(frozen=True, slots=True)
class Pairs:
    """The rounds of one scenario at one number of connections; the n-th of each side stood next to each other."""

    scenario: str
    connections: int
    bare: Sequence[Round]
    ours: Sequence[Round]

    @property
    def ratio(self) -> float:
        """Median of ours to bare in requests a second."""
        return median(ours.rate / bare.rate for bare, ours in zip(self.bare, self.ours, strict=True))

    @property
    def cpu_ratio(self) -> float:
        """Median of the bare chain's to our CPU time a request; others on the machine move it less than the rates."""
        return median(bare.cpu_in_all / ours.cpu_in_all for bare, ours in zip(self.bare, self.ours, strict=True))


class Bench:
    """Carries rounds out against both sides."""

    def __init__(self, generator: Generator, bare: Chain, ours: Chain, emulator: httpx.AsyncClient) -> None:
        self._generator = generator
        self._bare = bare
        self._ours = ours
        self._emulator = emulator
        self._names = (f"r{number}" for number in count(1))

    async def pairs(self, scenario: str, connections: int, how_many: int, seconds: float) -> Pairs:
        """Measures both sides by turns."""
        bare, ours = [], []
        for _ in range(how_many):
            bare.append(await self.round(self._bare, scenario, connections, seconds))
            ours.append(await self.round(self._ours, scenario, connections, seconds))
        return Pairs(scenario, connections, bare, ours)

    async def warm_up(self, scenarios: Sequence[str], connections: int) -> None:
        """Opens connections, compiles flows, fills caches."""
        for scenario in scenarios:
            await self.pairs(scenario, connections, 1, WARM_UP_SECONDS)

    async def round(self, chain: Chain, scenario: str, connections: int, seconds: float) -> Round:
        """Measures one side once."""
        behind = scenario in ANSWERED_BEFORE_SENT
        most = MOST_AT_ONCE if behind else MOST
        job = Job(scenario, chain.side, next(self._names), chain.ports[scenario], connections, seconds, most)
        accepted = await self._accepted()
        before = cpu_seconds(chain.pids)
        started = time.perf_counter()
        measured = await self._generator.run(job)
        errors, problems = measured.errors, list(measured.problems)
        if scenario in SENDS_SMS:
            missing = measured.in_all - (await self._sent(accepted, measured.in_all))
            if missing:
                errors += abs(missing)
                problems.append(f"{missing} SMS are missing")
        elapsed = time.perf_counter() - started
        used = used_since(before, chain.pids) | {"load": measured.cpu}
        if scenario in SENDS_SMS:
            wrong = [text for text in await self._newest_texts() if f" {job.name}-" not in text]
            errors += len(wrong)
            problems.extend(wrong)
        requests = measured.in_all if behind else measured.requests
        return Round(
            rate=requests / (elapsed if behind else measured.elapsed),
            **_latencies(measured),
            cpu={name: seconds / measured.in_all for name, seconds in used.items()},
            load_share=measured.cpu / elapsed,
            requests=requests,
            errors=errors,
            problems=problems,
        )

    async def _sent(self, before: int, wanted: int) -> int:
        """Waits until the emulator has accepted so many SMS, or has not for DRAIN_SECONDS; returns how many."""
        until = time.monotonic() + DRAIN_SECONDS
        while True:
            sent = await self._accepted() - before
            if sent >= wanted or time.monotonic() > until:
                return sent
            await asyncio.sleep(0.02)

    async def _accepted(self) -> int:
        answer = await self._emulator.get("/control/health")
        return int(answer.json()["sms"]["accepted"])

    async def _newest_texts(self) -> list[str]:
        answer = await self._emulator.get("/control/messages", params={"limit": CHECKED_TEXTS})
        return [message["text"] for message in answer.json()["messages"]]


def _latencies(measured: Measured) -> dict[str, float]:
    if len(measured.latencies) < 2:
        raise RuntimeError(f"too few answers to measure: {measured.problems}")
    cuts = quantiles(measured.latencies, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98]}
