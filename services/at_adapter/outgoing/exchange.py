"""Sends one request to Africa's Talking and reads its answer: one span a request."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from opentelemetry.trace import Status, StatusCode, TracerProvider

from services.at_adapter.outgoing.faults import SendRefused
from services.at_adapter.outgoing.refused_sends import RefusedSends
from services.at_adapter.outgoing.sdk import HttpCall
from services.at_adapter.outgoing.transport import AtTransport, HttpAnswer
from telemetry import attributes, spans

Receipt = TypeVar("Receipt")


class Exchange:
    """
    Args:
        transport: Sends the requests.
        tracer_provider: Where the spans go.
    """

    def __init__(self, transport: AtTransport, tracer_provider: TracerProvider) -> None:
        self._transport = transport
        self._refused = RefusedSends()
        self._tracer = tracer_provider.get_tracer("njia.at_adapter")

    async def receipt(
        self,
        operation: str,
        call: HttpCall,
        read: Callable[[HttpAnswer], Receipt],
        also: Mapping[str, int] = MappingProxyType({}),
    ) -> Receipt:
        """
        Sends the request once and returns what `read`, in whose time the span is the current one, makes of its answer.

        Args:
            operation: Name of the span, such as airtime.send.
            also: Attributes of the span beside it.

        Raises:
            SendRefused: See `AtTransport.send` and `read`.
        """
        sends: dict[str, str | int] = {attributes.PROVIDER_OPERATION: operation, **also}
        with self._tracer.start_as_current_span(
            spans.SEND.named(sends),
            kind=spans.SEND.kind,
            attributes=sends,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                answer = await self._transport.send(call)
                span.set_attribute(attributes.HTTP_STATUS_CODE, answer.status)
                return read(answer)
            except SendRefused as refusal:
                span.set_attribute(attributes.ERROR_TYPE, refusal.fault.name)
                span.set_status(Status(StatusCode.ERROR, refusal.fault.name))
                self._refused.tell(operation, refusal)
                raise
