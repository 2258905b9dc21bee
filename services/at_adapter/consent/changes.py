"""
What Africa's Talking tells of opt-outs and subscriptions, on its way to Redis.

Nothing says that it tells of one twice, and an opt-out is a promise. So what Redis cannot take now waits in the memory
of this process, in its order, until Redis can. That is no record: the process may end before, so nobody is told that
it was kept.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import structlog

from services.at_adapter.consent.opt_outs import OptOuts
from services.at_adapter.consent.subscriptions import ADDITION, Subscriptions
from storage.connection import StoreUnavailable
from telemetry.masking import mask_msisdn

MOST_WAITING = 10_000
"""Changes that may wait; some 300 bytes each."""

PAUSE_SECONDS = 1.0
"""How long after a failure Redis is tried again."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Somebody wants nothing more of a sender; empty: of none. `at_ms` is when it was told, Unix time."""

    sender: str
    number: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """
    Somebody joined or left a product of a short code. Who joins asks for its messages, so an opt-out of that short code
    that was told of before is lifted.

    Attributes:
        update: Their word in lower case, such as addition.
        at_ms: When it was told, Unix time.
    """

    short_code: str
    keyword: str
    number: str
    update: str
    at_ms: int


Change = OptedOut | SubscriptionChanged


class ConsentChanges:
    """Writes changes down; `serve` must run for those that wait."""

    def __init__(self, opt_outs: OptOuts, subscriptions: Subscriptions) -> None:
        self._opt_outs = opt_outs
        self._subscriptions = subscriptions
        self._waiting: deque[Change] = deque()
        self._has_some = asyncio.Event()

    async def take(self, change: Change) -> bool:
        """Writes a change down; returns False where it waits, behind those that wait already, or is lost."""
        if not self._waiting:
            try:
                await self._write(change)
            except StoreUnavailable as problem:
                self._keep(change, problem.why)
                return False
            _log.info("consent changed", **_told(change))
            return True
        self._keep(change, "others wait")
        return False

    async def serve(self) -> None:
        """Writes down what waits, until it is cancelled; then it is tried once more, and the log says what is lost."""
        try:
            while True:
                await self._has_some.wait()
                if not await self._caught_up():
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            # Who ends a task cancels it again where it takes its time.
            with suppress(asyncio.CancelledError):
                await self._caught_up()
            for change in self._waiting:
                _log.error("a change of consent is lost: this process ends, and Redis is away", **_told(change))

    def _keep(self, change: Change, why: str) -> None:
        if len(self._waiting) >= MOST_WAITING:
            _log.error("a change of consent is lost: too many wait for Redis", **_told(change), why=why)
            return
        self._waiting.append(change)
        if isinstance(change, OptedOut):
            self._opt_outs.expect(change.sender, change.number)
        self._has_some.set()
        _log.error(
            "a change of consent waits in memory for Redis", **_told(change), why=why, waiting=len(self._waiting)
        )

    async def _caught_up(self) -> bool:
        while self._waiting:
            change = self._waiting[0]
            try:
                await self._write(change)
            except StoreUnavailable:
                return False
            except Exception:  # noqa: BLE001 - one change must not keep the others waiting
                _log.exception("a change of consent is lost: it cannot be written", **_told(change))
            else:
                _log.info("consent changed, late", **_told(change))
            self._waiting.popleft()
            if isinstance(change, OptedOut):
                self._opt_outs.expect_no_more(change.sender, change.number)
        self._has_some.clear()
        return True

    async def _write(self, change: Change) -> None:
        match change:
            case OptedOut(sender, number, at_ms):
                await self._opt_outs.add(sender, number, at_ms)
            case SubscriptionChanged(short_code, keyword, number, update, at_ms):
                await self._subscriptions.keep(short_code, keyword, number, update, at_ms)
                if update == ADDITION:
                    await self._opt_outs.lift_before(short_code, number, at_ms)


def now_ms() -> int:
    """Unix time."""
    return time.time_ns() // 1_000_000


def _told(change: Change) -> dict[str, str]:
    msisdn = mask_msisdn(change.number)
    if isinstance(change, OptedOut):
        return {"what": "opted out", "msisdn": msisdn, "sender": change.sender}
    return {"what": change.update, "msisdn": msisdn, "short_code": change.short_code, "keyword": change.keyword}
