"""The session that an execution runs on: opened, reloaded, or made up for a dry run."""

from services.engine import ids
from services.engine.adapters.sessions_grpc import SessionsClient
from services.engine.core.program import Program
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState
from services.engine.errors import SessionEnded, SessionNotFound
from workflow.errors import NodeFailure
from workflow.phone import normalised
from workflow.session import Scope, TurnSession

SESSION_GRACE_SECONDS = 60
"""A session outlives the time that a person has for an answer by so much."""

DEFAULT_SESSION_SECONDS = 180

REHEARSAL = "dry_"
"""What the session id of a dry run begins with, so that it never gets in the way of the real session."""


def new_session(program: Program, execution_id: str, *, dry_run: bool) -> str | None:
    """Returns the id of a new session in the partition of its execution, None where the flow needs none."""
    partition = ids.partition_of_execution(execution_id)
    if not program.graph.requires_session or partition is None:
        return None
    return f"{REHEARSAL if dry_run else ''}{ids.new_session_id(partition)}"


class RunSessions:
    """Gives runs their sessions."""

    def __init__(self, sessions: SessionsClient) -> None:
        self._sessions = sessions

    async def check(self, session_id: str, workflow_id: str) -> None:
        """Raises SessionNotFound, SessionEnded, CallRefused or SessionsUnavailable unless a real session is live."""
        if not session_id.startswith(REHEARSAL):
            await self._sessions.get(session_id, workflow_id, frozenset())

    async def ensure(self, run: Run) -> None:
        """
        Opens or reloads the session that the state has none, or an outdated one, of. What has ended needs none.

        Raises SessionNotFound, SessionEnded, CallRefused, SessionsUnavailable.
        """
        state, program = run.state, run.program
        if state.ended or state.session_id is None or (state.session is not None and not state.session.stale):
            return
        workflow_id, scopes = state.workflow_id, program.scopes
        if state.session_id.startswith(REHEARSAL):
            state.session = await self._rehearsed(state, program)
        elif state.session is not None:
            state.session = await self._sessions.get(state.session_id, workflow_id, scopes)
        else:
            seconds = program.trigger_type.session_ttl_seconds(program.trigger_config) or DEFAULT_SESSION_SECONDS
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


def _phone(state: ExecutionState, program: Program) -> str | None:
    """The phone number of the payload in E.164, None when it has none that can be used."""
    written = state.payload.get("msisdn")
    if not isinstance(written, str):
        return None
    try:
        return normalised(written, program.graph.settings.default_country)
    except NodeFailure:
        return None
