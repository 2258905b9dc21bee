"""Every answer of the REST API and every callback, once, through the running services."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio

from services.at_adapter.callbacks.app import CallbackPath
from tests.e2e.driving import Document, Platform, new_code, new_id, new_phone, refused
from tests.e2e.flows import dialled, flow, node
from tests.e2e.rows.beyond import BEYOND
from tests.e2e.rows.callbacks import CALLBACKS
from tests.e2e.rows.calls import MENU, VALID
from tests.e2e.rows.documented import DOCUMENTED
from tests.e2e.rows.everywhere import EVERYWHERE
from tests.e2e.rows.hooks import METHODS, WEBHOOKS
from tests.e2e.rows.refusals import REFUSALS, Refusal
from tests.e2e.rows.row import JSON, Callback, Row
from tests.gateway.contract import Contract

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROWS = [*DOCUMENTED, *BEYOND, *WEBHOOKS, *EVERYWHERE]

SERVICE_AWAY = {"500", "503", "504", "default"}
"""What takes a defect, an outage or an older service: tests/gateway/test_answers.py and tests/e2e/test_outages.py."""

KEYS = {"401", "403"}
"""What takes keys, which this set does not ask for: tests/gateway/test_access.py."""

ONCE = {"429"}
"""What any call may be answered and one shows."""

World = dict[str, Any]
_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(standing_platform: Platform) -> World:
    """What the rows ask about, by name."""
    platform, phone = standing_platform, new_phone()

    async def run(spec: Document, msisdn: str = phone, **more: Any) -> Document:
        body = {"workflow": spec, "triggerPayload": {"msisdn": msisdn, "message": "x"}} | more
        answer = await platform.rest.post("/api/workflows/execute", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def saved(name: str, trigger: Document | None = None, **settings: Any) -> Document:
        return {**MENU, "trigger": trigger or dialled(new_code()), "settings": settings} | {
            "metadata": MENU["metadata"] | {"workflowId": new_id(f"row-{name}")}
        }

    async def hook(method: str) -> str:
        config = {
            "path": "/orders/new",
            "method": method,
            "auth": {"type": "bearer", "token": "a-token"},
            "headers": {"X-Shop": "1"},
        }
        trigger = node("start", "HTTP_WEBHOOK", config)
        return await platform.publish(flow(new_id("row-hook"), trigger, VALID["nodes"], ["start>check"]))

    done, waiting, cancelled, ending = await run(VALID), await run(MENU), await run(MENU), await run(MENU)
    session = (await run(MENU))["sessionId"]
    ended = await run(MENU, sessionId=session)
    assert ended["status"] == "completed"
    erased = new_phone()
    await run(MENU, erased)
    code = new_code()
    published, rival = saved("published", dialled(code)), saved("rival", dialled(code))
    waits, full = saved("waits"), saved("full", maxConcurrentExecutions=1)
    to_publish, to_unpublish, to_delete = saved("to-publish"), saved("to-unpublish"), saved("to-delete")
    for spec in (published, to_unpublish):
        await platform.publish(spec)
    for spec in (rival, waits, full, to_publish, to_delete):
        await platform.save(spec)
    first_of_full = await platform.rest.post(
        "/api/workflows/execute", json={"workflowId": full["metadata"]["workflowId"]}
    )
    assert first_of_full.json()["status"] == "running"
    key = new_id("key")
    first_of_key = await platform.rest.post(
        "/api/workflows/execute", json={"workflow": VALID}, headers={"Idempotency-Key": key}
    )
    await platform.text(phone, "22999", "anybody?")
    names = {spec["metadata"]["workflowId"] for spec in (published, rival)}
    return {
        "phone": phone,
        "code": code,
        "done": done["executionId"],
        "waiting": waiting["executionId"],
        "open": waiting["sessionId"],
        "ended": session,
        "to_cancel": cancelled["executionId"],
        "to_end": ending["sessionId"],
        "to_erase": erased,
        "not_replayed": (await run(VALID | {"settings": {"enableReplay": False}}))["executionId"],
        "key": key,
        "first_of_key": first_of_key.json()["executionId"],
        "saved": waits["metadata"]["workflowId"],
        "saved_menu": waits["metadata"]["workflowId"],
        "saved_flow": waits,
        "new_flow": saved("new"),
        "published": published["metadata"]["workflowId"],
        "rival": rival["metadata"]["workflowId"],
        "both_names": lambda told: all(name in told for name in names),
        "where": lambda told: "line 2, column" in told,
        "full": full["metadata"]["workflowId"],
        "to_publish": to_publish["metadata"]["workflowId"],
        "to_unpublish": to_unpublish["metadata"]["workflowId"],
        "to_delete": to_delete["metadata"]["workflowId"],
        **{f"hook_{method}": await hook(method) for method in METHODS},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def contract(standing_platform: Platform) -> Contract:
    """What the running gateway says of itself."""
    return Contract((await standing_platform.rest.get("/openapi.json")).json())


def filled(value: Any, world: Mapping[str, Any]) -> Any:
    """The value with what the test made in place of its name."""
    match value:
        case str() if value.startswith("$"):
            return world[value[1:]]
        case dict():
            return {key: filled(part, world) for key, part in value.items()}
        case list():
            return [filled(part, world) for part in value]
    return value


def holds(told: Any, wanted: Any) -> bool:
    """Whether what is told has what is wanted, and perhaps more."""
    match wanted:
        case _ if wanted is ...:
            return True
        case Mapping():
            return isinstance(told, dict) and all(
                key in told and holds(told[key], part) for key, part in wanted.items()
            )
        case Sequence() if not isinstance(wanted, str):
            return len(told) == len(wanted) and all(map(holds, told, wanted))
    return bool(wanted(told)) if callable(wanted) else told == wanted


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_call_is_answered_as_its_row_says(
    platform: Platform, world: World, contract: Contract, row: Row
) -> None:
    method, _, path = row.call.partition(" ")
    at = {name: filled(value, world) for name, value in row.at.items()}
    body = filled(row.body, world)
    sent: dict[str, Any] = {} if body is None else {"content": body if isinstance(body, bytes) else json.dumps(body)}
    kind = {} if body is None else {"Content-Type": JSON}

    answer = await platform.rest.request(
        method,
        path.format(**{name: value.replace("+", "%2B") for name, value in at.items()}),
        params=filled(dict(row.query), world),
        headers=kind | filled(dict(row.headers), world),
        **sent,
    )

    assert answer.status_code == row.status, answer.text
    if path in contract.document["paths"] and answer.headers.get("content-type") == JSON:
        contract.check(answer)
    for name, value in row.heads.items():
        assert holds(answer.headers[name], value)
    if isinstance(row.says, str):
        assert row.says in answer.text
    elif row.says:
        assert holds(answer.json(), filled(row.says, world)), answer.text
    else:
        assert not answer.content or row.status != httpx.codes.NO_CONTENT


async def test_the_rows_show_every_answer_that_the_document_describes(contract: Contract) -> None:
    shown = {(row.call, str(row.status)) for row in ROWS}
    missing = {
        (f"{method.upper()} {path}", status)
        for path, operations in contract.document["paths"].items()
        for method, operation in operations.items()
        for status in set(operation["responses"]) - SERVICE_AWAY - ONCE - (KEYS if operation["security"] else set())
    } - shown

    assert missing == set()
    assert {call.partition(" ")[2] for call, _ in shown} - set(contract.document["paths"]) == {"/docs", "/openapi.json"}


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.code.name)
async def test_a_client_of_grpc_is_refused_as_one_of_rest_is(platform: Platform, world: World, row: Refusal) -> None:
    method, _, path = row.call.partition(" ")

    over_grpc = await refused(row.rpc(platform, world))
    over_rest = await platform.rest.request(
        method, path.format(**world), json=filled(row.body, world), headers=row.headers
    )

    assert (over_grpc.code, over_grpc.reason) == (row.code, row.reason)
    assert (over_rest.status_code, over_rest.json()["code"]) == (row.status, row.reason)
    assert ("Retry-After" in over_rest.headers) == (over_grpc.retry_after_ms is not None)


@pytest.mark.parametrize("is_json", [False, True], ids=["form", "JSON"])
@pytest.mark.parametrize("row", CALLBACKS, ids=lambda row: f"{row.path} {row.why}")
async def test_a_callback_is_answered_as_its_row_says(
    platform: Platform, world: World, row: Callback, is_json: bool
) -> None:
    fields = filled(dict(row.fields), world | {"new": f"row-{next(_numbers)}"})

    answer = await platform.callbacks.post(f"/at{row.path}", **{"json" if is_json else "data": fields})

    assert answer.status_code == row.status, answer.text
    assert answer.text.startswith(row.says), answer.text


@pytest.mark.parametrize("path", get_args(CallbackPath))
async def test_a_callback_has_its_address_its_method_and_its_bound(platform: Platform, path: str) -> None:
    assert any(row.path == path and row.status == 200 for row in CALLBACKS)
    assert (await platform.callbacks.get(f"/at{path}")).status_code == 405
    assert (await platform.callbacks.post(f"/at{path}", content=b"a=" + b"x" * 65536)).status_code == 413
    assert (await platform.callbacks.post(f"/at/no-token{path}", data={})).status_code == 404
