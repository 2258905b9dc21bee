"""Payment notifications: noted where the payment was asked for, and the start of flows that listen for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog

from services.engine import ids
from services.engine.core.timestamps import timestamp
from services.engine.executions.executions import Executions
from services.engine.executions.settlements import DeliveryReports
from services.engine.store.execution_store import ExecutionStore, Report
from services.engine.triggers.unclaimed import Unclaimed
from workflow.money import PAYMENT, json_number

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PaymentNotification:
    """
    A notification as the adapter read it; empty text means that it has no such part.

    Attributes:
        reference: Idempotency key of the request, where the payment was ours.
        amount: Decimal as text.
        texts: Its other parts, by their names in the trigger payload.
        trusted: Whether only the provider can have posted it.
        received_at_ms: Unix time.
    """

    transaction_id: str
    status: str
    reference: str
    currency: str
    amount: str
    msisdn: str
    metadata: Mapping[str, str]
    texts: Mapping[str, str]
    trusted: bool
    paid_at_ms: int
    received_at_ms: int


class PaymentNotifications:
    """Takes notifications."""

    def __init__(
        self, executions: Executions, reports: DeliveryReports, store: ExecutionStore, unclaimed: Unclaimed
    ) -> None:
        self._executions = executions
        self._reports = reports
        self._store = store
        self._unclaimed = unclaimed

    async def take(self, notification: PaymentNotification) -> str | None:
        """
        Notes a notification in the execution that asked for the payment, and starts the flow that claims it; returns
        the id of the latter. The same transaction and status again run nothing twice.
        """
        asked_by = await self._reports.take(_report(notification)) or await self._named(notification.reference)
        payload = _payload(notification, asked_by)
        reference = f"{notification.transaction_id}:{notification.status}"
        started = await self._executions.triggered(PAYMENT, reference, payload)
        if started is None and asked_by is None:
            _log.warning("no published flow claims a payment notification", status=notification.status)
            await self._unclaimed.note(PAYMENT, reference, payload)
        return started

    async def _named(self, reference: str) -> str | None:
        """Returns the execution that a request names itself by: its id may come back before it was written down."""
        execution_id = reference.partition(":")[0]
        if ids.partition_of_execution(execution_id) is None:
            return None
        return execution_id if await self._store.results_behind(execution_id, 0) is not None else None


def _report(notification: PaymentNotification) -> Report:
    return Report(
        message_id=notification.transaction_id,
        status=notification.status,
        number=notification.msisdn,
        failure_reason=notification.texts.get("description", "") if notification.status != "Success" else "",
        network_code="",
        received_at_ms=notification.received_at_ms,
        channel=PAYMENT,
        amount=f"{notification.currency} {notification.amount}" if notification.amount else "",
        # Only what came from the provider may settle a payment whose answer was lost.
        subject=notification.reference if notification.trusted and notification.reference else notification.msisdn,
    )


def _payload(notification: PaymentNotification, asked_by: str | None) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "transactionId": notification.transaction_id,
        "status": notification.status,
        "trusted": notification.trusted,
        "timestamp": timestamp(notification.paid_at_ms),
    }
    if notification.amount:
        payload["amount"] = json_number(Decimal(notification.amount))
        payload["currency"] = notification.currency
    parts = {"msisdn": notification.msisdn, "executionId": asked_by or "", **notification.texts}
    payload |= {name: text for name, text in parts.items() if text}
    if notification.metadata:
        payload["metadata"] = dict(notification.metadata)
    return payload
