"""One execution in its world: the core runs for real, everything around it is in memory and can die."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from services.engine.core.program import Program
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState, NodeResult, Options, Reply
from services.engine.core.surroundings import Surroundings
from services.engine.store import records
from tests.engine.core.flow_dicts import NUMBER, program_of
from tests.engine.core.outside import (
    AfricasTalking,
    Disk,
    DiskJournal,
    EarlyReports,
    NobodyLooks,
    NoMoney,
    PlainCipher,
    Rates,
    SessionsService,
    Steps,
    Telephone,
    Web,
)
from tests.engine.core.virtual_time import EPOCH_MS, now_ms
from workflow.node_type import Ports
from workflow.outcome import Settlement, WaitKind
from workflow.session import TurnSession

EXECUTION = "exe"
SESSION = "ATUid_1"
SETTLE_MS = 600_000


class World:
    """
    A flow and all that it meets.

    Attributes:
        steps: What became durable; set `steps.stop_after` to make the process die right behind a step.
        deaths: How often it died.
    """

    def __init__(
        self,
        flow: Mapping[str, Any] | Program,
        *,
        dry_run: bool = False,
        continue_on_error: bool | None = None,
        max_active_ms: int | None = None,
        max_output_bytes: int = 256 * 1024,
        random: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self.program = flow if isinstance(flow, Program) else program_of(flow)
        self.steps = Steps()
        self.sessions = SessionsService(self.steps)
        self.sms = AfricasTalking()
        self.calls = Telephone()
        self.web = Web()
        self.rates = Rates()
        self.reports = EarlyReports()
        self.deaths = 0
        self._slept: list[float] = []
        self._around = Surroundings(
            ports=Ports(
                sms=self.sms,
                calls=self.calls,
                airtime=NoMoney(),
                payments=NoMoney(),
                http=self.web,
                rates=self.rates,
                cipher=PlainCipher(),
            ),
            sessions=self.sessions,
            reports=self.reports,
            observer=NobodyLooks(),
            now_ms=now_ms,
            random=random,
            sleep=self._sleep,
            settle_ms=SETTLE_MS,
            max_output_bytes=max_output_bytes,
        )
        graph = self.program.graph
        on_error = graph.error_handling.continue_on_error if continue_on_error is None else continue_on_error
        fresh = ExecutionState(
            execution_id=EXECUTION,
            workflow_id=graph.workflow_id,
            workflow_version=graph.workflow_version,
            graph_digest=self.program.digest,
            started_at_ms=EPOCH_MS,
            options=Options(max_active_ms or graph.settings.max_execution_time_ms, on_error, dry_run),
            payload={},
            session_id=SESSION,
        )
        self.disk = Disk(records.state_to_bytes(fresh))
        self.run: Run | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def state(self) -> ExecutionState:
        """The state as the journal has it."""
        return records.state_from_bytes(self.disk.state)

    @property
    def log(self) -> list[NodeResult]:
        """All results as the journal has them."""
        return self.disk.log()

    @property
    def delays(self) -> list[float]:
        """Seconds that retries waited."""
        return self._slept

    def results(self, node_id: str) -> list[NodeResult]:
        """The results of one node, oldest first."""
        return [result for result in self.log if result.node_id == node_id]

    def statuses(self) -> dict[str, str]:
        """How each node ended last."""
        return {result.node_id: str(result.status) for result in self.log}

    def output(self, node_id: str) -> dict[str, Any] | None:
        """Output of the newest result of a node."""
        return self.results(node_id)[-1].output

    def has_run(self, node_id: str) -> bool:
        """Whether the log has anything but a skip of the node."""
        return any(result.status != "skipped" for result in self.results(node_id))

    def comes_in(self, key: str | None, payload: Mapping[str, Any], **more: Any) -> None:
        """Records a turn; a run that is under way takes it, else one begins."""
        self.disk.turns.append(records.turn_to_bytes({"key": key, "payload": payload, **more}))
        if self.run is not None and self.disk.leased:
            for turn in self.disk.left():
                self.run.deliver(turn)
        else:
            self.take_up()

    async def signalled(self, record: Mapping[str, Any]) -> None:
        """Records what is not for the flow to read, and runs the execution to rest."""
        self.disk.turns.append(orjson.dumps({"key": None, **record}))
        if self.run is not None and self.disk.leased:
            for turn in self.disk.left():
                self.run.deliver(turn)
        elif not self.state.ended:
            self.take_up()
        await self.rest()

    async def reported(self, node_id: str, settlement: Settlement) -> None:
        """The outside reports an effect of a node whose outcome was unknown."""
        await self.signalled({"signal": "report", "node_id": node_id, "payload": asdict(settlement)})

    async def execute(self, payload: Mapping[str, Any] | None = None) -> ExecutionState:
        """Starts or resumes the execution with a payload, and runs it to rest."""
        self.comes_in(None, {"msisdn": NUMBER, **(payload or {})})
        await self.rest()
        return self.state

    async def answer(self, key: str) -> Reply:
        """What the turn `key` is answered, through as many deaths as there are."""
        while key not in self.disk.answers:
            assert self.run is not None
            assert self.task is not None
            answered = self.run.conversation.answer_to(key)
            await self._first_of(answered, self.task)
            if self.steps.died.is_set():
                self.die()
            elif answered.done():
                return answered.result()
            else:
                self.task.result()
                assert key in self.disk.answers or await self._retries(), f"the turn {key!r} was never answered"
        return self.disk.answers[key]

    async def rest(self) -> None:
        """
        Lets the run go on until it waits for the outside or has ended, through as many deaths and retries as there
        are.
        """
        while self.task is not None:
            await self._first_of(self.task)
            if self.steps.died.is_set():
                self.die()
                continue
            self.task.result()
            assert self.sms.conflicts == []
            if not await self._retries():
                return

    async def elapse(self, seconds: float) -> None:
        """Lets time pass, takes up what is due then, and runs it to rest."""
        await self.rest()
        await asyncio.sleep(seconds)
        state = self.state
        has_commits = bool(state.commits) and self.disk.confirmed is None
        if has_commits or any(wait.expires_at_ms <= now_ms() for wait in state.waits.values()):
            self.take_up()
            await self.rest()

    def take_up(self) -> Run:
        """Begins a run with what the journal has, as any engine could."""
        state = self.state
        state.broken_off |= self.disk.leased
        if self.disk.confirmed is not None:
            if state.session is not None:
                state.session.stale = self.disk.confirmed != state.session.version + len(state.commits)
                state.session.version = self.disk.confirmed
            state.commits.clear()
        if self.program.requires_session and (state.session is None or state.session.stale):
            state.session = self._open()
        self.run = Run(self.program, state, DiskJournal(self.disk, self.steps), self._around)
        for turn in self.disk.left():
            self.run.deliver(turn)
        self.task = asyncio.create_task(self.run.drive())
        return self.run

    async def _retries(self) -> bool:
        """
        Waits for the next attempt of a node that failed, or for what somebody with a phone at the ear waits for, and
        takes the execution up; False when none is to come.
        """
        state = self.state
        kinds = {WaitKind.RETRY} if state.turn_key is None else {WaitKind.RETRY, WaitKind.TIMER}
        due = [wait.expires_at_ms for wait in state.waits.values() if wait.kind in kinds]
        if not due:
            return False
        pause = max(0.0, (min(due) - now_ms()) / 1000)
        self._slept.append(pause)
        await asyncio.sleep(pause)
        self.take_up()
        return True

    def _open(self) -> TurnSession:
        data = {scope: dict(values) for scope, values in self.sessions.data.items()}
        return TurnSession(SESSION, self.program.session_type, NUMBER, self.sessions.version, data)

    def die(self) -> None:
        """The process is gone: its tasks end, nothing they do is kept, and another one goes on."""
        self.deaths += 1
        self.disk.fence += 1
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        self.steps.died.clear()
        self.steps.stop_after = None
        self.take_up()

    async def _first_of(self, *what: asyncio.Future[Any]) -> None:
        died = asyncio.ensure_future(self.steps.died.wait())
        await asyncio.wait({died, *what}, return_when=asyncio.FIRST_COMPLETED)
        died.cancel()

    async def _sleep(self, seconds: float) -> None:
        self._slept.append(seconds)
        await asyncio.sleep(seconds)


class Phone:
    """A person with a phone: dials, types, reads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._text = ""
        self.screen: Reply | None = None

    async def dials(self, shortcut: str = "") -> "Phone":
        """Dials the code; a shortcut is what a longer code carries, such as 1*2."""
        self._text = shortcut
        return await self._calls_back()

    async def types(self, entry: str) -> "Phone":
        """Types an answer."""
        self._text = f"{self._text}*{entry}" if self._text else entry
        return await self._calls_back()

    def sees(self, text: str) -> "Phone":
        """The screen is this, and asks for an answer."""
        assert self.screen == Reply("con", text)
        return self

    def reads_last(self, text: str) -> "Phone":
        """The screen is this, and the session is over."""
        assert self.screen == Reply("end", text)
        return self

    async def _calls_back(self) -> "Phone":
        payload = {"sessionId": SESSION, "msisdn": NUMBER, "serviceCode": "*384*1#", "networkCode": "63902"}
        self._world.comes_in(self._text, {**payload, "text": self._text, "input": ""})
        self.screen = await self._world.answer(self._text)
        return self
