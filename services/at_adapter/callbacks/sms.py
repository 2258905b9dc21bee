"""An incoming SMS. Africa's Talking repeats it every minute, for 12 hours, until it is answered 200."""

from typing import TYPE_CHECKING

import grpc
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from njia.engine.v1.engine_service_pb2 import HandleSmsRequest
from services.at_adapter.callbacks.engine import call_engine, why_lost
from services.at_adapter.callbacks.fields import CallbackFields, phone_number, read_fields
from storage.outages import Outage
from telemetry.masking import mask_msisdn

if TYPE_CHECKING:
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

ENGINE_TIMEOUT_SECONDS = 9.0

_log = structlog.get_logger()


class SmsCallback:
    """
    POST /at/sms: 200 once the engine has recorded the message, 503 when it has not, so that it is posted again.

    Args:
        engine: Records the messages.
    """

    def __init__(self, engine: "EngineServiceAsyncStub") -> None:
        self._engine = engine
        # Of many at once, in an outage, the log has some and a number; each is posted again.
        self._not_recorded = Outage("the engine did not record an SMS")

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        message = _message(await read_fields(request))
        try:
            await call_engine(self._engine.HandleSms, message, ENGINE_TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError as error:
            self._not_recorded.goes_on(
                message_id=message.message_id,
                msisdn=mask_msisdn(message.msisdn),
                reason=why_lost(error),
            )
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                return PlainTextResponse("the message cannot be used", 400)
            return PlainTextResponse("not recorded, please repeat", 503)
        return PlainTextResponse("OK")


def _message(fields: CallbackFields) -> HandleSmsRequest:
    message = HandleSmsRequest(
        message_id=fields.required("id"),
        msisdn=phone_number(fields.required("from")),
        message=fields.text("text"),
        short_code=phone_number(fields.text("to")),
        link_id=fields.text("linkId").strip(),
        network_code=fields.text("networkCode").strip(),
    )
    sent_at = fields.moment("date")
    if sent_at is not None:
        message.sent_at.FromDatetime(sent_at)
    return message
