"""EngineService: unpacks a message, has the work done, packs the answer."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import grpc

from njia.engine.v1 import engine_service_pb2 as pb, money_pb2 as money, voice_pb2 as voice
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceServicer
from services.engine.core.program import Program
from services.engine.core.state import NodeResult
from services.engine.errors import InvalidRequest
from services.engine.executions.delivery import forward_moves
from services.engine.executions.executions import Executions, check_session_id
from services.engine.executions.settlements import DeliveryReports
from services.engine.executions.watching import Watches
from services.engine.flows.programs import Programs
from services.engine.flows.registry import Registry
from services.engine.replays.replays import Replays
from services.engine.servicers import pages
from services.engine.servicers.convert import (
    difference_to_proto,
    log_to_proto,
    node_result_to_proto,
    reply_to_proto,
    result_to_proto,
    status_from_proto,
    summary_to_proto,
    unclaimed_to_proto,
)
from services.engine.servicers.execute_messages import idempotency_key, overrides, trigger_payload
from services.engine.servicers.moments import unix_ms
from services.engine.servicers.money_messages import airtime_report, payment_notification
from services.engine.servicers.phone_messages import delivery_report, incoming_sms, ussd_callback
from services.engine.servicers.voice_messages import call_end, voice_answer_to_proto, voice_callback
from services.engine.servicers.webhook_messages import incoming_request
from services.engine.store.execution_store import ExecutionStore, Filter, Stored
from services.engine.triggers.payment_notifications import PaymentNotifications
from services.engine.triggers.sms_turns import SmsTurns
from services.engine.triggers.unclaimed import Unclaimed
from services.engine.triggers.ussd_turns import UssdTurns
from services.engine.triggers.voice_turns import VoiceTurns
from services.engine.triggers.webhooks import Webhooks

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
        payload = trigger_payload(request)
        asked = overrides(request)
        key = idempotency_key(request)
        program = await self._program(request)
        stored = await self._executions.execute(program, payload, request.session_id or None, asked, key)
        return pb.ExecuteResponse(result=result_to_proto(stored.state, stored.results, self._now_ms()))

    async def GetExecution(self, request: pb.GetExecutionRequest, context: Context) -> pb.GetExecutionResponse:
        stored = await self._executions.read(request.execution_id)
        return pb.GetExecutionResponse(execution=self._log(stored))

    async def ListExecutions(self, request: pb.ListExecutionsRequest, context: Context) -> pb.ListExecutionsResponse:
        found, cursor = await self._store.page(
            Filter(
                workflow_id=request.workflow_id or None,
                status=status_from_proto(request.status),
                from_ms=_filtered(request, "start_time"),
                until_ms=_filtered(request, "end_time"),
            ),
            pages.page_size(request.page_size),
            pages.cursor_from_token(request.page_token),
        )
        now = self._now_ms()
        return pb.ListExecutionsResponse(
            executions=[summary_to_proto(state, now) for state in found],
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
                yield pb.WatchExecutionResponse(sequence=seen.sequence, node_result=node_result_to_proto(seen.what))
            else:
                summary = summary_to_proto(seen.what, self._now_ms())
                yield pb.WatchExecutionResponse(sequence=seen.sequence, execution=summary)

    async def ReplayExecution(self, request: pb.ReplayExecutionRequest, context: Context) -> pb.ReplayExecutionResponse:
        dry_run = request.dry_run if request.HasField("dry_run") else True
        replayed, differences = await self._replays.replay(request.execution_id, dry_run=dry_run)
        return pb.ReplayExecutionResponse(
            execution=self._log(replayed), differences=[difference_to_proto(each) for each in differences]
        )

    async def ListUnclaimed(self, request: pb.ListUnclaimedRequest, context: Context) -> pb.ListUnclaimedResponse:
        page = await self._unclaimed.page(
            request.channel, pages.page_size(request.page_size), pages.cursor_from_token(request.page_token)
        )
        return pb.ListUnclaimedResponse(
            unclaimed=[unclaimed_to_proto(each) for each in page.found],
            next_page_token=pages.cursor_to_token(page.next),
        )

    async def HandleUssd(self, request: pb.HandleUssdRequest, context: Context) -> pb.HandleUssdResponse:
        answer = await self._ussd_turns.answer(ussd_callback(request))
        return pb.HandleUssdResponse(
            reply=reply_to_proto(answer.reply), execution_id=answer.execution_id, repeated_answer=answer.repeated
        )

    async def HandleSms(self, request: pb.HandleSmsRequest, context: Context) -> pb.HandleSmsResponse:
        execution_id = await self._sms_turns.handle(incoming_sms(request, self._now_ms()))
        return pb.HandleSmsResponse(execution_id=execution_id or "")

    async def HandleUssdEnd(self, request: pb.HandleUssdEndRequest, context: Context) -> pb.HandleUssdEndResponse:
        check_session_id(request.session_id)
        execution_id = await self._ussd_turns.hung_up(request.session_id, request.status, request.reason)
        return pb.HandleUssdEndResponse(execution_id=execution_id or "")

    async def HandleVoice(self, request: voice.HandleVoiceRequest, context: Context) -> voice.HandleVoiceResponse:
        return voice_answer_to_proto(await self._voice_turns.answer(voice_callback(request)))

    async def HandleVoiceEnd(
        self, request: voice.HandleVoiceEndRequest, context: Context
    ) -> voice.HandleVoiceEndResponse:
        execution_id = await self._voice_turns.ended(call_end(request))
        return voice.HandleVoiceEndResponse(execution_id=execution_id or "")

    async def HandleDeliveryReport(
        self, request: pb.HandleDeliveryReportRequest, context: Context
    ) -> pb.HandleDeliveryReportResponse:
        execution_id = await self._reports.take(delivery_report(request, self._now_ms()))
        return pb.HandleDeliveryReportResponse(execution_id=execution_id or "")

    async def HandleWebhook(self, request: pb.HandleWebhookRequest, context: Context) -> pb.HandleWebhookResponse:
        taken = await self._webhooks.take(request.workflow_id, incoming_request(request), waits=request.wait)
        stored = taken.stored
        return pb.HandleWebhookResponse(
            execution_id=taken.execution_id,
            result=None if stored is None else result_to_proto(stored.state, stored.results, self._now_ms()),
        )

    async def HandleAirtimeStatus(
        self, request: money.HandleAirtimeStatusRequest, context: Context
    ) -> money.HandleAirtimeStatusResponse:
        execution_id = await self._reports.take(airtime_report(request, self._now_ms()))
        return money.HandleAirtimeStatusResponse(execution_id=execution_id or "")

    async def HandlePayment(self, request: money.HandlePaymentRequest, context: Context) -> money.HandlePaymentResponse:
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
        return log_to_proto(known, self._now_ms())


def _filtered(request: pb.ListExecutionsRequest, field: Literal["start_time", "end_time"]) -> int | None:
    return unix_ms(getattr(request, field), field, pages.INVALID) if request.HasField(field) else None
