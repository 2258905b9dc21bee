"""Measures what is sent to Africa's Talking: how long it takes, what becomes of it, and what it costs."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.at_adapter.outgoing.airtime import AirtimeOrder, AirtimeReceipt
from services.at_adapter.outgoing.faults import SendRefused
from services.at_adapter.outgoing.slots import SendSlots
from services.at_adapter.outgoing.sms import SmsOrder, SmsReceipt
from telemetry import attributes
from telemetry.instruments import PROVIDER_COST, PROVIDER_DURATION, SENDS_QUEUED, SENDS_UNDER_WAY, SMS_SEGMENTS
from telemetry.metrics import Meters
from workflow.gsm import sms_segments

AnOrder = TypeVar("AnOrder")
Receipt = TypeVar("Receipt")
Deliver = Callable[[str, AnOrder], Awaitable[Receipt]]

_ACCEPTED, _FAILED = "accepted", "failed"
_REFUSED_FROM = 400
_COST = re.compile(r"([A-Z]{3}) ([0-9]+(?:\.[0-9]+)?)")


class Measured:
    """Wraps what delivers orders. Where nobody looks it is left as it is."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._durations = meters.histogram(PROVIDER_DURATION)
        self._segments = meters.counter(SMS_SEGMENTS)
        self._cost = meters.counter(PROVIDER_COST)
        self._slots: dict[str, SendSlots] = {}
        meters.read(SENDS_UNDER_WAY, lambda: {name: slots.under_way for name, slots in self._slots.items()})
        meters.read(SENDS_QUEUED, lambda: {name: slots.waiting for name, slots in self._slots.items()})

    def slots(self, product: str, slots: SendSlots) -> SendSlots:
        """Shows how full the places of a product are; returns them."""
        self._slots[product] = slots
        return slots

    def delivery(self, product: str, deliver: Deliver[AnOrder, Receipt]) -> Deliver[AnOrder, Receipt]:
        """Measures deliveries of a product."""
        if not self._meters.recording:
            return deliver

        async def measured(key: str, order: AnOrder) -> Receipt:
            started = time.perf_counter()
            outcome = _FAILED
            try:
                receipt = await deliver(key, order)
                outcome = _ACCEPTED
                return receipt
            except SendRefused as refusal:
                outcome = refusal.fault.name.lower()
                raise
            finally:
                self._durations.record(
                    time.perf_counter() - started,
                    {attributes.PROVIDER_PRODUCT: product, attributes.PROVIDER_OUTCOME: outcome},
                )

        return measured

    def sms(self, deliver: Deliver[SmsOrder, SmsReceipt]) -> Deliver[SmsOrder, SmsReceipt]:
        """Measures deliveries of SMS, and adds up their parts and what they cost."""
        if not self._meters.recording:
            return deliver

        async def counted(key: str, order: SmsOrder) -> SmsReceipt:
            receipt = await deliver(key, order)
            taken = [recipient for recipient in receipt.recipients if recipient.status_code < _REFUSED_FROM]
            self._segments.add(len(taken) * sms_segments(order.message).segments)
            for recipient in taken:
                self._add_cost("sms", recipient.cost)
            return receipt

        return self.delivery("sms", counted)

    def airtime(self, deliver: Deliver[AirtimeOrder, AirtimeReceipt]) -> Deliver[AirtimeOrder, AirtimeReceipt]:
        """Measures deliveries of airtime, and adds up what it cost."""
        if not self._meters.recording:
            return deliver

        async def counted(key: str, order: AirtimeOrder) -> AirtimeReceipt:
            receipt = await deliver(key, order)
            self._add_cost("airtime", receipt.amount, receipt.discount)
            return receipt

        return self.delivery("airtime", counted)

    def _add_cost(self, product: str, asked: str, discount: str = "") -> None:
        """Adds an amount as Africa's Talking writes it, such as KES 0.8000; one that cannot be read is left out."""
        cost, less = _COST.fullmatch(asked.strip()), _COST.fullmatch(discount.strip())
        if cost is None:
            return
        off = float(less[2]) if less is not None and less[1] == cost[1] else 0.0
        labels = {attributes.PROVIDER_PRODUCT: product, attributes.CURRENCY: cost[1]}
        self._cost.add(max(0.0, float(cost[2]) - off), labels)
