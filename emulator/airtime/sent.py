"""Airtime that was sent, and what the platform is told about it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import structlog

from emulator.background import Background
from emulator.callbacks import CallbackAnswer, CallbackFailed, CallbackSender, json_callback
from emulator.money import written
from emulator.recent import Recent
from emulator.settings import LiveSettings

TIMEOUT_SECONDS = 10.0
MAX_KEPT = 10_000
DESCRIPTIONS = {"Success": "Airtime Delivered Successfully", "Failed": "Airtime Delivery Failed"}

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SentAirtime:
    """
    Airtime that was accepted.

    Attributes:
        status: Sent, then Success or Failed: what was reported last.
        accepted_at: ISO 8601 UTC.
    """

    request_id: str
    number: str
    currency: str
    amount: Decimal
    discount: Decimal
    idempotency_key: str | None
    status: str = "Sent"
    accepted_at: str = ""

    @property
    def value(self) -> str:
        """The amount as they write it."""
        return written(self.currency, self.amount)


class SentAirtimes:
    """Keeps what was sent, asks the platform about it where the settings say so, and reports on it."""

    def __init__(self, sender: CallbackSender, settings: LiveSettings, background: Background) -> None:
        self._sender = sender
        self._settings = settings
        self._background = background
        self._sent: Recent[str, SentAirtime] = Recent(MAX_KEPT)

    def get(self, request_id: str) -> SentAirtime | None:
        """Returns what was sent, or None."""
        return self._sent.get(request_id)

    def to(self, number: str | None) -> list[SentAirtime]:
        """Returns what was sent to a number, or to all, oldest first."""
        return [sent for sent in self._sent if number in (None, sent.number)]

    def add(self, sent: SentAirtime) -> None:
        """Keeps what was accepted, and has it reported on."""
        sent.accepted_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._sent.put(sent.request_id, sent)
        if self._settings.current.airtime_status is not None:
            self._background.start("airtime status", self._finish(sent, self._settings.current.airtime_status))

    def clear(self) -> None:
        """Drops all."""
        self._sent.clear()

    async def report(self, sent: SentAirtime, status: str, description: str | None = None) -> CallbackAnswer:
        """
        Posts one status.

        Raises:
            CallbackFailed: The platform gave no answer.
        """
        sent.status = status
        document = {
            "phoneNumber": sent.number,
            "description": description or DESCRIPTIONS.get(status, status),
            "status": status,
            "requestId": sent.request_id,
            "discount": written(sent.currency, sent.discount),
            "value": sent.value,
        }
        return await self._sender.post(json_callback("/airtime/status", document), TIMEOUT_SECONDS)

    async def validated(self, sent: SentAirtime) -> bool:
        """Asks the platform whether the request is its own."""
        document = {
            "transactionId": sent.request_id,
            "phoneNumber": sent.number,
            "sourceIpAddress": "127.0.0.1",
            "currencyCode": sent.currency,
            "amount": float(sent.amount),
        }
        try:
            answer = await self._sender.post(json_callback("/airtime/validation", document), TIMEOUT_SECONDS)
        except CallbackFailed as failure:
            log.warning("airtime was not validated", error=str(failure))
            return False
        return answer.status == 200 and b'"Validated"' in answer.body

    async def _finish(self, sent: SentAirtime, status: str) -> None:
        await asyncio.sleep(self._settings.current.airtime_status_delay_ms / 1000)
        if self._settings.current.airtime_validation and not await self.validated(sent):
            status = "Failed"
        try:
            # How the original repeats a status that was not taken is not documented, so it is not repeated.
            await self.report(sent, status)
        except CallbackFailed as failure:
            log.warning("airtime status lost", request_id=sent.request_id, error=str(failure))
