"""
Reports that wait for the engine, of deliveries, airtime, payments and the ends of USSD sessions: one sorted set in
Redis, njia:at:outbox, shared by all replicas.

The score of an entry is when it is due, milliseconds by the server's clock. Taking an entry moves it ahead by a lease,
so that the report of a replica that dies is taken by another.
"""

from dataclasses import dataclass

import orjson
from google.protobuf.json_format import MessageToDict, ParseDict

from njia.engine.v1.engine_service_pb2 import HandleDeliveryReportRequest, HandleUssdEndRequest
from njia.engine.v1.money_pb2 import HandleAirtimeStatusRequest, HandlePaymentRequest
from njia.engine.v1.voice_pb2 import HandleVoiceEndRequest
from storage.connection import Client, store_errors
from storage.scripts import Script

KEY = "njia:at:outbox"
LEASE_MS = 30_000
FIRST_DELAY_MS = 1000
LONGEST_DELAY_MS = 300_000


AnyReport = (
    HandleDeliveryReportRequest
    | HandleUssdEndRequest
    | HandleVoiceEndRequest
    | HandleAirtimeStatusRequest
    | HandlePaymentRequest
)

_KINDS: dict[str, type[AnyReport]] = {
    "delivery": HandleDeliveryReportRequest,
    "ussd_end": HandleUssdEndRequest,
    "voice_end": HandleVoiceEndRequest,
    "airtime_status": HandleAirtimeStatusRequest,
    "payment": HandlePaymentRequest,
}


class OutboxFull(Exception):
    """As many reports wait as may."""

    def __init__(self) -> None:
        super().__init__("as many reports wait as NJIA_AT_OUTBOX_CAPACITY allows")


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """
    A report taken from the outbox for one attempt.

    Attributes:
        entry: The entry as it stands in Redis.
        report: What the engine is to get.
        attempts: Attempts that failed so far.
    """

    entry: bytes
    report: AnyReport
    attempts: int


class ReportOutbox:
    """
    Args:
        client: Where the reports wait.
        capacity: How many may wait.
    """

    def __init__(self, client: Client, capacity: int) -> None:
        self._client = client
        self._capacity = capacity
        self._keep = Script.load(__package__, "keep")
        self._take = Script.load(__package__, "take")
        self._postpone = Script.load(__package__, "postpone")

    async def keep(self, report: AnyReport) -> None:
        """
        Adds a report; one that already waits is not added twice.

        Raises:
            OutboxFull: It was not added.
            StoreUnavailable: It is perhaps not added.
        """
        with store_errors():
            kept = await self._keep.run(self._client, [KEY], [self._capacity, FIRST_DELAY_MS, _entry(report, 0)])
        if not kept:
            raise OutboxFull

    async def depth(self) -> int:
        """Returns how many reports wait. Raises StoreUnavailable."""
        with store_errors():
            return int(await self._client.zcard(KEY))

    async def take(self) -> WaitingReport | None:
        """Returns a report that is due, ours for LEASE_MS, or None. Raises StoreUnavailable."""
        with store_errors():
            entry = await self._take.run(self._client, [KEY], [LEASE_MS])
        if entry is None:
            return None
        document = orjson.loads(entry)
        report = ParseDict(document["report"], _KINDS[document["kind"]](), ignore_unknown_fields=True)
        return WaitingReport(entry, report, document["attempts"])

    async def remove(self, waiting: WaitingReport) -> None:
        """Forgets a report that is settled. Raises StoreUnavailable."""
        with store_errors():
            await self._client.zrem(KEY, waiting.entry)

    async def postpone(self, waiting: WaitingReport) -> None:
        """Puts a report back, twice as far ahead as the last time. Raises StoreUnavailable."""
        attempts = waiting.attempts + 1
        delay_ms = min(FIRST_DELAY_MS * 2 ** min(attempts, 20), LONGEST_DELAY_MS)
        with store_errors():
            await self._postpone.run(self._client, [KEY], [waiting.entry, _entry(waiting.report, attempts), delay_ms])


def _entry(report: AnyReport, attempts: int) -> bytes:
    fields = MessageToDict(report, preserving_proto_field_name=True)
    kind = next(name for name, message in _KINDS.items() if isinstance(report, message))
    return orjson.dumps({"kind": kind, "report": fields, "attempts": attempts}, option=orjson.OPT_SORT_KEYS)
