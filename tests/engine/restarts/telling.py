"""Plays a story in a world, and says what came of it."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from services.engine.beginnings import Overrides
from services.engine.core.program import Program
from services.engine.core.state import Decision, ExecutionState, NodeResult, Reply
from services.engine.executions import IncomingSms
from services.engine.redials import CONTINUE
from services.engine.settlements import GRACE_MS
from services.engine.store import Filter, Report
from services.engine.ussd_callbacks import UssdCallback
from tests.engine.core.flow_dicts import NUMBER
from tests.engine.core.outside import AfricasTalking
from tests.engine.core.virtual_time import now_ms
from tests.engine.restarts.power import Cut
from tests.engine.restarts.random_flows import Story
from tests.engine.restarts.stores import Stores
from tests.engine.restarts.world import World
from workflow.outcome import WaitKind

ANY = Filter(None, None, None, None)
WHILE_SECONDS = 10.0
UNTIL_CHECKED_SECONDS = 20.0
"""A commit that is not confirmed is looked at again within so long."""

MANY = 120
WHEN_IT_CAME = re.compile(r'"timestamp":"[^"]*"')


@dataclass(frozen=True)
class Ending:
    """
    Attributes:
        facts: What must not depend on restarts, as JSON; ids that are made up anew have one name in all endings.
        attempts: How each attempt of each visit of a node ended, by node and visit.
        writes: What the first engine wrote.
    """

    facts: dict[str, Any]
    attempts: dict[str, list[str]]
    writes: int
    deaths: int

    def differences(self, undisturbed: "Ending") -> list[Any]:
        """What is told otherwise: its name, how it is here, and how it is in the other one."""
        both = {**undisturbed.facts, **undisturbed.facts["results"]}, {**self.facts, **self.facts["results"]}
        names = sorted(both[0].keys() | both[1].keys() - {"results"})
        return [
            (name, both[1].get(name), both[0].get(name)) for name in names if both[0].get(name) != both[1].get(name)
        ]

    def has_attempts_of(self, undisturbed: "Ending") -> bool:
        """Whether nodes were tried as often; an attempt that an engine died in may be missing from the log."""
        return self.attempts.keys() == undisturbed.attempts.keys() and all(
            self.attempts[visit][-1] == attempts[-1] and 0 <= len(attempts) - len(self.attempts[visit]) <= self.deaths
            for visit, attempts in undisturbed.attempts.items()
        )


async def tell(story: Story, program: Program, stores: Stores, cut: Cut | None) -> Ending:
    """Plays a story to the end of its execution; an engine dies at the given moment."""
    network = AfricasTalking()
    network.script = {number: list(answers) for number, answers in story.script.items()}
    world = World(program, stores, network, cut)
    match story.begun_by:
        case "ussd":
            answers: list[Any] = await _dialogue(story, world)
        case "sms":
            sms = IncomingSms("ATSid_1", NUMBER, story.first, "22384", "", "", 0)
            answers = [await world.answer(lambda engine: engine.executions.handle_sms(sms))]
        case "call":
            payload, key = {"msisdn": NUMBER, "message": story.first}, ("key", "digest")
            await world.answer(lambda engine: engine.executions.execute(program, payload, None, Overrides(), key))
            answers = []
    for _ in range(MANY):
        await _pause(story, world)
        if (await _only_execution(world)).ended:
            break
        await world.elapse(WHILE_SECONDS)
    await world.elapse(UNTIL_CHECKED_SECONDS)
    ending = await _ending(world, answers)
    await world.stop()
    return ending


async def _dialogue(story: Story, world: World) -> list[Reply]:
    """Dials and types, until the session ends or nothing more is to be typed. Returns the screens."""
    if story.hangs_up_after is None:
        return await _call(story, world, "ATUid_1", story.first, story.entries)
    screens = await _call(story, world, "ATUid_1", story.first, story.entries[: story.hangs_up_after])
    # A network says that a session is over also when the flow has ended it.
    status = "Incomplete" if screens[-1].kind == "con" else "Success"
    await world.answer(lambda engine: engine.ussd_turns.hung_up("ATUid_1", status, ""))
    if status == "Incomplete" and "resumeWithinMs" in story.flow["settings"]:
        rest = story.entries[story.hangs_up_after :]
        screens += await _call(story, world, "ATUid_2", "", [CONTINUE, *rest])
    return screens


async def _call(story: Story, world: World, session_id: str, text: str, entries: list[str]) -> list[Reply]:
    """One session on the phone. Nothing that a node does overlaps with it when it is over."""
    screens = [await _hop(world, session_id, text)]
    await _pause(story, world)
    for entry in entries:
        if screens[-1].kind == "end":
            break
        await world.elapse(story.think_seconds)
        text = f"{text}*{entry}" if text else entry
        screens.append(await _hop(world, session_id, text))
        await _pause(story, world)
    return screens


async def _pause(story: Story, world: World) -> None:
    """
    Lets pass what is over soon, and reports what is to be reported.

    A person takes longer than anything that still runs; what overlaps is told in stories of its own.
    """
    while _is_busy(await _state_with_reports(story, world)):
        await world.elapse(1)


async def _state_with_reports(story: Story, world: World) -> ExecutionState:
    """The execution when nothing runs, and what was reported of its messages has been looked at."""
    state = await _only_execution(world)
    lost = [node_id for node_id, wait in state.waits.items() if wait.kind is WaitKind.SETTLEMENT]
    if not (story.is_reported and lost):
        return state
    numbers = {node["id"]: node["config"]["to"] for node in story.flow["nodes"] if node["id"] in lost}
    for node_id, number in numbers.items():
        report = Report(f"ATXid_{node_id}_{state.node(node_id).visit}", "Success", number, "", "", now_ms())
        await _reported(world, report)
    await world.elapse(2 * GRACE_MS / 1000)
    return await _only_execution(world)


def _is_busy(state: ExecutionState) -> bool:
    """Whether a node tries again soon, or waits for word of what became of its effect."""
    return any(wait.kind in (WaitKind.RETRY, WaitKind.SETTLEMENT) for wait in state.waits.values())


async def _reported(world: World, report: Report) -> None:
    await world.answer(lambda engine: engine.reports.take(report))


async def _hop(world: World, session_id: str, text: str) -> Reply:
    callback = UssdCallback(session_id, NUMBER, "*384*1#", "63902", text)
    return (await world.answer(lambda engine: engine.ussd_turns.answer(callback))).reply


async def _only_execution(world: World) -> ExecutionState:
    """The execution as it is when nothing runs."""
    await world.rest()
    states, after = await world.engine.store.page(ANY, 2, None)
    assert after is None
    assert len(states) == 1, "one cause makes one execution"
    return states[0]


async def _ending(world: World, answers: list[Any]) -> Ending:
    state = await _only_execution(world)
    stored = await world.engine.store.read(state.execution_id)
    assert stored is not None
    log = stored.results
    last = {_visit(result): [result.status, result.output, result.error] for result in log}
    attempts: dict[str, list[str]] = {}
    for result in log:
        if result.attempt:
            attempts.setdefault(_visit(result), []).append(result.status)
            assert result.attempt == len(attempts[_visit(result)]), "attempts are counted from 1"
    facts = {
        "answers": answers,
        "status": state.status,
        "error": state.error,
        "reply": state.reply,
        "turns": await _turns(world, state.execution_id),
        "visits": state.visits,
        "forgotten": [edge for edge, decision in state.edges.items() if decision is Decision.TAKEN],
        "results": last,
        "inbox": world.network.inbox,
        "turns of rates": len(world.rates.turns),
        "conflicts": world.network.conflicts,
        "reports find": await _found_by_reports(world, log),
        "session": _session(world, state.session_id),
    }
    written = WHEN_IT_CAME.sub('"timestamp":""', orjson.dumps(facts).decode()).replace(state.execution_id, "exe")
    if state.session_id is not None:
        written = written.replace(state.session_id, "ses")
    return Ending(
        orjson.loads(written),
        attempts,
        world.writes,
        world.deaths,
    )


async def _turns(world: World, execution_id: str) -> list[Any]:
    """What came in; a signal may be recorded twice, for it ends what waits and finds nothing the second time."""
    turns = (await world.bystander.turns_behind({execution_id: 0}))[execution_id]
    return [turn.payload for turn in turns if turn.signal is None]


def _session(world: World, session_id: str | None) -> list[Any]:
    """The session as it was written last: it may have expired since."""
    return [
        [dict(kept.session.data), kept.session.is_active]
        for name, kept in world.sessions._kept.items()
        if name == session_id
    ]


async def _found_by_reports(world: World, log: Any) -> list[str | None]:
    """The executions that delivery reports of the sent messages find."""
    message_ids = sorted(
        result.output["messageId"] for result in log if result.output is not None and "messageId" in result.output
    )
    return [
        await world.bystander.report(Report(message_id, "Success", NUMBER, "", "", 0)) for message_id in message_ids
    ]


def _visit(result: NodeResult) -> str:
    return f"{result.node_id} {result.visit}"
