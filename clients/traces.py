"""One USSD turn and one execution that sends an SMS, as the receiver shows them: trees of spans, told as text."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from clients.node_client import CheckFailed
from clients.receiver import Receiver, Span
from clients.serving import Served
from tests.e2e.flows import ask, bye, dialled, flow, sms, texted

CALL_SECONDS = 15.0
ARRIVES_WITHIN_SECONDS = 60.0

CODE, PHONE = "*384*77#", "+254711000077"

MENU = flow(
    "outside-menu",
    dialled(CODE),
    [ask("menu", "How many kilos?"), sms("send", "{{input}} kg"), bye("end", "Bye")],
    ["start>menu", "menu>send", "send>end"],
)
ECHO = flow("outside-echo", texted(), [sms("send", "{{message}}")], ["start>send"])

USSD_TURN = """\
at_adapter server POST /at/ussd
  at_adapter client njia.engine.v1.EngineService/HandleUssd
    engine server njia.engine.v1.EngineService/HandleUssd
      engine internal run execution
        engine internal execute SEND_USSD_RESPONSE
        engine internal execute SEND_SMS
          engine client njia.at_adapter.v1.AtAdapterService/SendSms
            at_adapter server njia.at_adapter.v1.AtAdapterService/SendSms
              at_adapter client sms.send
        engine internal execute SESSION_END
        engine client njia.sessions.v1.SessionService/CommitSession
          sessions server njia.sessions.v1.SessionService/CommitSession
"""

EXECUTION = """\
gateway server POST /api/workflows/execute
  gateway client njia.engine.v1.EngineService/Execute
    engine server njia.engine.v1.EngineService/Execute
      engine internal run execution
        engine internal execute SMS_RECEIVED
        engine internal execute SEND_SMS
          engine client njia.at_adapter.v1.AtAdapterService/SendSms
            at_adapter server njia.at_adapter.v1.AtAdapterService/SendSms
              at_adapter client sms.send
"""

SEND_SMS = {
    "workflow.id": "outside-echo",
    "workflow.version": 1,
    "workflow.node.id": "send",
    "workflow.node.type": "SEND_SMS",
    "workflow.node.attempt": 1,
    "workflow.node.visit": 0,
    "workflow.node.status": "success",
}
"""Attributes of the node's span, beside the execution's id."""

AT_SEND = {
    "africastalking.operation": "sms.send",
    "africastalking.recipient_count": 1,
    "africastalking.status_code": 101,
    "http.response.status_code": 201,
}


async def check(served: Served, receiver: Receiver) -> list[str]:
    """Dials, types and executes, and returns what the receiver showed of it. Raises CheckFailed."""
    keyed = {"Authorization": f"Bearer {served.api_key}"}
    async with (
        _client(served.stack.gateway_url, keyed) as rest,
        _client(served.stack.emulator_url, {}) as phone,
    ):
        await _publish(rest, MENU)
        await _publish(rest, ECHO)
        dialled = await phone.post("/control/ussd/sessions", json={"code": CODE, "msisdn": PHONE})
        session_id = dialled.raise_for_status().json()["sessionId"]
        typed = await phone.post(f"/control/ussd/sessions/{session_id}/input", json={"input": "70"})
        typed.raise_for_status()
        listed = await rest.get("/api/workflows/executions", params={"workflowId": "outside-menu"})
        (talk,) = listed.raise_for_status().json()["executions"]
        body = {"workflowId": "outside-echo", "triggerPayload": {"msisdn": PHONE, "message": "hello"}}
        executed = (await rest.post("/api/workflows/execute", json=body)).raise_for_status().json()
    first, turn = await _runs(receiver, talk["executionId"], 2)
    (run,) = await _runs(receiver, executed["executionId"], 1)
    turn_trace = await _shown(receiver, turn.trace_id, USSD_TURN)
    run_trace = await _shown(receiver, run.trace_id, EXECUTION)
    if list(turn.links) != [first.trace_id]:
        raise CheckFailed(f"the second turn links to {turn.links}, not to {first.trace_id}")
    _has(run_trace, "execute SEND_SMS", {**SEND_SMS, "workflow.execution.id": executed["executionId"]})
    _has(run_trace, "sms.send", AT_SEND)
    _is_sound(await receiver.spans())
    return [
        f"{len(turn_trace)} spans of the turn and {len(run_trace)} of the execution stand where they belong",
        "a turn links to the turn before; attributes have their values and types; no phone number stands anywhere",
        "no trace without a request: nothing that machines ask all day is shown",
    ]


def _client(url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=CALL_SECONDS, trust_env=False)


async def _publish(rest: httpx.AsyncClient, spec: Mapping[str, Any]) -> None:
    (await rest.post("/api/workflows", json=spec)).raise_for_status()
    (await rest.post(f"/api/workflows/{spec['metadata']['workflowId']}/publish")).raise_for_status()


async def _runs(receiver: Receiver, execution_id: str, count: int) -> list[Span]:
    """The spans of an execution's turns, by start, once there are as many as there were turns."""
    found: list[Span] = []
    ends = time.monotonic() + ARRIVES_WITHIN_SECONDS
    while len(found) != count and time.monotonic() < ends:
        await asyncio.sleep(0.2)
        spans = [span for span in await receiver.spans() if span.name == "run execution"]
        found = [span for span in spans if span.attributes["workflow.execution.id"] == execution_id]
    if len(found) != count:
        raise CheckFailed(f"{len(found)} turns of {execution_id} arrived, not {count}")
    return sorted(found, key=lambda span: span.start)


async def _shown(receiver: Receiver, trace_id: str, tree: str) -> list[Span]:
    """The spans of a trace, once they stand as they should."""
    told = ""
    ends = time.monotonic() + ARRIVES_WITHIN_SECONDS
    while time.monotonic() < ends:
        spans = [span for span in await receiver.spans() if span.trace_id == trace_id]
        told = _tree(spans)
        if told == tree:
            return spans
        await asyncio.sleep(0.2)
    raise CheckFailed(f"a trace is shown as\n{told}and not as\n{tree}")


def _tree(spans: Sequence[Span], parent_id: str = "", depth: int = 0) -> str:
    """The spans below a parent, by start, one a line."""
    told = ""
    for span in sorted((span for span in spans if span.parent_id == parent_id), key=lambda span: span.start):
        told += f"{'  ' * depth}{span.service} {span.kind} {span.name}\n" + _tree(spans, span.span_id, depth + 1)
    return told


def _has(trace: Sequence[Span], name: str, wanted: Mapping[str, Any]) -> None:
    (span,) = (span for span in trace if span.name == name)
    if span.attributes != wanted:
        raise CheckFailed(f"{name} has the attributes {span.attributes}, not {wanted}")


def _is_sound(spans: Sequence[Span]) -> None:
    for span in spans:
        if span.resource.get("service.namespace") != "njia" or span.start > span.end:
            raise CheckFailed(f"not sound: {span}")
        # The kind of a span that begins a trace: somebody asked, or a flow went on by itself.
        if not span.parent_id and span.kind == "client":
            raise CheckFailed(f"a call that nobody asked for has a trace of its own: {span}")
        if PHONE.removeprefix("+254") in f"{span}":
            raise CheckFailed(f"a phone number stands in {span}")
