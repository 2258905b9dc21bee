"""What the adapter reports of dials and short messages, as the engine has it."""

from njia.engine.v1 import engine_service_pb2 as pb
from services.engine.errors import InvalidRequest
from services.engine.executions.executions import check_session_id
from services.engine.servicers.moments import unix_ms
from services.engine.servicers.required import check_required
from services.engine.store.execution_store import Report
from services.engine.triggers.sms_turns import IncomingSms
from services.engine.triggers.ussd_callbacks import UssdCallback

LONGEST_TEXT = 4096
"""All that was typed in a USSD session, joined by *: some twenty full screens of 160 characters, and room."""


def ussd_callback(request: pb.HandleUssdRequest) -> UssdCallback:
    """Reads a callback of a USSD session. Raises InvalidRequest."""
    check_required(request, ("session_id", "msisdn"), "a USSD callback")
    check_session_id(request.session_id)
    if len(request.text) > LONGEST_TEXT:
        raise InvalidRequest("text", f"at most {LONGEST_TEXT} characters are typed in one session")
    return UssdCallback(
        session_id=request.session_id,
        msisdn=request.msisdn,
        service_code=request.service_code,
        network_code=request.network_code,
        text=request.text,
    )


def incoming_sms(request: pb.HandleSmsRequest, now_ms: int) -> IncomingSms:
    """Reads a message that came in; one that does not say when it was sent was sent now. Raises InvalidRequest."""
    check_required(request, ("message_id", "msisdn"), "an incoming SMS")
    return IncomingSms(
        message_id=request.message_id,
        msisdn=request.msisdn,
        message=request.message,
        short_code=request.short_code,
        link_id=request.link_id,
        network_code=request.network_code,
        sent_at_ms=unix_ms(request.sent_at, "sent_at") if request.HasField("sent_at") else now_ms,
    )


def delivery_report(request: pb.HandleDeliveryReportRequest, now_ms: int) -> Report:
    """Reads what became of a message that was sent. Raises InvalidRequest."""
    check_required(request, ("message_id", "status"), "a delivery report")
    return Report(
        message_id=request.message_id,
        status=request.status,
        number=request.msisdn,
        failure_reason=request.failure_reason,
        network_code=request.network_code,
        received_at_ms=now_ms,
    )
