"""Values that flows keep of a phone number: one flow writes while another one waits. Time is virtual."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from njia.sessions.v1 import sessions_service_pb2 as pb
from services.engine.core.program import Program, load
from services.engine.executions.beginnings import Overrides
from tests.engine.core.flow_dicts import NUMBER, condition, document, node, program_of, sms, write
from tests.engine.core.outside import AfricasTalking
from tests.engine.core.virtual_time import told
from tests.engine.restarts.engine import SCAN_SECONDS
from tests.engine.restarts.sessions_in_process import SessionsInProcess
from tests.engine.restarts.stores import StoresInMemory
from tests.engine.restarts.world import World

pauses = pytest.mark.parametrize("pause_seconds", [60, 3600], ids=["within the session's life", "beyond it"])


def booking(pause_seconds: int) -> Program:
    """Keeps a seat, waits for word of the payment, and keeps that it is done."""
    nodes = {
        "seat": write(seat="12A"),
        "pause": node("DELAY", duration=pause_seconds * 1000),
        "paid": condition("{{global.data.paid}} == 'yes'"),
        "ticket": sms(message="Seat {{session.data.seat}} is yours"),
        "done": node("SESSION_WRITE", data={"trips": 1}, scope="global"),
    }
    way = ["start > seat", "seat > pause", "pause > paid", "paid:true > ticket", "ticket > done"]
    return program_of(document("sms", nodes, way))


async def pay(world: World) -> None:
    """What another flow does for the same number."""
    service = SessionsInProcess(world.sessions)
    session = pb.OpenSessionRequest(session_id="other", type=pb.SESSION_TYPE_PAYMENT, msisdn=NUMBER)
    await service.OpenSession(session, timeout=1)
    changes = [pb.DataChange(set_json='{"paid": "yes"}')]
    commit = pb.CommitSessionRequest(
        session_id="other", commit_id="1", expected_version=1, workflow_id="payments", global_changes=changes
    )
    await service.CommitSession(commit, timeout=1)


def as_values(data: Mapping[str, str]) -> dict[str, Any]:
    return {name: json.loads(written) for name, written in data.items()}


async def played(pause_seconds: int) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """Returns the texts that were sent, what is kept of the number, and the data of its session."""
    program, network = booking(pause_seconds), AfricasTalking()
    world = World(program, StoresInMemory(), network, None)
    payload, at_once = {"msisdn": NUMBER, "message": "BOOK"}, Overrides(wait_ms=0)
    stored = await world.answer(lambda engine: engine.executions.execute(program, payload, None, at_once, None))
    await world.elapse(SCAN_SECONDS)
    await pay(world)
    await world.elapse(pause_seconds + SCAN_SECONDS)
    kept = await world.sessions.scoped(NUMBER, "flow")
    assert stored.state.session_id is not None
    session = await world.sessions.get(stored.state.session_id)
    await world.stop()
    return [text for _, text in network.inbox.values()], as_values(kept.in_all), as_values(session.data)


@pauses
def test_a_flow_that_waited_sees_what_another_one_wrote_meanwhile(pause_seconds: int) -> None:
    texts, _, _ = told(played(pause_seconds))

    assert texts == ["Seat 12A is yours"]


@pauses
def test_what_a_flow_writes_behind_a_wait_is_kept_beside_what_was_there(pause_seconds: int) -> None:
    _, kept, session = told(played(pause_seconds))

    assert kept == {"paid": "yes", "trips": 1}
    assert session == {"seat": "12A"}


def test_a_graph_of_a_validator_that_did_not_look_gets_its_session_all_the_same() -> None:
    nodes = {"paid": condition("{{global.data.paid}} == 'yes'")}
    graph = program_of(document("sms", nodes, ["start > paid"])).graph

    assert graph.requires_session
    assert load(replace(graph, requires_session=False), "digest").requires_session
