"""Whatever the flow and wherever the engine dies, the outcome is that of a run that was left alone."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from services.engine.core.program import Program
from services.engine.core.state import Decision, Reply
from tests.engine.core.flow_dicts import program_of
from tests.engine.core.random_flows import Story, stories
from tests.engine.core.virtual_time import told
from tests.engine.core.world import Phone, World


async def play(story: Story, program: Program, stop_after: int | None) -> tuple[dict[str, Any], int]:
    """Plays a story; the process dies behind the given durable step. Returns what came of it and the steps."""
    world = World(program)
    world.sms.script = {number: list(answers) for number, answers in story.script.items()}
    world.steps.stop_after = stop_after
    phone = Phone(world)
    screens: list[Reply | None] = [(await phone.dials("*".join(story.shortcut))).screen]
    for entry in story.entries:
        if screens[-1] is None or screens[-1].kind == "end":
            break
        screens.append((await phone.types(entry)).screen)
        # A person takes longer than anything that still runs; what overlaps is told in stories of its own.
        await world.rest()
    await world.rest()
    state = world.state
    assert len(set(world.sessions.applied)) == len(world.sessions.applied)
    last = {(result.node_id, result.visit): result for result in world.log}
    return {
        "screens": screens,
        "status": state.status,
        "error": state.error,
        "results": {place: (str(result.status), result.output, result.error) for place, result in last.items()},
        "session": world.sessions.data,
        "active": world.sessions.active,
        "inbox": world.sms.inbox,
        "reply": state.reply,
        "waits": list(state.waits),
        "visits": state.visits,
        "forgotten": [edge for edge, decision in state.edges.items() if state.ended and decision is Decision.TAKEN],
    }, world.steps.taken


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(stories())
def test_a_death_behind_any_step_changes_nothing(story: Story) -> None:
    program = program_of(story.flow)
    expected, steps = told(play(story, program, None))
    assert expected["status"] != "failed", expected["error"]
    assert expected["forgotten"] == [], "an edge was taken and its target never ran"
    for step in range(1, steps + 1):
        found, _ = told(play(story, program, step))
        assert found == expected, f"the engine died behind step {step} of {steps}"
