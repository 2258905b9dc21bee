"""
The engine's work: starts and resumes executions, answers callbacks, takes over what another engine left.

Every run that is in memory holds a lease in Redis; every turn is recorded before anything of it runs.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from rpc.deadlines import call_timeout, no_deadline
from rpc.status import CallRefused
from services.engine import ids
from services.engine.adapters.sessions_grpc import SessionsClient
from services.engine.core.conversation import RunBroken
from services.engine.core.ports import LeaseLost, SessionsUnavailable, StoreUnavailable
from services.engine.core.program import Program
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState, Options, Reply, permanent
from services.engine.core.surroundings import Surroundings
from services.engine.errors import (
    EngineBusy,
    ExecutionEnded,
    ExecutionNotFound,
    ExecutionRunning,
    IdempotencyKeyReused,
    InvalidRequest,
    SessionBusy,
    SessionEnded,
    SessionNotFound,
)
from services.engine.programs import Programs
from services.engine.registry import Registry
from services.engine.store import (
    Answered,
    Begun,
    ExecutionStore,
    NoExecution,
    Occupied,
    Queued,
    Stored,
    TakenUp,
)
from services.engine.tracing import Traces
from telemetry import logs
from workflow.errors import NodeFailure
from workflow.phone import normalised
from workflow.session import Scope, TurnSession
from workflow.spec import UssdSettings

ANSWER_POLL_SECONDS = 0.05
"""How often the answer of a turn that another engine runs is looked for."""

SESSION_GRACE_SECONDS = 60
"""A session outlives the time that a person has for an answer by so much."""

DEFAULT_SESSION_SECONDS = 180

SESSION_ID = re.compile(r"[\x21-\x7e]{1,256}")

REHEARSAL = "dry_"
"""What the session id of a dry run begins with, so that it never gets in the way of the real session."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a call says about how to run; None leaves it to the flow."""

    max_active_ms: int | None = None
    continue_on_error: bool | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class UssdCallback:
    """A USSD callback as the adapter read it; `text` is all that was typed, joined by *."""

    session_id: str
    msisdn: str
    service_code: str
    network_code: str
    text: str


@dataclass(frozen=True, slots=True)
class IncomingSms:
    """An SMS as the adapter read it."""

    message_id: str
    msisdn: str
    message: str
    short_code: str
    link_id: str
    network_code: str
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class UssdAnswer:
    """What a USSD callback is answered."""

    reply: Reply
    execution_id: str
    repeated: bool


NOBODY_HERE = Reply("end", "This code is not in service.")
DEFAULT_TEXTS = UssdSettings()


class Executions:
    """See the module. `now_ms` is Unix time."""

    def __init__(
        self,
        store: ExecutionStore,
        programs: Programs,
        registry: Registry,
        sessions: SessionsClient,
        around: Surroundings,
        traces: Traces,
        now_ms: Callable[[], int],
        max_live: int,
        ussd_budget_ms: int,
    ) -> None:
        self._store = store
        self._programs = programs
        self._registry = registry
        self._sessions = sessions
        self._around = around
        self._traces = traces
        self._now_ms = now_ms
        self._max_live = max_live
        self._budget_seconds = ussd_budget_ms / 1000
        self._live: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def execute(
        self,
        program: Program,
        payload: Mapping[str, Any],
        session_id: str | None,
        overrides: Overrides,
        key: tuple[str, str] | None,
    ) -> Stored:
        """
        Starts a flow or resumes the suspended execution of the session; returns when it ended or waits.

        Args:
            key: Idempotency key and digest of the request, None when the call may be repeated freely.
        """
        self._room()
        asked = session_id
        if session_id is None and program.graph.requires_session:
            session_id = _text(payload.get("sessionId"))
        if session_id is not None and not SESSION_ID.fullmatch(session_id):
            raise InvalidRequest("session_id", "a session id has 1 to 256 printable characters and no spaces")
        partition = ids.any_partition() if session_id is None else ids.partition_of_session(session_id)
        if session_id is None and program.graph.requires_session:
            session_id = ids.new_session_id(partition)
        if session_id is not None and overrides.dry_run and not session_id.startswith(REHEARSAL):
            session_id = f"{REHEARSAL}{session_id}"
            partition = ids.partition_of_session(session_id)
        execution_id = ids.new_execution_id(partition)
        if key is not None:
            digest, execution_id = await self._store.claim_key(key[0], key[1], execution_id)
            if digest != key[1]:
                raise IdempotencyKeyReused(key[0])
            if await self._store.read(execution_id) is not None:
                return await self._finished(execution_id)
        if asked is not None and not asked.startswith(REHEARSAL):
            await self._sessions.get(asked, program.graph.workflow_id, frozenset())
        state = self._fresh(program, execution_id, payload, session_id, overrides)
        turn = _turn(None, payload)
        if session_id is not None:
            begun = await self._store.begin_on_session(turn, state)
            return await self._resumed_or_started(begun, program, asked or session_id)
        taken = await self._store.create(turn, state)
        return await self._finished(execution_id) if taken is None else await self._run_to_rest(taken, program)

    async def handle_ussd(self, callback: UssdCallback) -> UssdAnswer:
        """Answers a USSD callback in time, whatever happens to the flow."""
        payload = {
            "sessionId": callback.session_id,
            "msisdn": callback.msisdn,
            "serviceCode": callback.service_code,
            "networkCode": callback.network_code,
            "text": callback.text,
            "input": "",
            "timestamp": _iso(self._now_ms()),
        }
        turn = _turn(callback.text, payload)
        # A first callback is nearly always empty; asking for the flow before every later one would cost a round trip.
        fresh = await self._fresh_ussd(callback, payload) if callback.text == "" else None
        begun = await self._store.begin_ussd_turn(callback.session_id, callback.text, turn, fresh)
        if isinstance(begun, NoExecution) and callback.text != "":
            fresh = await self._fresh_ussd(callback, payload)
            if fresh is not None:
                begun = await self._store.begin_ussd_turn(callback.session_id, callback.text, turn, fresh)
        match begun:
            case Answered(reply, execution_id):
                return UssdAnswer(reply, execution_id, repeated=True)
            case NoExecution() | Occupied():
                return UssdAnswer(NOBODY_HERE, "", repeated=False)
            case Queued():
                return await self._ussd_queued(begun, callback)
        return await self._ussd_taken(begun, callback)

    async def handle_sms(self, sms: IncomingSms) -> str | None:
        """Records an incoming SMS and starts the flow that claims it; returns the execution id, None when none does."""
        payload: dict[str, Any] = {
            "msisdn": sms.msisdn,
            "message": sms.message,
            "messageId": sms.message_id,
            "shortCode": sms.short_code,
            "timestamp": _iso(sms.sent_at_ms),
        }
        payload |= {key: value for key, value in (("linkId", sms.link_id), ("networkCode", sms.network_code)) if value}
        route = await self._registry.route("sms", payload)
        if route is None:
            return None
        self._room()
        partition = ids.partition_of(sms.message_id)
        execution_id = ids.execution_id_for(f"sms:{sms.message_id}", partition)
        needs_session = route.program.graph.requires_session
        session_id = ids.session_id_for(f"sms:{sms.message_id}", partition) if needs_session else None
        state = self._fresh(route.program, execution_id, payload, session_id, Overrides())
        turn = _turn(None, payload)
        if session_id is None:
            begun: Begun | None = await self._store.create(turn, state)
        else:
            begun = await self._store.begin_on_session(turn, state)
        if isinstance(begun, TakenUp):
            self._launch(begun, route.program)
        return execution_id

    async def read(self, execution_id: str) -> Stored:
        """Reads the log of an execution. Raises ExecutionNotFound."""
        stored = await self._store.read(execution_id)
        if stored is None:
            raise ExecutionNotFound(execution_id)
        return stored

    async def cancel(self, execution_id: str) -> Stored:
        """Stops an execution that runs or waits. Raises ExecutionNotFound, ExecutionEnded."""
        stored = await self.read(execution_id)
        if stored.state.ended:
            raise ExecutionEnded(execution_id, stored.state.status)
        run = self._live.get(execution_id)
        if run is not None:
            run.cancel()
        else:
            taken = await self._store.take_up(execution_id)
            if taken is None:
                raise ExecutionRunning(execution_id)
            program = await self._program_of(taken.state)
            run = self._launch(taken, program)
            run.cancel()
        return await self._finished(execution_id)

    async def take_over(self, execution_id: str) -> bool:
        """Goes on with an execution that is due; returns whether it could be taken."""
        if execution_id in self._live or len(self._live) >= self._max_live:
            return False
        taken = await self._store.take_up(execution_id)
        if taken is None:
            return False
        self._launch(taken, await self._program_of(taken.state))
        return True

    def live(self) -> list[str]:
        """Ids of the executions that run in this process."""
        return list(self._live)

    async def drain(self, seconds: float) -> None:
        """Lets what runs go on for so long; what still runs then is left to its lease."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _room(self) -> None:
        if len(self._live) >= self._max_live:
            raise EngineBusy(self._max_live)

    def _fresh(
        self,
        program: Program,
        execution_id: str,
        payload: Mapping[str, Any],
        session_id: str | None,
        overrides: Overrides,
    ) -> ExecutionState:
        settings, handling = program.graph.settings, program.graph.error_handling
        limit = overrides.max_active_ms
        on_error = overrides.continue_on_error
        return ExecutionState(
            execution_id=execution_id,
            workflow_id=program.graph.workflow_id,
            workflow_version=program.graph.workflow_version,
            graph_digest=program.digest,
            started_at_ms=self._now_ms(),
            options=Options(
                max_active_ms=settings.max_execution_time_ms if limit is None else limit,
                continue_on_error=handling.continue_on_error if on_error is None else on_error,
                dry_run=overrides.dry_run,
            ),
            payload=dict(payload),
            session_id=session_id,
        )

    async def _fresh_ussd(self, callback: UssdCallback, payload: Mapping[str, Any]) -> ExecutionState | None:
        route = await self._registry.route("ussd", payload)
        if route is None:
            return None
        self._room()
        execution_id = ids.new_execution_id(ids.partition_of_session(callback.session_id))
        return self._fresh(route.program, execution_id, payload, callback.session_id, Overrides())

    async def _resumed_or_started(self, begun: Begun, program: Program, session_id: str) -> Stored:
        match begun:
            case Occupied(execution_id, workflow_id):
                raise SessionBusy(session_id, execution_id, workflow_id)
            case TakenUp():
                # A resume runs on the version that it started on.
                same = begun.state.graph_digest == program.digest
                return await self._run_to_rest(begun, program if same else await self._program_of(begun.state))
        raise SessionBusy(session_id, "", program.graph.workflow_id)

    def _launch(self, taken: TakenUp, program: Program) -> Run:
        """Runs an execution in the background, free of the deadline of the call that brought it."""
        run = Run(program, taken.state, taken.journal, self._around)
        for turn in taken.turns:
            run.deliver(turn)
        execution_id = taken.state.execution_id
        self._live[execution_id] = run
        with no_deadline():
            self._tasks[execution_id] = asyncio.create_task(self._drive(run), name=f"execution {execution_id}")
        return run

    async def _drive(self, run: Run) -> None:
        state = run.state
        with logs.execution(state.execution_id), self._traces.turn(run):
            try:
                try:
                    await self._ensure_session(run)
                except (SessionEnded, SessionNotFound) as problem:
                    run.give_up(permanent("SESSION_GONE", str(problem)))
                except CallRefused as problem:
                    run.give_up(permanent(problem.refusal.reason, problem.refusal.message))
                await run.drive()
            except LeaseLost as problem:
                run.fail(problem)
                _log.warning("another engine has taken the execution over")
            except (StoreUnavailable, SessionsUnavailable) as problem:
                run.fail(problem)
                _log.warning("the execution stopped and is taken up again later", why=str(problem))
            except Exception as problem:  # noqa: BLE001 - a defect in one run must not end the others
                run.fail(problem)
                _log.exception("the execution met a defect and is taken up again later")
            finally:
                self._live.pop(state.execution_id, None)
                self._tasks.pop(state.execution_id, None)

    async def _ensure_session(self, run: Run) -> None:
        """Opens or reloads the session that the state has none, or an outdated one, of."""
        state, program = run.state, run.program
        if state.session_id is None or (state.session is not None and not state.session.stale):
            return
        workflow_id, scopes = state.workflow_id, program.scopes
        if state.session_id.startswith(REHEARSAL):
            state.session = await self._rehearsed(state, program)
        elif state.session is not None:
            state.session = await self._sessions.get(state.session_id, workflow_id, scopes)
        else:
            seconds = program.trigger_type.session_ttl_seconds(program.trigger.fixed) or DEFAULT_SESSION_SECONDS
            state.session = await self._sessions.open(
                state.session_id,
                program.session_type,
                _phone(state, program),
                seconds + SESSION_GRACE_SECONDS,
                workflow_id,
                scopes,
            )

    async def _rehearsed(self, state: ExecutionState, program: Program) -> TurnSession:
        """Returns the session of a dry run: a copy of the real one where there is one; it is never committed."""
        assert state.session_id is not None
        real = state.session_id.removeprefix(REHEARSAL)
        try:
            session = await self._sessions.get(real, state.workflow_id, program.scopes)
        except (SessionNotFound, SessionEnded):
            return TurnSession(state.session_id, program.session_type, _phone(state, program), 0, {Scope.SESSION: {}})
        session.session_id = state.session_id
        return session

    async def _run_to_rest(self, taken: TakenUp, program: Program) -> Stored:
        is_new = taken.state.turns == 0
        run = self._launch(taken, program)
        await self._over(run.state.execution_id)
        if is_new and not run.broken:
            return Stored(run.state, run.results, ())
        return await self.read(run.state.execution_id)

    async def _finished(self, execution_id: str) -> Stored:
        """Waits for the run in this process, if there is one, and reads where it got to."""
        await self._over(execution_id)
        return await self.read(execution_id)

    async def _over(self, execution_id: str) -> None:
        task = self._tasks.get(execution_id)
        if task is not None:
            # `wait` leaves the task alone when the caller goes away.
            await asyncio.wait([task])

    async def _ussd_taken(self, taken: TakenUp, callback: UssdCallback) -> UssdAnswer:
        try:
            program = await self._program_of(taken.state)
        except StoreUnavailable:
            return self._sorry(DEFAULT_TEXTS.apology, taken.state.execution_id)
        run = self._launch(taken, program)
        return await self._ussd_answer(run, callback)

    async def _ussd_queued(self, queued: Queued, callback: UssdCallback) -> UssdAnswer:
        """The turn is taken by a run that is under way, here or in another engine."""
        run = self._live.get(queued.execution_id) if queued.here else None
        if run is not None:
            if queued.turn is not None:
                run.deliver(queued.turn)
            return await self._ussd_answer(run, callback)
        reply = await self._poll(callback)
        if reply is None:
            return await self._too_slow(callback, DEFAULT_TEXTS.apology, queued.execution_id)
        return UssdAnswer(reply, queued.execution_id, repeated=False)

    async def _ussd_answer(self, run: Run, callback: UssdCallback) -> UssdAnswer:
        apology, execution_id = run.program.graph.settings.ussd.apology, run.state.execution_id
        answer = run.conversation.answer_to(callback.text)
        try:
            async with asyncio.timeout(call_timeout(self._budget_seconds)):
                # Others may wait for the same answer, and the run goes on without us.
                reply = await asyncio.shield(answer)
        except TimeoutError:
            return await self._too_slow(callback, apology, execution_id)
        except RunBroken:
            return self._sorry(apology, execution_id)
        return UssdAnswer(reply, execution_id, repeated=False)

    async def _poll(self, callback: UssdCallback) -> Reply | None:
        try:
            async with asyncio.timeout(call_timeout(self._budget_seconds)):
                while True:
                    reply = await self._store.answer_of(callback.session_id, callback.text)
                    if reply is not None:
                        return reply
                    await self._around.sleep(ANSWER_POLL_SECONDS)
        except TimeoutError:
            return None

    async def _too_slow(self, callback: UssdCallback, apology: str, execution_id: str) -> UssdAnswer:
        """The time is used up: the caller gets an apology, the work goes on."""
        _log.warning("a USSD turn took longer than its time budget", execution_id=execution_id)
        await self._store.close_with(callback.session_id, callback.text, Reply("end", apology))
        return self._sorry(apology, execution_id)

    def _sorry(self, apology: str, execution_id: str) -> UssdAnswer:
        return UssdAnswer(Reply("end", apology), execution_id, repeated=False)

    async def _program_of(self, state: ExecutionState) -> Program:
        program = await self._programs.of_digest(state.graph_digest)
        if program is None:
            raise StoreUnavailable(f"the graph {state.graph_digest} of a running execution is gone")
        return program


def _turn(key: str | None, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": key, "payload": payload}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _phone(state: ExecutionState, program: Program) -> str | None:
    """The phone number of the payload in E.164, None when it has none that can be used."""
    written = state.payload.get("msisdn")
    if not isinstance(written, str):
        return None
    try:
        return normalised(written, program.graph.settings.default_country)
    except NodeFailure:
        return None


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
