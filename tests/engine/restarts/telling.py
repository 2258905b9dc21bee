"""Plays a story in a world, and says what came of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.engine.core.program import Program
from services.engine.core.state import Decision, ExecutionState, NodeResult, NodeStatus, Reply
from services.engine.executions.beginnings import Overrides
from services.engine.executions.settlements import GRACE_MS
from services.engine.store.execution_store import Filter, Report, Stored
from services.engine.triggers.sms_turns import IncomingSms
from services.engine.triggers.ussd_callbacks import UssdCallback
from services.engine.triggers.ussd_turns import STILL_WORKING
from tests.engine.core.flow_dicts import NUMBER
from tests.engine.core.outside import AfricasTalking, Answer
from tests.engine.core.virtual_time import now_ms
from tests.engine.restarts.engine import CIPHER
from tests.engine.restarts.power import Cut
from tests.engine.restarts.random_flows import PAUSES_SECONDS, Story
from tests.engine.restarts.stores import Stores
from tests.engine.restarts.world import World
from workflow.outcome import WaitKind
from workflow.ports import SmsRequest
from workflow.sealing import unsealed

ANY = Filter(None, None, None, None)
WHILE_SECONDS = 10.0
UNTIL_CHECKED_SECONDS = 20.0
"""A commit that is not confirmed is looked at again within so long."""

MANY = 120
MOST_SECONDS_BUSY = 3600
CHECKS_AFTER_SECONDS = 20.0
MOST_EXECUTIONS = 2
"""Who dials again and starts anew leaves an execution behind."""

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
        ours, theirs = _one_by_one(self.facts), _one_by_one(undisturbed.facts)
        names = sorted(ours.keys() | theirs.keys())
        return [(name, ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)]

    def all(self, name: str) -> list[Any]:
        """A fact of each execution."""
        return [self.facts[f"{name} {number}"] for number in range(self.facts["executions"])]

    def has_attempts_of(self, undisturbed: "Ending") -> bool:
        """Whether nodes were tried as often; an attempt that an engine died in may be missing from the log."""
        return self.attempts.keys() == undisturbed.attempts.keys() and all(
            self.attempts[visit][-1] == attempts[-1] and 0 <= len(attempts) - len(self.attempts[visit]) <= self.deaths
            for visit, attempts in undisturbed.attempts.items()
        )


class _FairNetwork(AfricasTalking):
    """Answers every execution by the script, whichever of them comes first."""

    def __init__(self, script: Mapping[str, Sequence[Answer]]) -> None:
        super().__init__()
        self._common = script
        self._own: dict[tuple[str, str], list[Answer]] = {}

    def _script_of(self, request: SmsRequest) -> list[Answer]:
        execution_id, number = request.idempotency_key.partition(":")[0], request.to[0]
        return self._own.setdefault((execution_id, number), list(self._common[number]))


async def tell(story: Story, program: Program, stores: Stores, cut: Cut | None) -> Ending:
    """Plays a story to the end of its execution; an engine dies at the given moment."""
    network = _FairNetwork(story.script)
    world = World(program, stores, network, cut)
    match story.begun_by:
        case "ussd":
            answers: list[Any] = await _dialogue(story, world)
        case "sms":
            sms = IncomingSms("ATSid_1", NUMBER, story.first, "22384", "", "", 0)
            answers = [await world.answer(lambda engine: engine.sms_turns.handle(sms))]
        case "call":
            payload, key = {"msisdn": NUMBER, "message": story.first}, ("key", "digest")
            await world.answer(lambda engine: engine.executions.execute(program, payload, None, Overrides(), key))
            answers = []
    for _ in range(MANY):
        await _pause(story, world)
        if all(state.ended for state in await _executions(world)):
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
    # Whether what runs beside the screens is over by now is not for a death to decide.
    await world.elapse(2 * max(PAUSES_SECONDS))
    await _pause(story, world)
    # A network says that a session is over also when the flow has ended it.
    status = "Incomplete" if screens[-1].kind == "con" else "Success"
    await world.answer(lambda engine: engine.ussd_turns.hung_up("ATUid_1", status, ""))
    if status == "Incomplete" and "resumeWithinMs" in story.flow["settings"]:
        rest = story.entries[story.hangs_up_after :]
        screens += await _call(story, world, "ATUid_2", "", [story.choice, *rest])
    return screens


async def _call(story: Story, world: World, session_id: str, text: str, entries: list[str]) -> list[Reply]:
    """One session on the phone. Nothing that a node does overlaps with it when it is over."""
    screen, text = await _hop(world, session_id, text)
    screens = [screen]
    await _pause(story, world)
    for entry in entries:
        if screens[-1].kind == "end":
            break
        await world.elapse(story.think_seconds)
        text = f"{text}*{entry}" if text else entry
        screen, text = await _hop(world, session_id, text)
        screens.append(screen)
        await _pause(story, world)
    return screens


async def _pause(story: Story, world: World) -> None:
    """
    Lets pass what is over soon, and reports what is to be reported.

    A person takes longer than anything that still runs; what overlaps is told in stories of its own.
    """
    for _ in range(MOST_SECONDS_BUSY):
        if not _is_busy(await _states_with_reports(story, world)):
            return
        await world.elapse(1)
    raise AssertionError(f"something is tried again for ever: {await _executions(world)}")


async def _states_with_reports(story: Story, world: World) -> Sequence[ExecutionState]:
    """The executions when nothing runs, and what was reported of their messages has been looked at."""
    states = await _executions(world)
    lost = [
        (state, node_id)
        for state in states
        for node_id, wait in state.waits.items()
        if wait.kind is WaitKind.SETTLEMENT
    ]
    if not (story.is_reported and lost):
        return states
    numbers = {node["id"]: node["config"].get("to") for node in story.flow["nodes"]}
    for state, node_id in lost:
        message_id = f"ATXid_{state.execution_id}_{node_id}_{state.node(node_id).visit}"
        await _reported(world, Report(message_id, "Success", numbers[node_id], "", "", now_ms()))
    await world.elapse(2 * GRACE_MS / 1000)
    return await _executions(world)


def _is_busy(states: Sequence[ExecutionState]) -> bool:
    """Whether a node tries again soon, or waits for word of what became of its effect."""
    return any(wait.kind in (WaitKind.RETRY, WaitKind.SETTLEMENT) for state in states for wait in state.waits.values())


async def _reported(world: World, report: Report) -> None:
    await world.answer(lambda engine: engine.reports.take(report))


async def _hop(world: World, session_id: str, text: str) -> tuple[Reply, str]:
    """Returns the screen and all that was typed until it came."""
    for _ in range(MANY):
        screen = await _shown(world, UssdCallback(session_id, NUMBER, "*384*1#", "63902", text))
        if screen.text != STILL_WORKING:
            return screen, text
        await world.elapse(CHECKS_AFTER_SECONDS)
        text = f"{text}*1" if text else "1"
    raise AssertionError(f"no screen comes behind {text!r}")


async def _shown(world: World, callback: UssdCallback) -> Reply:
    return (await world.answer(lambda engine: engine.ussd_turns.answer(callback))).reply


async def _executions(world: World) -> Sequence[ExecutionState]:
    """The executions as they are when nothing runs, oldest first."""
    await world.rest()
    states, after = await world.bystander.page(ANY, MOST_EXECUTIONS + 1, None)
    assert after is None
    assert 1 <= len(states) <= MOST_EXECUTIONS, "one cause makes one execution"
    return states[::-1]


async def _ending(world: World, answers: list[Any]) -> Ending:
    states = await _executions(world)
    attempts: dict[str, list[str]] = {}
    facts: dict[str, Any] = {
        "answers": answers,
        "executions": len(states),
        "inbox": world.network.inbox,
        "turns of rates": len(world.rates.turns),
        "conflicts": world.network.conflicts,
    }
    for number, state in enumerate(states):
        stored = await world.bystander.read(state.execution_id)
        assert stored is not None
        facts |= {f"{name} {number}": fact for name, fact in (await _facts(world, stored)).items()}
        for result in stored.results:
            if result.attempt:
                told = attempts.setdefault(f"{number} {_visit(result)}", [])
                told.append(result.status)
                assert result.attempt == len(told), "attempts are counted from 1"
    clear = unsealed(orjson.loads(orjson.dumps(facts)), CIPHER)
    written = WHEN_IT_CAME.sub('"timestamp":""', orjson.dumps(clear).decode())
    for number, state in enumerate(states):
        written = written.replace(state.execution_id, f"exe{number}")
        if state.session_id is not None:
            written = written.replace(state.session_id, f"ses{number}")
    return Ending(orjson.loads(written), attempts, world.writes, world.deaths)


async def _facts(world: World, stored: Stored) -> dict[str, Any]:
    state, log = stored.state, stored.results
    return {
        "status": state.status,
        "error": state.error,
        "reply": state.reply,
        "turns": await _turns(world, state.execution_id),
        "visits": state.visits,
        "forgotten": [edge for edge, decision in state.edges.items() if decision is Decision.TAKEN],
        "results": {_visit(result): [result.status, result.output, result.error] for result in log},
        "reports find": await _found_by_reports(world, log),
        "session": [] if _ran_out(log) else _session(world, state.session_id),
    }


def _ran_out(log: Sequence[NodeResult]) -> bool:
    """Whether a person never answered: then the session is over at about the same time, before or behind the flow."""
    return any(result.status is NodeStatus.TIMEOUT for result in log)


async def _turns(world: World, execution_id: str) -> list[Any]:
    """
    What came in, but for the text so far: who had to check again typed more. A signal may be recorded twice, for it
    ends what waits and finds nothing the second time.
    """
    turns = (await world.bystander.turns_behind({execution_id: 0}))[execution_id]
    return [{**turn.payload, "text": None} for turn in turns if turn.signal is None]


def _session(world: World, session_id: str | None) -> list[Any]:
    """The session as it was written last: it may have expired since."""
    return [
        [{key: orjson.loads(value) for key, value in kept.session.data.items()}, kept.session.is_active]
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


def _one_by_one(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts with a name for each visit of a node."""
    single = {name: fact for name, fact in facts.items() if not name.startswith("results ")}
    for name in facts.keys() - single.keys():
        single |= {f"{name}: {visit}": fact for visit, fact in facts[name].items()}
    return single


def _visit(result: NodeResult) -> str:
    return f"{result.node_id} {result.visit}"
