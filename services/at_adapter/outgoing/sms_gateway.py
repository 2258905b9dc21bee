"""Sends an SMS order to Africa's Talking and reads the answer: one span a request."""

from opentelemetry.trace import Status, StatusCode, TracerProvider

from services.at_adapter.outgoing.answers import read_sms_answer
from services.at_adapter.outgoing.faults import SendRefused
from services.at_adapter.outgoing.refused_sends import RefusedSends
from services.at_adapter.outgoing.sdk import SmsRequests
from services.at_adapter.outgoing.sms import SmsOrder, SmsReceipt
from services.at_adapter.outgoing.transport import AtTransport
from telemetry import attributes, spans

OPERATION = "sms.send"


class SmsGateway:
    """
    Africa's Talking as far as SMS go.

    Args:
        requests: Builds the requests.
        transport: Sends them.
        tracer_provider: Where the spans go.
    """

    def __init__(self, requests: SmsRequests, transport: AtTransport, tracer_provider: TracerProvider) -> None:
        self._requests = requests
        self._transport = transport
        self._refused = RefusedSends()
        self._tracer = tracer_provider.get_tracer("njia.at_adapter")

    async def deliver(self, order: SmsOrder) -> SmsReceipt:
        """
        Sends the order once.

        Raises:
            SendRefused: See `read_sms_answer` and `AtTransport.send`.
        """
        sends: dict[str, str | int] = {
            attributes.PROVIDER_OPERATION: OPERATION,
            attributes.RECIPIENT_COUNT: len(order.to),
        }
        with self._tracer.start_as_current_span(
            spans.SEND.named(sends),
            kind=spans.SEND.kind,
            attributes=sends,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                answer = await self._transport.send(self._requests.request_for(order))
                span.set_attribute(attributes.HTTP_STATUS_CODE, answer.status)
                receipt = read_sms_answer(answer)
            except SendRefused as refusal:
                span.set_attribute(attributes.ERROR_TYPE, refusal.fault.name)
                span.set_status(Status(StatusCode.ERROR, refusal.fault.name))
                self._refused.tell(OPERATION, refusal)
                raise
            span.set_attribute(attributes.PROVIDER_STATUS_CODE, receipt.recipients[0].status_code)
            return receipt
