"""EngineService: unpacks a message, has the work done, packs the answer."""

from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import blake2b
from typing import Any, Literal

import grpc
import orjson
from google.protobuf.message import Message

from njia.engine.v1 import engine_service_pb2 as pb, money_pb2 as money, voice_pb2 as voice
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceServicer
from services.engine.core.program import Program
from services.engine.core.state import NodeResult
from services.engine.errors import InvalidRequest
from services.engine.executions.beginnings import DEFAULT_WAIT_MS, Overrides
from services.engine.executions.delivery import forward_moves
from services.engine.executions.executions import SESSION_ID, Executions
from services.engine.executions.settlements import DeliveryReports
from services.engine.executions.watching import Watches
from services.engine.flows.programs import Programs
from services.engine.flows.registry import Registry
from services.engine.replays.replays import Replays
from services.engine.servicers import pages
from services.engine.servicers.convert import (
    difference_to_message,
    log_to_message,
    node_result_to_message,
    reply_to_message,
    result_to_message,
    status_from_message,
    summary_to_message,
    unclaimed_to_message,
)
from services.engine.servicers.moments import unix_ms
from services.engine.servicers.money_messages import airtime_report, payment_notification
from services.engine.servicers.voice_messages import voice_answer_to_message
from services.engine.store.execution_store import ExecutionStore, Filter, Report, Stored
from services.engine.triggers.payment_notifications import PaymentNotifications
from services.engine.triggers.sms_turns import IncomingSms, SmsTurns
from services.engine.triggers.unclaimed import Unclaimed
from services.engine.triggers.ussd_callbacks import UssdCallback
from services.engine.triggers.ussd_turns import UssdTurns
from services.engine.triggers.voice_turns import CallEnd, VoiceCallback, VoiceTurns
from services.engine.triggers.webhooks import Webhooks
from workflow.documents import DocumentError, parse_document
from workflow.voice import MAX_DIGITS
from workflow.web.incoming import IncomingRequest

LONGEST_EXECUTION_MS = 86_400_000
LONGEST_WAIT_MS = 60_000
LONGEST_KEY = 256
LONGEST_TEXT = 4096
"""All that was typed in a USSD session, joined by *: some twenty full screens of 160 characters, and room."""

Context = grpc.aio.ServicerContext[Any, Any]


class EngineServicer(EngineServiceServicer):
    """See engine_service.proto."""

    def __init__(
        self,
        executions: Executions,
        sms_turns: SmsTurns,
        ussd_turns: UssdTurns,
        voice_turns: VoiceTurns,
        reports: DeliveryReports,
        payments: PaymentNotifications,
        watches: Watches,
        replays: Replays,
        unclaimed: Unclaimed,
        webhooks: Webhooks,
        store: ExecutionStore,
        programs: Programs,
        registry: Registry,
        now_ms: Callable[[], int],
    ) -> None:
        self._executions = executions
        self._sms_turns = sms_turns
        self._ussd_turns = ussd_turns
        self._voice_turns = voice_turns
        self._reports = reports
        self._payments = payments
        self._watches = watches
        self._replays = replays
        self._unclaimed = unclaimed
        self._webhooks = webhooks
        self._store = store
        self._programs = programs
        self._registry = registry
        self._now_ms = now_ms

    async def Execute(self, request: pb.ExecuteRequest, context: Context) -> pb.ExecuteResponse:
        payload = _payload(request.trigger_payload_json)
        overrides = _overrides(request)
        key = _key(request)
        program = await self._program(request)
        stored = await self._executions.execute(program, payload, request.session_id or None, overrides, key)
        return pb.ExecuteResponse(result=result_to_message(stored.state, stored.results, self._now_ms()))

    async def GetExecution(self, request: pb.GetExecutionRequest, context: Context) -> pb.GetExecutionResponse:
        stored = await self._executions.read(request.execution_id)
        return pb.GetExecutionResponse(execution=self._log(stored))

    async def ListExecutions(self, request: pb.ListExecutionsRequest, context: Context) -> pb.ListExecutionsResponse:
        found, cursor = await self._store.page(
            Filter(
                workflow_id=request.workflow_id or None,
                status=status_from_message(request.status),
                from_ms=_filtered(request, "start_time"),
                until_ms=_filtered(request, "end_time"),
            ),
            pages.page_size(request.page_size),
            pages.cursor_from_token(request.page_token),
        )
        now = self._now_ms()
        return pb.ListExecutionsResponse(
            executions=[summary_to_message(state, now) for state in found],
            next_page_token=pages.cursor_to_token(cursor),
        )

    async def CancelExecution(self, request: pb.CancelExecutionRequest, context: Context) -> pb.CancelExecutionResponse:
        stored = await self._executions.cancel(request.execution_id)
        return pb.CancelExecutionResponse(execution=self._log(stored))

    async def WatchExecution(
        self, request: pb.WatchExecutionRequest, context: Context
    ) -> AsyncIterator[pb.WatchExecutionResponse]:
        async for seen in self._watches.follow(request.execution_id, request.after_sequence):
            if isinstance(seen.what, NodeResult):
                yield pb.WatchExecutionResponse(sequence=seen.sequence, node_result=node_result_to_message(seen.what))
            else:
                summary = summary_to_message(seen.what, self._now_ms())
                yield pb.WatchExecutionResponse(sequence=seen.sequence, execution=summary)

    async def ReplayExecution(self, request: pb.ReplayExecutionRequest, context: Context) -> pb.ReplayExecutionResponse:
        dry_run = request.dry_run if request.HasField("dry_run") else True
        replayed, differences = await self._replays.replay(request.execution_id, dry_run=dry_run)
        return pb.ReplayExecutionResponse(
            execution=self._log(replayed), differences=[difference_to_message(each) for each in differences]
        )

    async def ListUnclaimed(self, request: pb.ListUnclaimedRequest, context: Context) -> pb.ListUnclaimedResponse:
        page = await self._unclaimed.page(
            request.channel, pages.page_size(request.page_size), pages.cursor_from_token(request.page_token)
        )
        return pb.ListUnclaimedResponse(
            unclaimed=[unclaimed_to_message(each) for each in page.found],
            next_page_token=pages.cursor_to_token(page.next),
        )

    async def HandleUssd(self, request: pb.HandleUssdRequest, context: Context) -> pb.HandleUssdResponse:
        for field in ("session_id", "msisdn"):
            if not getattr(request, field):
                raise InvalidRequest(field, f"a USSD callback needs {field}")
        _check_session_id(request.session_id)
        if len(request.text) > LONGEST_TEXT:
            raise InvalidRequest("text", f"at most {LONGEST_TEXT} characters are typed in one session")
        answer = await self._ussd_turns.answer(
            UssdCallback(request.session_id, request.msisdn, request.service_code, request.network_code, request.text)
        )
        return pb.HandleUssdResponse(
            reply=reply_to_message(answer.reply), execution_id=answer.execution_id, repeated_answer=answer.repeated
        )

    async def HandleSms(self, request: pb.HandleSmsRequest, context: Context) -> pb.HandleSmsResponse:
        for field in ("message_id", "msisdn"):
            if not getattr(request, field):
                raise InvalidRequest(field, f"an incoming SMS needs {field}")
        execution_id = await self._sms_turns.handle(
            IncomingSms(
                message_id=request.message_id,
                msisdn=request.msisdn,
                message=request.message,
                short_code=request.short_code,
                link_id=request.link_id,
                network_code=request.network_code,
                sent_at_ms=unix_ms(request.sent_at, "sent_at") if request.HasField("sent_at") else self._now_ms(),
            )
        )
        return pb.HandleSmsResponse(execution_id=execution_id or "")

    async def HandleUssdEnd(self, request: pb.HandleUssdEndRequest, context: Context) -> pb.HandleUssdEndResponse:
        _check_session_id(request.session_id)
        execution_id = await self._ussd_turns.hung_up(request.session_id, request.status, request.reason)
        return pb.HandleUssdEndResponse(execution_id=execution_id or "")

    async def HandleVoice(self, request: voice.HandleVoiceRequest, context: Context) -> voice.HandleVoiceResponse:
        _check_session_id(request.session_id)
        if len(request.digits) > MAX_DIGITS:
            raise InvalidRequest("digits", f"at most {MAX_DIGITS} keys are asked for at once")
        answer = await self._voice_turns.answer(
            VoiceCallback(
                session_id=request.session_id,
                caller=request.msisdn,
                called=request.called_number,
                direction=request.direction,
                answers=request.answers,
                digits=request.digits if request.HasField("digits") else None,
                check=request.check,
                request=request.request_id,
            )
        )
        return voice_answer_to_message(answer)

    async def HandleVoiceEnd(
        self, request: voice.HandleVoiceEndRequest, context: Context
    ) -> voice.HandleVoiceEndResponse:
        _check_session_id(request.session_id)
        execution_id = await self._voice_turns.ended(
            CallEnd(request.session_id, request.direction, request.request_id, request.status, request.hangup_cause)
        )
        return voice.HandleVoiceEndResponse(execution_id=execution_id or "")

    async def HandleDeliveryReport(
        self, request: pb.HandleDeliveryReportRequest, context: Context
    ) -> pb.HandleDeliveryReportResponse:
        for field in ("message_id", "status"):
            if not getattr(request, field):
                raise InvalidRequest(field, f"a delivery report needs {field}")
        execution_id = await self._reports.take(
            Report(
                message_id=request.message_id,
                status=request.status,
                number=request.msisdn,
                failure_reason=request.failure_reason,
                network_code=request.network_code,
                received_at_ms=self._now_ms(),
            )
        )
        return pb.HandleDeliveryReportResponse(execution_id=execution_id or "")

    async def HandleWebhook(self, request: pb.HandleWebhookRequest, context: Context) -> pb.HandleWebhookResponse:
        headers: dict[str, list[str]] = {}
        for header in request.headers:
            headers.setdefault(header.name.lower(), []).append(header.value)
        taken = await self._webhooks.take(
            request.workflow_id,
            IncomingRequest(
                method=request.method,
                path=request.path,
                headers={name: ", ".join(values) for name, values in headers.items()},
                query=request.query,
                body=request.body,
            ),
            waits=request.wait,
        )
        stored = taken.stored
        return pb.HandleWebhookResponse(
            execution_id=taken.execution_id,
            result=None if stored is None else result_to_message(stored.state, stored.results, self._now_ms()),
        )

    async def HandleAirtimeStatus(
        self, request: money.HandleAirtimeStatusRequest, context: Context
    ) -> money.HandleAirtimeStatusResponse:
        _required(request, ("request_id", "status"), "an airtime report")
        execution_id = await self._reports.take(airtime_report(request, self._now_ms()))
        return money.HandleAirtimeStatusResponse(execution_id=execution_id or "")

    async def HandlePayment(self, request: money.HandlePaymentRequest, context: Context) -> money.HandlePaymentResponse:
        _required(request, ("transaction_id", "status"), "a payment notification")
        execution_id = await self._payments.take(payment_notification(request, self._now_ms()))
        return money.HandlePaymentResponse(execution_id=execution_id or "")

    async def _program(self, request: pb.ExecuteRequest) -> Program:
        match request.WhichOneof("flow"):
            case "workflow":
                return await self._programs.of_source(request.workflow)
            case "ref":
                flow = await self._registry.get(request.ref.workflow_id, request.ref.version)
                return await self._registry.program_of(flow)
        raise InvalidRequest("flow", "no flow was given: send workflow or ref")

    def _log(self, stored: Stored) -> pb.ExecutionLog:
        known = Stored(stored.state, stored.results, forward_moves(stored.reports))
        return log_to_message(known, self._now_ms())


def _required(request: Message, fields: Sequence[str], what: str) -> None:
    for field in fields:
        if not getattr(request, field):
            raise InvalidRequest(field, f"{what} needs {field}")


def _check_session_id(session_id: str) -> None:
    if not SESSION_ID.fullmatch(session_id):
        raise InvalidRequest("session_id", "a session id has 1 to 256 printable characters and no spaces")


def _payload(document: str) -> dict[str, Any]:
    if not document:
        return {}
    try:
        payload = parse_document(document)
        orjson.dumps(payload)
    except DocumentError as problem:
        message = f"is no usable JSON object: {problem}"
    except TypeError as problem:
        # JSON knows no largest integer, the journal does.
        message = f"holds a value that cannot be kept: {problem}"
    else:
        return payload
    raise InvalidRequest("trigger_payload_json", message, "INVALID_PAYLOAD")


def _overrides(request: pb.ExecuteRequest) -> Overrides:
    options = request.options
    limit = options.max_execution_time_ms if options.HasField("max_execution_time_ms") else None
    if limit is not None and not 1 <= limit <= LONGEST_EXECUTION_MS:
        raise InvalidRequest("options.max_execution_time_ms", f"must be from 1 to {LONGEST_EXECUTION_MS}")
    wait_ms = options.wait_ms if options.HasField("wait_ms") else DEFAULT_WAIT_MS
    if not 0 <= wait_ms <= LONGEST_WAIT_MS:
        raise InvalidRequest("options.wait_ms", f"must be from 0 to {LONGEST_WAIT_MS}")
    return Overrides(
        max_active_ms=limit,
        continue_on_error=options.continue_on_error if options.HasField("continue_on_error") else None,
        dry_run=options.dry_run,
        wait_ms=wait_ms,
    )


def _key(request: pb.ExecuteRequest) -> tuple[str, str] | None:
    """Returns the idempotency key and the digest of all else that was asked."""
    if not request.idempotency_key:
        return None
    if len(request.idempotency_key) > LONGEST_KEY:
        raise InvalidRequest("idempotency_key", f"must have at most {LONGEST_KEY} characters")
    asked = pb.ExecuteRequest()
    asked.CopyFrom(request)
    asked.ClearField("idempotency_key")
    return request.idempotency_key, blake2b(asked.SerializeToString(deterministic=True), digest_size=16).hexdigest()


def _filtered(request: pb.ListExecutionsRequest, field: Literal["start_time", "end_time"]) -> int | None:
    return unix_ms(getattr(request, field), field, pages.INVALID) if request.HasField(field) else None
