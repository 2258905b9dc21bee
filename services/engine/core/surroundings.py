"""What every run of an engine shares."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.engine.core.ports import Observer, Reports, Sessions
from workflow.node_type import Ports


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    Attributes:
        ports: The outside, as nodes reach it.
        now_ms: Unix time.
        random: Numbers from 0 to 1, for the jitter of retries.
        sleep: Waits so many seconds.
        settle_ms: How long the outside may take to report an effect whose outcome is unknown.
        max_output_bytes: Largest output of a node as JSON.
    """

    ports: Ports
    sessions: Sessions
    reports: Reports
    observer: Observer
    now_ms: Callable[[], int]
    random: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    settle_ms: int
    max_output_bytes: int
