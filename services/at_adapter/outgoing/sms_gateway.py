"""Sends an SMS order to Africa's Talking and reads the answer."""

from opentelemetry import trace

from services.at_adapter.outgoing.answers import read_sms_answer
from services.at_adapter.outgoing.exchange import Exchange
from services.at_adapter.outgoing.sdk import SmsRequests
from services.at_adapter.outgoing.sms import SmsOrder, SmsReceipt
from services.at_adapter.outgoing.transport import HttpAnswer
from telemetry import attributes

OPERATION = "sms.send"


class SmsGateway:
    """
    Africa's Talking as far as SMS go.

    Args:
        requests: Builds the requests.
        exchange: Sends them.
    """

    def __init__(self, requests: SmsRequests, exchange: Exchange) -> None:
        self._requests = requests
        self._exchange = exchange

    async def deliver(self, order: SmsOrder) -> SmsReceipt:
        """
        Sends the order once.

        Raises:
            SendRefused: See `read_sms_answer` and `AtTransport.send`.
        """
        call = self._requests.request_for(order)
        return await self._exchange.receipt(OPERATION, call, _read, {attributes.RECIPIENT_COUNT: len(order.to)})


def _read(answer: HttpAnswer) -> SmsReceipt:
    receipt = read_sms_answer(answer)
    trace.get_current_span().set_attribute(attributes.PROVIDER_STATUS_CODE, receipt.recipients[0].status_code)
    return receipt
