"""
One screen of a USSD session.

Africa's Talking posts all that was typed so far and shows what comes back: a text that begins with CON (more input)
or END (last screen). Anything else, an HTTP error too, shows the subscriber a fault of the network, so this callback
always answers 200 with one of the two.
"""

from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from njia.engine.v1.engine_service_pb2 import HandleUssdRequest, Reply
from services.at_adapter.callbacks.engine import call_engine, why_lost
from services.at_adapter.callbacks.fields import CallbackFields, UnusableCallback, phone_number, read_fields
from storage.outages import Outage
from telemetry import attributes
from telemetry.masking import mask_msisdn

if TYPE_CHECKING:
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

ENGINE_MARGIN_MS = 500
"""What the engine is given beyond its budget to hand over the apology; together below the 10 s that they wait."""

UNAVAILABLE_TEXT = "Sorry, this service is not available at the moment. Please try again later."

_log = structlog.get_logger()


class UssdCallback:
    """
    POST /at/ussd.

    Args:
        engine: Makes the screens.
        budget_ms: How long it may take for one.
    """

    def __init__(self, engine: "EngineServiceAsyncStub", budget_ms: int) -> None:
        self._engine = engine
        # Of many at once, in an outage, the log has some and a number; njia.ussd.turn.duration counts them all.
        self._without_screen = Outage("the engine made no screen")
        self._timeout_seconds = (budget_ms + ENGINE_MARGIN_MS) / 1000

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Answers with the next screen, whatever happens. Raises BodyTooLarge alone, which is answered 413."""
        try:
            turn = _turn(await read_fields(request))
        except UnusableCallback as unusable:
            _log.warning("a USSD callback cannot be used", problem=str(unusable))
            return _screen("END", UNAVAILABLE_TEXT)
        trace.get_current_span().set_attribute(attributes.SESSION_ID, turn.session_id)
        try:
            response = await call_engine(self._engine.HandleUssd, turn, self._timeout_seconds)
        except Exception as error:  # noqa: BLE001 (an HTTP error would show the subscriber a fault of the network)
            self._without_screen.goes_on(
                session_id=turn.session_id,
                msisdn=mask_msisdn(turn.msisdn),
                reason=why_lost(error),
            )
            return _screen("END", UNAVAILABLE_TEXT)
        return _rendered(response.reply)


def _turn(fields: CallbackFields) -> HandleUssdRequest:
    return HandleUssdRequest(
        session_id=fields.required("sessionId"),
        msisdn=phone_number(fields.required("phoneNumber")),
        service_code=fields.text("serviceCode").strip(),
        network_code=fields.text("networkCode").strip(),
        # Blanks count here: they are what the subscriber typed.
        text=fields.text("text"),
    )


def _rendered(reply: Reply) -> PlainTextResponse:
    if reply.kind == "con":
        return _screen("CON", reply.text)
    return _screen("END", reply.text if reply.text.strip() else UNAVAILABLE_TEXT)


def _screen(kind: str, text: str) -> PlainTextResponse:
    return PlainTextResponse(f"{kind} {text}")
