"""Fields of a WorkflowSpec and options of a call: each does something that is seen from outside, or is warned of."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from njia.engine.v1.engine_service_pb2 import ExecuteOptions
from tests.e2e.driving import Document, Platform, new_phone
from tests.e2e.flows import flow, node, texted
from tests.e2e.shown import is_a_test
from tests.e2e.spec_effect_table import EFFECTS, ELSEWHERE, Effect
from tests.e2e.spec_flows import fails, text
from workflow.spec import SpecModel, WorkflowSpec

pytestmark = pytest.mark.asyncio(loop_scope="session")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, SpecModel):
        yield annotation
    for option in getattr(annotation, "__args__", ()):
        yield from models_in(option)


def fields_of(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The path of every field that holds a value of its own."""
    for name, info in model.model_fields.items():
        place = f"{path}{info.alias or name}"
        inner = list(models_in(info.annotation))
        if not inner:
            yield place
        for part in inner:
            yield from fields_of(part, f"{place}.")


def set_at(document: Document, path: str, value: Any) -> None:
    """Puts a value at a path, in the first entry of each list on the way; None leaves the field out."""
    *parents, name = path.split(".")
    place: Any = document
    for parent in parents:
        place = place.setdefault(parent, {})
        place = place[0] if isinstance(place, list) else place
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value


async def test_every_field_of_the_spec_is_in_the_table() -> None:
    assert sorted([*EFFECTS, *ELSEWHERE]) == sorted(fields_of(WorkflowSpec))


async def test_what_is_shown_elsewhere_is() -> None:
    assert [test for test in ELSEWHERE.values() if not is_a_test(test)] == []


@pytest.mark.parametrize(("path", "effect"), EFFECTS.items(), ids=EFFECTS)
async def test_a_field_does_what_its_row_says(platform: Platform, path: str, effect: Effect) -> None:
    assert effect.sees != effect.sees_other
    for value, expected in ((effect.one, effect.sees), (effect.other, effect.sees_other)):
        spec = effect.flow()
        for other, its_value in effect.beside.items():
            set_at(spec, other, its_value)
        set_at(spec, path, value)
        assert await effect.look(platform, path, spec) == expected, value


PAUSED = [node("pause", "DELAY", {"duration": 300})]

OPTIONS: dict[str, tuple[Document, tuple[Any, Any], tuple[Any, Any]]] = {
    "max_execution_time_ms": (text(), (1, "timeout"), (60_000, "completed")),
    "continue_on_error": (fails(), (False, "failed"), (True, "completed")),
    "dry_run": (text(), (False, "completed, 1 sent"), (True, "completed, 0 sent")),
    "wait_ms": (flow("effect-paused", texted(), PAUSED, ["start>pause"]), (0, "running"), (30_000, "completed")),
}
"""For each option of a call: a flow, and two values with how the flow stands when the call answers."""


async def test_every_option_of_a_call_is_in_the_table() -> None:
    assert sorted(OPTIONS) == sorted(ExecuteOptions.DESCRIPTOR.fields_by_name)


@pytest.mark.parametrize("option", OPTIONS)
async def test_an_option_of_a_call_does_what_its_row_says(platform: Platform, option: str) -> None:
    spec, *values = OPTIONS[option]
    for value, expected in values:
        phone = new_phone()
        result = await platform.execute(spec, {"msisdn": phone, "message": "x"}, **{option: value})
        seen = f"{result['status']}, {len(await platform.sent_to(phone))} sent"
        assert seen.startswith(expected), result
