"""Sends airtime: what happens around one request."""

from services.at_adapter.outgoing.airtime import AirtimeOrder, AirtimeReceipt
from services.at_adapter.outgoing.airtime_answers import read_airtime_answer
from services.at_adapter.outgoing.airtime_requests import AirtimeRequests
from services.at_adapter.outgoing.exchange import Exchange
from services.at_adapter.outgoing.rate_limit import SendRate
from services.at_adapter.outgoing.request_keys import their_key
from services.at_adapter.records.requested import Requested

OPERATION = "airtime.send"


class Airtime:
    """See SendOnce for `prepare` and `deliver`."""

    def __init__(self, requests: AirtimeRequests, exchange: Exchange, rate: SendRate, requested: Requested) -> None:
        self._requests = requests
        self._exchange = exchange
        self._rate = rate
        self._requested = requested

    async def prepare(self, key: str, order: AirtimeOrder) -> None:
        """Asks the limit, and notes the request: they may ask back whether it is ours before they answer it."""
        await self._rate.admit()
        await self._requested.note(key, order.number, order.money)

    async def deliver(self, key: str, order: AirtimeOrder) -> AirtimeReceipt:
        """Sends the request once. Raises SendRefused."""
        call = self._requests.request_for(their_key(key), order)
        return await self._exchange.receipt(OPERATION, call, read_airtime_answer)
