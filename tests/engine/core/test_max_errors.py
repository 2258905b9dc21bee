"""maxErrors: how many failures a flow that continues on error goes on behind."""

from typing import Any

import pytest

from tests.engine.core.flow_dicts import document, sms
from tests.engine.core.outside import failing
from tests.engine.core.virtual_time import in_virtual_time
from tests.engine.core.world import World

NUMBERS = [f"+25471100001{digit}" for digit in range(4)]


def chain(**handling: Any) -> World:
    """Four texts one after the other, none of which is accepted."""
    nodes = {f"n{index}": sms(number) for index, number in enumerate(NUMBERS)}
    edges = ["start > n0", "n0 > n1", "n1 > n2", "n2 > n3"]
    world = World(document("sms", nodes, edges, errorHandling={"continueOnError": True, **handling}))
    world.sms.script = {number: [failing("REJECTED", "permanent")] for number in NUMBERS}
    return world


@in_virtual_time
@pytest.mark.parametrize(("limit", "tried"), [(1, 1), (3, 3), (4, 4)])
async def test_the_failure_that_reaches_the_limit_fails_the_execution(limit: int, tried: int) -> None:
    world = chain(maxErrors=limit)
    state = await world.execute()
    assert state.status == "failed"
    assert state.error is not None
    assert state.error.code == "TOO_MANY_ERRORS"
    assert f"n{tried - 1}: REJECTED" in state.error.message
    assert len(world.sms.calls) == tried


@in_virtual_time
@pytest.mark.parametrize("handling", [{}, {"maxErrors": 5}])
async def test_fewer_failures_are_passed_over(handling: dict[str, Any]) -> None:
    state = await chain(**handling).execute()
    assert (state.status, state.passed_over) == ("completed", 4)


@in_virtual_time
async def test_a_failure_that_an_edge_catches_does_not_count() -> None:
    nodes = {"a": sms(NUMBERS[0]), "b": sms(NUMBERS[1]), "c": sms(NUMBERS[2])}
    edges = ["start > a", "a:error > b", "b:error > c"]
    world = World(document("sms", nodes, edges, errorHandling={"continueOnError": True, "maxErrors": 2}))
    world.sms.script = {number: [failing("REJECTED", "permanent")] for number in NUMBERS}
    state = await world.execute()
    assert (state.status, state.passed_over) == ("completed", 1)


@in_virtual_time
async def test_failures_are_counted_through_a_crash() -> None:
    world = chain(maxErrors=3)
    world.steps.stop_after = 2
    state = await world.execute()
    assert state.error is not None
    assert (world.deaths, state.error.code, state.passed_over) == (1, "TOO_MANY_ERRORS", 3)
