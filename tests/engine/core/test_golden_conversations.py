"""Whole conversations against what was said and logged before; `--update-golden` accepts what is said now."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engine.core.clinic import CLINIC
from tests.engine.core.flow_dicts import NUMBER
from tests.engine.core.outside import Answer, failing, slow
from tests.engine.core.sacco import SACCO
from tests.engine.core.virtual_time import EPOCH_MS, told
from tests.engine.core.world import Phone, World

CONFORMANCE = Path(__file__).parents[2] / "conformance"

TALKS: dict[str, tuple[dict[str, Any] | str, Sequence[str]]] = {
    "ussd-menu-balance": ("ussd-menu.json", ["dial", "1"]),
    "ussd-menu-airtime": ("ussd-menu.json", ["dial", "2"]),
    "ussd-menu-exit": ("ussd-menu.json", ["dial", "3"]),
    "ussd-menu-anything-else": ("ussd-menu.json", ["dial", "hello"]),
    "ussd-menu-hung-up": ("ussd-menu.json", ["dial", "wait 61"]),
    "ussd-menu-shortcut": ("ussd-menu.json", ["dial 1"]),
    "clinic-books": (CLINIC, ["dial", "1", "99", "98", "2", " ", "Asha", "12", "1234", "1"]),
    "clinic-changes-her-mind": (
        CLINIC,
        ["dial", "7", "2", "0", "1", "9", "0", "1", "5", "Ann", "1111", "2", "2", "x", "3"],
    ),
    "clinic-hangs-up-at-the-pin": (CLINIC, ["dial 1*4*Bob", "wait 61"]),
    "clinic-knows-the-code": (CLINIC, ["dial 1*1*Zoe*0000*1"]),
    "sacco-borrows": (SACCO, ["dial", "1111", "1234", "1", "0", "2", "70", "60000", "x", "5000", "1"]),
    "sacco-is-locked-out": (SACCO, ["dial", "1", "2", "3"]),
    "sacco-gets-no-loan": (SACCO, ["dial", "1234", "2", "0", "7", "2", "900", "2", "2", "900", "1"]),
    "sacco-cannot-be-reached": (SACCO, ["dial", "1234"]),
}
STATUSES = {
    "sacco-borrows": [403, 200],
    "sacco-is-locked-out": [403],
    "sacco-gets-no-loan": [200, 422],
    "sacco-cannot-be-reached": [401],
}
"""What the server of a flow answers; the last one for good."""


def flow_of(name: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(name, str):
        flow: dict[str, Any] = json.loads((CONFORMANCE / name).read_text())
        return flow
    return name


async def transcript(flow: dict[str, Any], steps: Sequence[str], statuses: Sequence[int]) -> str:
    """The conversation and the log, as text."""
    world = World(flow)
    world.web.statuses = [*statuses]
    world.sms.script = {"+254711999999": [failing(), slow(2)], NUMBER: [slow(1), Answer()]}
    phone, lines, seen = Phone(world), [], 0
    for step in steps:
        match step.split(" "):
            case ["dial", *shortcut]:
                await phone.dials(*shortcut)
            case ["wait", seconds]:
                await world.elapse(int(seconds))
            case _:
                await phone.types(step)
        await world.rest()
        lines.append(f"> {step}")
        if phone.screen is not None and not step.startswith("wait"):
            lines += [f"{phone.screen.kind.upper()} {phone.screen.text}"]
        lines += [f"    {line}" for line in log_lines(world)[seen:]]
        seen = len(world.log)
    return "\n".join([*lines, "", *ending(world), ""])


def log_lines(world: World) -> list[str]:
    lines = []
    for result in world.log:
        what = {} if result.output is None else result.output
        if result.error is not None:
            what = {"code": result.error.code, "type": result.error.type}
        at = (result.executed_at_ms - EPOCH_MS) / 1000
        number = f"{result.node_id} visit {result.visit} attempt {result.attempt}"
        lines.append(f"{at:g} s: {number}: {result.status} {json.dumps(what, sort_keys=True)}")
    return lines


def ending(world: World) -> list[str]:
    state = world.state
    return [
        f"execution: {state.status}{'' if state.error is None else f' ({state.error.code})'}",
        f"waiting for: {', '.join(state.waits) or 'nobody'}",
        f"session {'open' if world.sessions.active else 'ended'}: {json.dumps(world.sessions.data, sort_keys=True)}",
        *(f"{asked.method} {asked.url} {(asked.body or b'').decode()}".rstrip() for asked in world.web.asked),
        *(f"SMS to {', '.join(to)}: {text}" for to, text in world.sms.inbox.values()),
    ]


def compare(path: Path, found: str, *, update: bool) -> None:
    if update:
        path.write_text(found)
    assert path.read_text() == found, f"{path.name} differs; run with --update-golden to accept it"


@pytest.mark.parametrize("name", TALKS)
def test_a_conversation_goes_as_before(name: str, golden_folder: Path, request: pytest.FixtureRequest) -> None:
    flow, steps = TALKS[name]
    found = told(transcript(flow_of(flow), steps, STATUSES.get(name, [200])))
    compare(golden_folder / f"{name}.txt", found, update=request.config.getoption("--update-golden", default=False))


def test_an_echo_goes_as_before(golden_folder: Path, request: pytest.FixtureRequest) -> None:
    async def story() -> str:
        world = World(flow_of("sms-echo.json"))
        await world.execute({"message": "hi"})
        return "\n".join([*log_lines(world), "", *ending(world), ""])

    found = told(story())
    compare(golden_folder / "sms-echo.txt", found, update=request.config.getoption("--update-golden", default=False))
