"""What callers do with the running containers."""

import json
from collections.abc import Sequence
from typing import Any

import grpc
import httpx

from njia.at_adapter.v1.at_adapter_service_pb2 import SendSmsRequest
from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceStub
from scripts.compose_test.containers import CALL_SECONDS, PORTS, ROOT, until

EMULATOR = f"http://127.0.0.1:{PORTS['EMULATOR_PORT']}"
CALLS_EACH = 12

ORDER: dict[str, Any] = {
    "metadata": {
        "workflowId": "order",
        "version": 1,
        "name": "Order",
        "createdBy": "test",
        "createdAt": "2026-01-01T00:00:00Z",
    },
    "trigger": {"id": "start", "type": "SMS_RECEIVED", "config": {}},
    "nodes": [{"id": "send", "type": "SEND_SMS", "config": {"to": "{{msisdn}}", "message": "order {{message}}"}}],
    "edges": [{"id": "e1", "source": "start", "target": "send"}],
}


async def publish_flows(rest: httpx.AsyncClient) -> None:
    """Saves and publishes the example with a menu, and one that is called."""
    market: dict[str, Any] = json.loads((ROOT / "examples/market.json").read_text())
    for spec in (market, ORDER):
        (await rest.post("/api/workflows", json=spec)).raise_for_status()
        (await rest.post(f"/api/workflows/{spec['metadata']['workflowId']}/publish")).raise_for_status()


async def texts(phones: httpx.AsyncClient, phone: str) -> Sequence[str]:
    """The SMS that a phone got."""
    answer = await phones.get("/control/messages", params={"to": phone, "limit": 1000})
    return [message["text"] for message in answer.json()["messages"]]


async def dial(phones: httpx.AsyncClient, phone: str) -> None:
    """Walks the example's menu to its end, with the screen that belongs there each time, and waits for its SMS."""
    before = len(await texts(phones, phone))
    answer: dict[str, Any] = (
        await phones.post("/control/ussd/sessions", json={"code": "*384*1#", "msisdn": phone})
    ).json()
    for typed in ("2", "70"):
        assert answer["kind"] == "CON", answer
        session = f"/control/ussd/sessions/{answer['sessionId']}/input"
        answer = (await phones.post(session, json={"input": typed})).json()
    assert answer["kind"] == "END", answer
    assert "70 kg" in answer["text"], answer

    async def came() -> bool:
        return len(await texts(phones, phone)) > before

    await until("the SMS behind the menu", came)


async def order(rest: httpx.AsyncClient, number: int) -> bool:
    """One execution; asked for again, under its key, until it is answered. Tells whether the first call was."""
    body = {"workflowId": "order", "triggerPayload": {"msisdn": f"+2547120{number:05}", "message": str(number)}}
    calls = 0

    async def completed() -> bool:
        nonlocal calls
        calls += 1
        answer = await rest.post("/api/workflows/execute", json=body, headers={"Idempotency-Key": f"order-{number}"})
        return answer.status_code == httpx.codes.OK and answer.json()["status"] == "completed"

    await until(f"order {number}", completed)
    return calls == 1


async def orders(rest: httpx.AsyncClient, first: int) -> int:
    """Several executions, one after the other. Returns how many were answered by their first call."""
    return sum([await order(rest, number) for number in range(first, first + CALLS_EACH)])


async def send_directly(channel: grpc.aio.Channel) -> str:
    """Sends an SMS by the adapter's own contract and returns its message id."""
    asked = SendSmsRequest(idempotency_key="alone", to=["+254711000009"], message="alone")
    sent = await AtAdapterServiceStub(channel).SendSms(asked, timeout=CALL_SECONDS)
    message_id: str = sent.recipients[0].message_id
    return message_id


async def all_healthy(rest: httpx.AsyncClient) -> bool:
    """Whether the gateway finds every service healthy."""
    return (await rest.get("/health")).status_code == httpx.codes.OK


def phones() -> httpx.AsyncClient:
    """A client of the emulator."""
    return httpx.AsyncClient(base_url=EMULATOR, timeout=CALL_SECONDS, trust_env=False)
