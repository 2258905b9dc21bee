"""
A callback of a call: Africa's Talking asks what is done next, or says that the call is over.

Anything but a document ends the call without a word, so a live call is always answered 200 with one.
"""

from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace
from starlette.requests import Request
from starlette.responses import Response

from njia.engine.v1.voice_pb2 import HandleVoiceEndRequest, HandleVoiceRequest
from services.at_adapter.callbacks.engine import call_engine, why_lost
from services.at_adapter.callbacks.fields import CallbackFields, UnusableCallback, phone_number, read_fields
from services.at_adapter.callbacks.reporting import Reporting
from services.at_adapter.callbacks.ussd import ENGINE_MARGIN_MS
from services.at_adapter.callbacks.voice_document import ANSWERS, CHECK, NOTHING, VoiceAddress, document, spoken
from storage.outages import Outage
from telemetry import attributes
from telemetry.masking import mask_msisdn

if TYPE_CHECKING:
    from njia.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

UNAVAILABLE_TEXT = "Sorry, this service is not available at the moment. Please call again later."

OVER = "0"
"""isActive in the last callback of a call."""

_log = structlog.get_logger()


class VoiceCallback:
    """
    POST /at/voice.

    Args:
        engine: Says what is done next.
        reporting: Takes the ends of calls.
        budget_ms: How long the engine may take for an answer.
        public_url: Where Africa's Talking reaches this server, without a path; None: where the callback came to.
    """

    def __init__(
        self, engine: "EngineServiceAsyncStub", reporting: Reporting, budget_ms: int, public_url: str | None
    ) -> None:
        self._engine = engine
        # Of many at once, in an outage, the log has some and a number.
        self._without_answer = Outage("the engine did not say what is done next in a call")
        self._reporting = reporting
        self._timeout_seconds = (budget_ms + ENGINE_MARGIN_MS) / 1000
        self._public_url = public_url

    async def __call__(self, request: Request) -> Response:
        """Answers with what is done next, whatever happens. Raises BodyTooLarge alone, which is answered 413."""
        try:
            fields = await read_fields(request)
            if fields.text("isActive").strip() == OVER:
                return await ended(fields, self._reporting)
            turn = _turn(fields, request)
        except UnusableCallback as unusable:
            _log.warning("a callback of a call cannot be used", problem=str(unusable))
            return _xml(spoken(UNAVAILABLE_TEXT))
        trace.get_current_span().set_attribute(attributes.SESSION_ID, turn.session_id)
        try:
            answer = await call_engine(self._engine.HandleVoice, turn, self._timeout_seconds)
        except Exception as error:  # noqa: BLE001 (without a document the call ends without a word)
            self._without_answer.goes_on(
                session_id=turn.session_id,
                msisdn=mask_msisdn(turn.msisdn),
                reason=why_lost(error),
            )
            return _xml(spoken(UNAVAILABLE_TEXT))
        return _xml(document(answer.actions, answer.turn, self._address(request)))

    def _address(self, request: Request) -> VoiceAddress:
        root = self._public_url or f"{request.url.scheme}://{request.url.netloc}"
        return VoiceAddress(root + request.url.path)


class VoiceEventsCallback:
    """POST /at/voice/events: 200 once what ends a call is with the engine or the outbox, else 503."""

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    async def __call__(self, request: Request) -> Response:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        if fields.text("isActive").strip() == OVER:
            return await ended(fields, self._reporting)
        # Every word is known to appear without notice; none of them changes what the flow does.
        _log.info("a call goes on", session_id=fields.required("sessionId"), state=fields.text("callSessionState"))
        return _xml(document([], "", VoiceAddress("")))


async def ended(fields: CallbackFields, reporting: Reporting) -> Response:
    """Hands the end of a call over. Raises UnusableCallback when it does not say of which."""
    report = HandleVoiceEndRequest(
        session_id=fields.required("sessionId"),
        direction=fields.text("direction").strip(),
        request_id=fields.text("clientRequestId").strip(),
        status=fields.text("status").strip(),
        hangup_cause=fields.text("hangupCause").strip(),
    )
    _log.info(
        "a call ended",
        session_id=report.session_id,
        msisdn=mask_msisdn(phone_number(fields.text("callerNumber"))),
        status=report.status,
        cause=report.hangup_cause,
        duration_seconds=fields.text("durationInSeconds"),
        cost=f"{fields.text('currencyCode')} {fields.text('amount')}".strip(),
    )
    return await reporting.answered(report)


def _turn(fields: CallbackFields, request: Request) -> HandleVoiceRequest:
    query = request.query_params
    turn = HandleVoiceRequest(
        session_id=fields.required("sessionId"),
        # Hidden numbers come as a word, such as anonymous.
        msisdn=_number(fields.text("callerNumber")),
        called_number=phone_number(fields.text("destinationNumber")),
        direction=fields.text("direction").strip(),
        answers=query.get(ANSWERS) or query.get(NOTHING) or query.get(CHECK) or "",
        check=CHECK in query,
        request_id=fields.text("clientRequestId").strip(),
    )
    digits = fields.text("dtmfDigits").strip()
    # After a redirect the keys of an earlier answer may come along. Without any query, something on the way has dropped
    # it: keys alone say then that something was asked.
    if ANSWERS in query or (digits and not turn.answers):
        turn.digits = digits
    return turn


def _number(text: str) -> str:
    number = phone_number(text)
    return number if number.removeprefix("+").isdigit() else ""


def _xml(body: str) -> Response:
    return Response(body, media_type="application/xml")
