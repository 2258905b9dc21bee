"""How these tests use the platform: as a phone, as an internal service, as a client of the REST API."""

import asyncio
import inspect
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc
import httpx
from opentelemetry.trace import NoOpTracerProvider

from launcher.stack import Stack
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceStub
from njia.engine.v1 import engine_service_pb2, workflow_service_pb2
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from njia.engine.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceStub
from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceStub
from njia.workflow.v1 import workflow_pb2
from rpc.channels import open_channel
from rpc.documents import to_document
from rpc.protection import UNPROTECTED, Protection
from rpc.status import Refusal, refusal_of

CONFORMANCE = Path(__file__).parent.parent / "conformance"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"

CALL_SECONDS = 30.0
"""Deadline of a call of a test; longer than anything that the platform promises to answer in."""

EVENTUALLY_SECONDS = 60.0

Document = dict[str, Any]

_numbers = itertools.count(1)


def new_id(prefix: str) -> str:
    """A workflow id that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


def new_code() -> str:
    """A USSD code that no other test dials."""
    return f"*384*{1000 + next(_numbers)}#"


def new_phone() -> str:
    """A Kenyan phone number that no other test uses."""
    return f"+254711{100_000 + next(_numbers)}"


def conformance(name: str) -> str:
    """A flow that was written elsewhere, as its file has it."""
    return (CONFORMANCE / f"{name}.json").read_text()


async def eventually(condition: Callable[[], Any], seconds: float = EVENTUALLY_SECONDS) -> Any:
    """Waits until a condition, awaited where it must be, is true, and returns it."""
    value = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                value = condition()
                if inspect.isawaitable(value):
                    value = await value
                if value:
                    return value
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s; the last value was {value!r}") from None


def source(spec: Document | str) -> workflow_pb2.WorkflowSource:
    """A flow as the contracts take it."""
    return workflow_pb2.WorkflowSource(workflow_json=spec if isinstance(spec, str) else json.dumps(spec))


async def refused(call: Awaitable[Any]) -> Refusal:
    """Awaits a call that must fail and returns what it said."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)
    raise AssertionError(f"the call was answered: {answer}")


@dataclass(frozen=True, slots=True)
class Screen:
    """What a phone shows: CON or END, and the words."""

    kind: str
    text: str
    session_id: str
    error: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


class Call:
    """A USSD session of one phone; `screen` is what it shows now."""

    def __init__(self, control: httpx.AsyncClient, screen: Screen) -> None:
        self._control = control
        self.screen = screen

    @property
    def session_id(self) -> str:
        return self.screen.session_id

    async def type(self, text: str) -> Screen:
        self.screen = await _screen(
            self._control.post(f"/control/ussd/sessions/{self.session_id}/input", json={"input": text})
        )
        return self.screen

    async def repeat(self) -> Screen:
        """Has the network deliver the last callback again."""
        return await _screen(self._control.post(f"/control/ussd/sessions/{self.session_id}/repeat"))


async def _screen(sending: Awaitable[httpx.Response]) -> Screen:
    response = await sending
    assert response.is_success, response.text
    answer = response.json()
    return Screen(answer["kind"], answer["text"], answer["sessionId"], answer.get("error"))


class Platform:
    """
    A running set and the clients of it.

    Attributes:
        stack: The processes.
        rest: Client of the REST API.
        callbacks: Client that posts what Africa's Talking would.
        control: Client of the emulator's control API.
    """

    def __init__(self, stack: Stack, api_key: str | None = None) -> None:
        self.stack = stack
        self._protection = UNPROTECTED if api_key is None else Protection(service_keys=(api_key,))
        self._key = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._parts = AsyncExitStack()
        self._channels: list[grpc.aio.Channel] = []

    async def __aenter__(self) -> Self:
        self.rest = await self._http(self.stack.gateway_url)
        self.callbacks = await self._http(self.stack.callbacks_url)
        self.control = await self._http(self.stack.emulator_url)
        self.engine: Any = EngineServiceStub(self._channel("ENGINE"))
        self.workflows: Any = WorkflowServiceStub(self._channel("ENGINE"))
        self.validator: Any = ValidatorServiceStub(self._channel("VALIDATOR"))
        self.sessions: Any = SessionServiceStub(self._channel("SESSIONS"))
        self.at_adapter: Any = AtAdapterServiceStub(self._channel("AT_ADAPTER"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    async def ready(self) -> None:
        """Waits until every service is up, and found by the channels of the test."""
        await self.stack.ready()
        await asyncio.gather(*(channel.channel_ready() for channel in self._channels))

    async def save(self, spec: Document | str) -> Document:
        """Saves a flow and returns the registry's row."""
        answer = await self.workflows.SaveWorkflow(
            workflow_service_pb2.SaveWorkflowRequest(source=source(spec)), timeout=CALL_SECONDS
        )
        return to_document(answer.workflow)

    async def publish(self, spec: Document | str) -> str:
        """Saves and publishes a flow and returns its id."""
        saved = await self.save(spec)
        await self.workflows.PublishWorkflow(
            workflow_service_pb2.PublishWorkflowRequest(
                ref=workflow_pb2.WorkflowRef(workflow_id=saved["workflowId"], version=saved["version"])
            ),
            timeout=CALL_SECONDS,
        )
        return str(saved["workflowId"])

    async def unpublish(self, workflow_id: str) -> None:
        """Takes a flow off its trigger."""
        await self.workflows.UnpublishWorkflow(
            workflow_service_pb2.UnpublishWorkflowRequest(workflow_id=workflow_id), timeout=CALL_SECONDS
        )

    async def execute(
        self, spec: Document | str, payload: Mapping[str, Any], session_id: str = "", key: str = "", **options: Any
    ) -> Document:
        """Runs a flow that comes with the call and returns the ExecutionResult as a REST document."""
        return to_document(
            (await self.engine.Execute(execute(spec, payload, session_id, key, **options), timeout=CALL_SECONDS)).result
        )

    async def log(self, execution_id: str) -> Document:
        """The log of an execution as a REST document."""
        answer = await self.engine.GetExecution(
            engine_service_pb2.GetExecutionRequest(execution_id=execution_id), timeout=CALL_SECONDS
        )
        return to_document(answer.execution)

    async def executions(self, workflow_id: str) -> list[Document]:
        """The logs of all executions of a flow, newest first."""
        answer = await self.engine.ListExecutions(
            engine_service_pb2.ListExecutionsRequest(workflow_id=workflow_id, page_size=1000), timeout=CALL_SECONDS
        )
        return [await self.log(execution.execution_id) for execution in answer.executions]

    async def only_execution(self, workflow_id: str) -> Document:
        """The log of the one execution of a flow."""
        found = await self.executions(workflow_id)
        assert len(found) == 1, found
        return found[0]

    async def ended(self, workflow_id: str) -> Document:
        """The log of the one execution of a flow, once it has ended."""

        async def log() -> Document | None:
            found = await self.only_execution(workflow_id)
            return None if found["status"] == "running" else found

        return dict(await eventually(log))

    async def dial(self, code: str, msisdn: str, service_code: str | None = None) -> Call:
        """Dials a code from a phone."""
        body = {"code": code, "msisdn": msisdn} | ({} if service_code is None else {"serviceCode": service_code})
        return Call(self.control, await _screen(self.control.post("/control/ussd/sessions", json=body)))

    async def text(self, msisdn: str, to: str, words: str, message_id: str | None = None) -> Document:
        """Sends an SMS from a phone and returns how its delivery to the platform went."""
        body = {"from": msisdn, "to": to, "text": words} | ({} if message_id is None else {"id": message_id})
        response = await self.control.post("/control/sms", json=body)
        assert response.is_success, response.text
        return dict(response.json())

    async def sent_to(self, msisdn: str) -> list[str]:
        """The texts that the platform sent to a phone, oldest first."""
        response = await self.control.get("/control/messages", params={"to": msisdn, "limit": 1000})
        assert response.is_success, response.text
        return [message["text"] for message in response.json()["messages"]]

    async def fault(self, **fault: Any) -> None:
        """Makes the next requests that send SMS fail."""
        response = await self.control.post("/control/faults", json={"product": "sms", **fault})
        assert response.is_success, response.text

    async def hold_up_sends(self, times: int = 1) -> None:
        """Takes the next sends and does not answer them until `answer_sends` is called, or the test is over."""
        await self.fault(kind="slow", delayMs=120_000, times=times)

    async def answer_sends(self) -> None:
        """Answers what was held up, and holds up nothing more."""
        response = await self.control.delete("/control/faults")
        assert response.is_success, response.text

    async def callback(self, session_id: str, msisdn: str, code: str, text: str) -> str:
        """Posts a USSD callback past the emulator and returns the body of the answer, which is always 200."""
        form = {
            "sessionId": session_id,
            "phoneNumber": msisdn,
            "serviceCode": code,
            "networkCode": "63902",
            "text": text,
        }
        response = await self.callbacks.post("/at/ussd", data=form)
        assert response.status_code == httpx.codes.OK, response.text
        return response.text

    async def _http(self, url: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=url, headers=self._key, timeout=CALL_SECONDS, trust_env=False)
        return await self._parts.enter_async_context(client)

    def _channel(self, name: str) -> grpc.aio.Channel:
        channel = open_channel(self.stack.environ[f"NJIA_{name}_TARGET"], NoOpTracerProvider(), self._protection)
        self._parts.push_async_callback(channel.close)
        self._channels.append(channel)
        return channel


def execute(
    spec: Document | str, payload: Mapping[str, Any], session_id: str = "", key: str = "", **options: Any
) -> engine_service_pb2.ExecuteRequest:
    """The request that runs a flow which comes with the call."""
    request = engine_service_pb2.ExecuteRequest(
        workflow=source(spec),
        trigger_payload_json=json.dumps(payload),
        session_id=session_id,
        idempotency_key=key,
    )
    if options:
        request.options.CopyFrom(engine_service_pb2.ExecuteOptions(**options))
    return request


def results_of(log: Document, node_id: str) -> list[Document]:
    """The attempts of one node, oldest first."""
    return [result for result in log["nodeResults"] if result["nodeId"] == node_id]
