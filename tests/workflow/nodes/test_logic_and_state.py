"""CONDITION, SWITCH, MERGE, SESSION_READ and SESSION_WRITE."""

from typing import Any

import pytest

from tests.workflow.stage import Findings, Stage, done
from workflow.errors import NodeFailure
from workflow.node_type import Arrival
from workflow.nodes.condition import Condition
from workflow.nodes.merge import Merge
from workflow.nodes.session_read import SessionRead
from workflow.nodes.session_write import SessionWrite
from workflow.nodes.switch import Switch
from workflow.outcome import Done
from workflow.sealing import MASK, SEALED
from workflow.session import Scope

CONDITION, SWITCH, MERGE, READ, WRITE = Condition(), Switch(), Merge(), SessionRead(), SessionWrite()
CASES = [{"value": "1", "label": "One"}, {"value": 2, "label": "Two"}]


@pytest.mark.parametrize("value", [True, False])
async def test_a_condition_leaves_by_what_it_comes_to(stage: Stage, value: bool) -> None:
    stage.expressions["expression"] = stage.always(value)
    outcome = done(await stage.run(CONDITION, {"expression": "{{input}} == '1'"}))
    assert outcome == Done(output={"result": value}, handle=str(value).lower())


@pytest.mark.parametrize(
    ("value", "handle", "matched"),
    [
        ("1", "1", "1"),
        (1, "1", "1"),
        ("2", "2", "2"),
        ("3", "default", None),
        ("", "default", None),
        (True, "default", None),
    ],
)
async def test_a_switch_leaves_by_the_equal_case(stage: Stage, value: Any, handle: str, matched: str | None) -> None:
    outcome = done(await stage.run(SWITCH, {"value": value, "cases": CASES}))
    assert outcome.handle == handle
    assert outcome.output["matched"] == matched


def test_a_switch_has_a_handle_for_each_case(findings: Findings) -> None:
    config = SWITCH.config.model_validate({"value": "x", "cases": CASES})
    assert SWITCH.output_handles(config) == ("1", "2", "default")
    twice = [{"value": "1", "label": "a"}, {"value": "1", "label": "b"}]
    assert findings(SWITCH, {"value": "x", "cases": twice}) == [("INVALID_NODE_CONFIG", "cases[1].value")]
    assert findings(SWITCH, {"value": "x", "cases": [{"value": "default", "label": "a"}]}) == [
        ("INVALID_NODE_CONFIG", "cases[0].value")
    ]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("first", {"a": 1, "c": 1}),
        ("last", {"b": 2, "c": 2}),
        ("all", {"items": [{"a": 1, "c": 1}, {"b": 2, "c": 2}]}),
        ("merge", {"a": 1, "b": 2, "c": 2}),
    ],
)
async def test_a_merge_joins_by_its_strategy(stage: Stage, strategy: str, expected: dict[str, Any]) -> None:
    stage.arrivals = [Arrival("input1", "x", {"a": 1, "c": 1}), Arrival("input2", "y", {"b": 2, "c": 2})]
    outcome = done(await stage.run(MERGE, {"strategy": strategy}))
    assert outcome.output == expected
    assert MERGE.waits_for_all(MERGE.config.model_validate({"strategy": strategy})) == (strategy != "first")


async def test_a_read_takes_the_named_values_and_the_defaults(stage: Stage) -> None:
    stage.session.data[Scope.SESSION] = {"name": "Asha", "city": "Kisumu"}
    document = {"keys": ["name", "crop", "none"], "defaultValue": {"crop": "maize", "name": "?"}}
    outcome = done(await stage.run(READ, document))
    assert outcome.output == {"sessionData": {"name": "Asha", "crop": "maize"}}


async def test_a_read_without_keys_takes_all_and_brings_what_came_in(stage: Stage) -> None:
    stage.session.data[Scope.SESSION] = {"name": "Asha", "pin": {SEALED: "sealed:1"}}
    stage.arrivals = [Arrival("default", "x", {"a": 1, "kept": 0})]
    merged = done(await stage.run(READ, {"outputKey": "kept"}))
    assert merged.output == {"a": 1, "kept": {"name": "Asha", "pin": {SEALED: "sealed:1"}}}
    alone = done(await stage.run(READ, {"outputKey": "kept", "mergeWithInput": False}))
    assert alone.output == {"kept": {"name": "Asha", "pin": {SEALED: "sealed:1"}}}


async def test_a_write_keeps_values_beside_those_that_are_there(stage: Stage) -> None:
    stage.session.data[Scope.SESSION] = {"a": 1}
    outcome = done(await stage.run(WRITE, {"data": {"b": {"c": 2}}}))
    assert outcome.output == {"sessionData": {"a": 1, "b": {"c": 2}}}
    assert [change.set for change in stage.session.changes[Scope.SESSION]] == [{"b": {"c": 2}}]


async def test_a_write_without_merge_replaces_all(stage: Stage) -> None:
    stage.session.data[Scope.SESSION] = {"a": 1}
    outcome = done(await stage.run(WRITE, {"data": {"b": 2}, "merge": False}))
    assert outcome.output == {"sessionData": {"b": 2}}


async def test_a_write_without_overwrite_leaves_what_is_there(stage: Stage) -> None:
    stage.session.data[Scope.SESSION] = {"a": 1}
    outcome = done(await stage.run(WRITE, {"data": {"a": 9, "b": 2}, "overwrite": False}))
    assert outcome.output == {"sessionData": {"a": 1, "b": 2}}


async def test_encrypted_values_are_sealed_in_store_and_masked_in_the_output(stage: Stage) -> None:
    outcome = done(await stage.run(WRITE, {"data": {"pin": "1234"}, "encrypt": True}))
    assert stage.session.data[Scope.SESSION] == {"pin": {SEALED: "sealed:1234"}}
    assert outcome.output == {"sessionData": {"pin": MASK}}


async def test_values_beyond_the_session_need_a_phone_number(stage: Stage) -> None:
    await stage.run(WRITE, {"data": {"a": 1}, "scope": "global", "ttl": 60})
    assert stage.session.data[Scope.GLOBAL] == {"a": 1}
    assert stage.session.changes[Scope.GLOBAL][0].ttl_seconds == 60
    stage.session.msisdn = None
    with pytest.raises(NodeFailure, match="NO_PHONE_NUMBER"):
        await stage.run(WRITE, {"data": {"a": 1}, "scope": "workflow"})


def test_a_write_tells_which_keys_it_stores() -> None:
    config = WRITE.config.model_validate({"data": {"a": 1, "b": 2}, "scope": "workflow"})
    assert {scope: list(keys) for scope, keys in WRITE.stored_keys(config).items()} == {"workflow": ["a", "b"]}
