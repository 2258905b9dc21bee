"""
Echo services with the contracts of ours, so that messages are of like size, and nothing behind them but the trips.

grpc.aio with the options of our servers and channels, without interceptors.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from bench.bare_plan import Plan
from bench.bare_redis import Trips
from bench.conversations import bare_screen, kind_of_ussd
from bench.costs import Step
from njia.at_adapter.v1 import at_adapter_service_pb2 as at_pb
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceServicer
from njia.engine.v1 import engine_service_pb2 as engine_pb
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceServicer
from njia.sessions.v1 import sessions_service_pb2 as sessions_pb
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceServicer

if TYPE_CHECKING:
    from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceAsyncStub
    from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceAsyncStub

CALL_SECONDS = 10.0
MESSAGING_PATH = "/version1/messaging"
OUTPUT_JSON = '{"messageId":"' + "0" * 250 + '"}'

Context = grpc.aio.ServicerContext[Any, Any]


class BareSessions(SessionServiceServicer):
    """Opens and commits nothing."""

    def __init__(self, plan: Plan, trips: Trips) -> None:
        self._work_of = plan.works("sessions")
        self._trips = trips

    async def OpenSession(
        self, request: sessions_pb.OpenSessionRequest, context: Context
    ) -> sessions_pb.OpenSessionResponse:
        await self._work(request.session_id)
        return sessions_pb.OpenSessionResponse(session=_session(request.session_id), created=True)

    async def CommitSession(
        self, request: sessions_pb.CommitSessionRequest, context: Context
    ) -> sessions_pb.CommitSessionResponse:
        await self._work(request.session_id)
        return sessions_pb.CommitSessionResponse(session=_session(request.session_id))

    async def _work(self, kind: str) -> None:
        for step in self._work_of[kind].before:
            await self._trips.make(step)


class BareAdapter(AtAdapterServiceServicer):
    """Sends an SMS with nothing around it."""

    def __init__(self, plan: Plan, trips: Trips, provider: aiohttp.ClientSession) -> None:
        self._work_of = plan.works("at_adapter")
        self._url = plan.provider_url + MESSAGING_PATH
        self._trips = trips
        self._provider = provider

    async def SendSms(self, request: at_pb.SendSmsRequest, context: Context) -> at_pb.SendSmsResponse:
        first, *others = self._work_of[request.idempotency_key].before
        await self._trips.make(first)
        form = {"username": "sandbox", "to": request.to[0], "message": request.message}
        async with self._provider.post(self._url, data=form, headers={"apiKey": "emulator"}) as response:
            answer = await response.read()
            if response.status != 201:
                raise RuntimeError(f"the emulator answered {response.status}: {answer!r}")
        for step in others:
            await self._trips.make(step)
        recipient = at_pb.SmsRecipient(
            number=request.to[0], status="Success", status_code=101, message_id="A" * 38, cost="KES 0.8000"
        )
        return at_pb.SendSmsResponse(recipients=[recipient], summary="Sent to 1/1")


class BareEngine(EngineServiceServicer):
    """Runs nothing."""

    def __init__(
        self,
        plan: Plan,
        trips: Trips,
        sessions: "SessionServiceAsyncStub",
        at_adapter: "AtAdapterServiceAsyncStub",
    ) -> None:
        self._work_of = plan.works("engine")
        self._trips = trips
        self._sessions = sessions
        self._at_adapter = at_adapter
        self._tails: set[asyncio.Task[None]] = set()

    async def HandleUssd(self, request: engine_pb.HandleUssdRequest, context: Context) -> engine_pb.HandleUssdResponse:
        await self._work(kind_of_ussd(request.text), request.msisdn, request.text)
        reply = engine_pb.Reply(kind="con", text=bare_screen(request.text))
        return engine_pb.HandleUssdResponse(reply=reply, execution_id="e" * 29)

    async def HandleSms(self, request: engine_pb.HandleSmsRequest, context: Context) -> engine_pb.HandleSmsResponse:
        await self._work("incoming", request.msisdn, request.message)
        return engine_pb.HandleSmsResponse(execution_id="e" * 29)

    async def Execute(self, request: engine_pb.ExecuteRequest, context: Context) -> engine_pb.ExecuteResponse:
        # The body goes through as it is; what the phone said stands at its end.
        payload = request.workflow.workflow_json[-90:]
        msisdn = payload.partition('"msisdn": "')[2][:13]
        await self._work("execute", msisdn, payload)
        result = engine_pb.ExecutionResult(
            execution_id="e" * 29,
            output_json=OUTPUT_JSON,
            node_results=[
                engine_pb.NodeExecutionResult(node_id="sms", output_json=payload, executed_at=Timestamp(seconds=1)),
                engine_pb.NodeExecutionResult(node_id="reply", output_json=OUTPUT_JSON),
            ],
            workflow_id="bench-echo",
        )
        return engine_pb.ExecuteResponse(result=result)

    async def _work(self, kind: str, msisdn: str, text: str) -> None:
        work = self._work_of[kind]
        await self._carry_out(work.before, kind, msisdn, text)
        if work.after:
            tail = asyncio.create_task(self._carry_out(work.after, kind, msisdn, text))
            self._tails.add(tail)
            tail.add_done_callback(self._tails.discard)

    async def _carry_out(self, steps: Sequence[Step], kind: str, msisdn: str, text: str) -> None:
        for step in steps:
            if step.does == "trip":
                await self._trips.make(step)
            elif step.service == "at_adapter":
                sms = at_pb.SendSmsRequest(idempotency_key=kind, to=[msisdn], message=text)
                await self._at_adapter.SendSms(sms, timeout=CALL_SECONDS)
            elif kind == "ussd first":
                opening = sessions_pb.OpenSessionRequest(session_id=kind, msisdn=msisdn, ttl_seconds=240)
                await self._sessions.OpenSession(opening, timeout=CALL_SECONDS)
            else:
                change = sessions_pb.DataChange(set_json='{"bags":"1"}')
                commit = sessions_pb.CommitSessionRequest(session_id=kind, commit_id="c" * 32, changes=[change])
                await self._sessions.CommitSession(commit, timeout=CALL_SECONDS)


def _session(session_id: str) -> sessions_pb.Session:
    moment = Timestamp(seconds=1_800_000_000)
    return sessions_pb.Session(
        session_id=session_id,
        type=sessions_pb.SESSION_TYPE_USSD,
        msisdn="+254711000001",
        data_json='{"bags":"1"}',
        created_at=moment,
        last_activity_at=moment,
        expires_at=moment,
        is_active=True,
        version=1,
    )
