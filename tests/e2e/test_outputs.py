"""Each type of node runs through the running services, and gives what the catalogue says that it gives."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from tests.e2e.calling import calls, rings
from tests.e2e.driving import Document, Platform, eventually, new_code, new_id, new_phone
from tests.e2e.flows import ask, bye, dialled, flow, node, sms, texted
from workflow.catalogue import CATALOGUE

pytestmark = pytest.mark.asyncio(loop_scope="session")

Outputs = dict[str, list[Document]]
Run = tuple[Document, Document]
"""A flow, and the log of a run of it that has ended."""

PRICE = {"currency": "KES", "productName": "shop"}


def chain(*nodes: Document) -> list[str]:
    """Edges from the trigger through the nodes, one after the other."""
    ids = ["start", *(each["id"] for each in nodes)]
    return [f"{one}>{other}" for one, other in pairwise(ids)]


async def of_one_run(platform: Platform) -> Run:
    """Whatever needs nobody but the platform and Africa's Talking."""
    phone = new_phone()
    payment = {"transactionType": "checkout", "amount": "10", "phoneNumber": "{{msisdn}}", **PRICE}
    nodes = [
        node("write", "SESSION_WRITE", {"data": {"name": "Asha"}}),
        node("read", "SESSION_READ", {"keys": ["name"]}),
        sms("sms"),
        node("airtime", "SEND_AIRTIME", {"to": "{{msisdn}}", "amount": "10"}),
        node("pay", "REQUEST_PAYMENT", payment),
        node("web", "HTTP_REQUEST", {"url": f"{platform.stack.emulator_url}/control/settings"}),
        node("delay", "DELAY", {"duration": 1}),
        node("rate", "RATE_LIMIT", {"maxRequests": 1, "windowMs": 1}),
        node("route", "SWITCH", {"value": "1", "cases": [{"value": "2", "label": "2"}]}),
        node("merge", "MERGE", {}),
        node("retry", "RETRY", {}),
        node("check", "CONDITION", {"expression": "1 == 1"}),
        node("end", "SESSION_END", {}),
    ]
    spec = flow(new_id("outputs"), texted(), nodes, chain(*nodes))
    return spec, await run(platform, spec, phone)


async def of_a_refund(platform: Platform) -> Run:
    phone = new_phone()
    payment = {"transactionType": "checkout", "amount": "10", "phoneNumber": "{{msisdn}}", **PRICE}
    asks = flow(new_id("outputs-pay"), texted(), [node("pay", "REQUEST_PAYMENT", payment)], ["start>pay"])
    asked = await run(platform, asks, phone)
    transaction = asked["nodeResults"][-1]["output"]["transactionId"]
    assert (await platform.control.post(f"/control/payments/{transaction}/confirm")).json()["taken"]
    nodes = [node("refund", "REFUND_PAYMENT", {"transactionId": transaction})]
    spec = flow(new_id("outputs-refund"), texted(), nodes, chain(*nodes))
    return spec, await run(platform, spec, phone)


async def of_an_sms(platform: Platform) -> Run:
    phone, short_code = new_phone(), "22996"
    nodes = [node("wait", "WAIT_FOR_SMS", {"timeout": 60})]
    spec = flow(new_id("outputs-sms"), texted(shortCode=short_code, keyword="outputs"), nodes, chain(*nodes))
    workflow_id = await platform.publish(spec)
    await platform.text(phone, short_code, "outputs")

    async def waits() -> bool:
        return any("waitingFor" in log for log in await platform.executions(workflow_id))

    await eventually(waits)
    await platform.text(phone, short_code, "here I am")
    return spec, await platform.ended(workflow_id)


async def of_a_dial(platform: Platform) -> Run:
    code = new_code()
    nodes = [ask("menu", "Hi"), bye("end", "Bye")]
    spec = flow(new_id("outputs-dial"), dialled(code), nodes, chain(*nodes))
    workflow_id = await platform.publish(spec)
    await (await platform.dial(code, new_phone())).type("1")
    return spec, await platform.ended(workflow_id)


async def of_a_call(platform: Platform) -> Run:
    number, phone = f"+2547{new_phone()[-8:]}", new_phone()
    nodes = [
        node("say", "PLAY_IVR", {"text": "Hello"}),
        node("keys", "COLLECT_DTMF", {"maxDigits": 1, "timeout": 60}),
        node("end", "SESSION_END", {}),
    ]
    trigger = node("start", "INCOMING_CALL", {"calledNumber": number})
    spec = flow(new_id("outputs-call"), trigger, nodes, chain(*nodes))
    workflow_id = await platform.publish(spec)
    await (await calls(platform, phone, number)).presses("1")
    return spec, await platform.ended(workflow_id)


async def of_a_call_that_is_placed(platform: Platform) -> Run:
    phone = new_phone()
    nodes = [node("call", "INITIATE_CALL", {"to": "{{msisdn}}"}), node("end", "SESSION_END", {})]
    spec = flow(new_id("outputs-place"), texted(), nodes, ["start>call", "call:success>end"])
    await platform.execute(spec, received(phone), wait_ms=0)
    await (await rings(platform, phone)).answers()
    return spec, await platform.ended(spec["metadata"]["workflowId"])


async def of_a_webhook(platform: Platform) -> Run:
    trigger = node("start", "HTTP_WEBHOOK", {"path": "/orders"})
    return await started(
        platform, trigger, lambda name: platform.rest.post(f"/webhooks/{name}/orders?a=1", json={"order": 17})
    )


async def of_a_payment(platform: Platform) -> Run:
    trigger = node("start", "PAYMENT_CALLBACK", {"currency": "TZS", "minAmount": 71, "maxAmount": 71})
    paid = {"from": new_phone(), "amount": "71", "currency": "TZS", "clientAccount": "rent"}
    return await started(platform, trigger, lambda _: platform.control.post("/control/payments", json=paid))


async def of_a_clock(platform: Platform) -> Run:
    trigger = node("start", "SCHEDULED", {"cronExpression": "* * * * * *", "maxExecutions": 1})
    return await started(platform, trigger, lambda _: asyncio.sleep(0))


def received(phone: str) -> Document:
    """What an SMS from a phone would bring."""
    stamp = {"timestamp": "2026-01-31T08:00:00.000Z", "messageId": "1", "shortCode": "22384"}
    return {"msisdn": phone, "message": "x", **stamp}


async def run(platform: Platform, spec: Document, phone: str) -> Document:
    """The log of a run from a phone, once it has ended."""
    await platform.execute(spec, received(phone))
    return await platform.ended(spec["metadata"]["workflowId"])


async def started(platform: Platform, trigger: Document, start: Callable[[str], Awaitable[Any]]) -> Run:
    """What this starts."""
    nodes = [node("check", "CONDITION", {"expression": "1 == 1"})]
    spec = flow(new_id("outputs-start"), trigger, nodes, chain(*nodes))
    workflow_id = await platform.publish(spec)
    await start(workflow_id)
    await eventually(lambda: platform.executions(workflow_id))
    log = await platform.ended(workflow_id)
    await platform.unpublish(workflow_id)
    return spec, log


RUNS: Sequence[Callable[[Platform], Awaitable[Run]]] = (
    *(
        of_one_run,
        of_a_refund,
        of_an_sms,
        of_a_dial,
        of_a_call,
        of_a_call_that_is_placed,
        of_a_webhook,
        of_a_payment,
        of_a_clock,
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def outputs(standing_platform: Platform) -> Outputs:
    """What each type gave in these runs, which go on side by side."""
    found: Outputs = defaultdict(list)
    for spec, log in await asyncio.gather(*(each(standing_platform) for each in RUNS)):
        assert log["status"] == "completed", log
        types = {drawn["id"]: drawn["type"] for drawn in (spec["trigger"], *spec["nodes"])}
        for result in log["nodeResults"]:
            if result["status"] == "success":
                found[types[result["nodeId"]]].append(result["output"])
    return found


@pytest.mark.parametrize("name", CATALOGUE)
async def test_a_node_gives_what_the_catalogue_says(platform: Platform, outputs: Outputs, name: str) -> None:
    rows = (await platform.rest.get("/api/node-types")).json()["nodeTypes"]
    [schema] = [row["outputSchema"] for row in rows if row["type"] == name]

    assert outputs[name]
    for output in outputs[name]:
        assert [fault.message for fault in Draft202012Validator(schema).iter_errors(output)] == []
