"""Each type of node leaves by each of its handles, through the running services."""

import json

import pytest

from tests.e2e.calling import calls
from tests.e2e.driving import Document, Platform, new_code, new_id, new_phone, results_of
from tests.e2e.flows import dialled, flow, node, texted
from tests.e2e.node_rows import ELSEWHERE, ROWS, Row
from tests.e2e.shown import is_a_test
from workflow.catalogue import CATALOGUE

pytestmark = pytest.mark.asyncio(loop_scope="session")

OF_THE_CONFIG = {"SWITCH": {"1"}}
"""Handles of a type that its config makes: one case stands for all."""


async def played(platform: Platform, row: Row) -> Document:
    """The log of a run, once it has ended."""
    phone, number, code = new_phone(), f"+2547{new_phone()[-8:]}", new_code()
    triggers = {
        "execute": texted(),
        "dial": dialled(code),
        "call": node("start", "INCOMING_CALL", {"calledNumber": number}),
    }
    spec = flow(new_id("row-node"), triggers[row.way], row.nodes, row.edges)
    if row.fault:
        answer = await platform.control.post("/control/faults", json=dict(row.fault))
        assert answer.is_success, answer.text
    if row.way == "execute":
        await platform.execute(spec, {"msisdn": phone, "message": "x", "tail": "-1"})
        return await platform.ended(spec["metadata"]["workflowId"])
    workflow_id = await platform.publish(spec)
    if row.way == "dial":
        session = await platform.dial(code, phone)
        for key in row.keys:
            await session.type(key)
    else:
        call = await calls(platform, phone, number)
        for key in row.keys:
            await call.presses(key)
    return await platform.ended(workflow_id)


@pytest.mark.parametrize("row", ROWS.values(), ids=[" ".join(key) for key in ROWS])
async def test_a_node_leaves_by_the_handle_of_its_row(platform: Platform, row: Row) -> None:
    log = await played(platform, row)

    ran = [result["nodeId"] for result in log["nodeResults"] if result["status"] != "skipped"]
    assert (log["status"], ran[1:]) == ("completed", list(row.ran)), json.dumps(log, indent=1)
    output = results_of(log, "tried")[-1].get("output", {})
    assert {key: output.get(key) for key in row.output} == row.output


async def test_every_handle_of_every_type_has_a_row_or_a_test() -> None:
    handles = {(name, handle) for name, kind in CATALOGUE.items() for handle in kind.outputs}
    handles |= {(name, handle) for name, made in OF_THE_CONFIG.items() for handle in made}

    shown = {(name, handle.split()[0]) for name, handle in (*ROWS, *ELSEWHERE)}

    assert shown - handles <= {("WAIT_FOR_SMS", "timeout")}
    assert handles - shown == set()
    assert [test for test in ELSEWHERE.values() if not is_a_test(test)] == []
