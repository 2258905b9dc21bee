"""
Metrics of one service: instruments by their declaration, and nothing at all where nobody scrapes.

There is no global meter: several services may share a process, each with metrics of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, NoOpMeter, Observation

from telemetry.instruments import Instrument, Kind
from telemetry.masking import mask_text

MAX_NAMES = 200
"""Names that people give (ids of flows, error codes) that one attribute tells apart; later ones are OTHER."""

OTHER = "other"
"""Stands for every name beyond the bound."""

_SCOPE = "njia"


class Refresh(Protocol):
    """Looks up what gauges show, right before a scrape. What it raises is logged and the scrape goes on."""

    async def __call__(self) -> None: ...


class Meters:
    """
    Makes the instruments of a service.

    Attributes:
        recording: Whether anybody can see what is recorded. Where not, nothing that costs time is installed.
        refreshes: What is looked up before each scrape.
    """

    def __init__(self, meter: Meter, *, recording: bool) -> None:
        self._meter = meter
        self.recording = recording
        self.refreshes: list[Refresh] = []

    def before_each_scrape(self, refresh: Refresh) -> None:
        """Looks something up before each scrape; never where there is none."""
        if self.recording:
            self.refreshes.append(refresh)

    def counter(self, declared: Instrument) -> Counter:
        """Returns a counter, which is given to `add`."""
        return self._meter.create_counter(declared.name, declared.unit, declared.description)

    def histogram(self, declared: Instrument) -> Histogram:
        """Returns a histogram, which is given to `record`."""
        return self._meter.create_histogram(
            declared.name,
            declared.unit,
            declared.description,
            explicit_bucket_boundaries_advisory=list(declared.bounds),
        )

    def read(self, declared: Instrument, values: Callable[[], Mapping[str, float] | float | None]) -> None:
        """
        Reads a gauge, or a counter that is kept elsewhere, at each scrape.

        Args:
            values: Returns the value, or one for each value of the one attribute; None when it is not known.
        """

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            found = values()
            if isinstance(found, Mapping):
                return [Observation(value, {declared.attributes[0]: name}) for name, value in found.items()]
            return [] if found is None else [Observation(found)]

        create = (
            self._meter.create_observable_gauge
            if declared.kind is Kind.GAUGE
            else self._meter.create_observable_counter
        )
        create(declared.name, [observe], declared.unit, declared.description)


UNMETERED = Meters(NoOpMeter(_SCOPE), recording=False)
"""For a service that nobody scrapes."""


class BoundedNames:
    """Lets the first names through, masked like every text; whoever invents names cannot fill the memory."""

    def __init__(self, most: int = MAX_NAMES) -> None:
        self._most = most
        self._known: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """Returns the name as an attribute may hold it."""
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= self._most:
                return OTHER
            known = self._known[name] = mask_text(name)
        return known
