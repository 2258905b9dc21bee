"""The session that an execution runs on: opened, reloaded, or made up for a dry run."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.engine import ids
from services.engine.adapters.sessions_grpc import SessionsClient
from services.engine.core.program import Program
from services.engine.core.run import Run
from services.engine.core.state import ExecutionState
from services.engine.errors import SessionEnded, SessionNotFound
from workflow.errors import NodeFailure
from workflow.phone import normalised
from workflow.session import DataChange, Scope, TurnSession

SESSION_GRACE_SECONDS = 60
"""A session outlives the time that a person has for an answer by so much."""

DEFAULT_SESSION_SECONDS = 180

REHEARSAL = "dry_"
"""What the session id of a dry run begins with, so that it never gets in the way of the real session."""


def new_session(program: Program, execution_id: str, *, dry_run: bool) -> str | None:
    """Returns the id of a new session in the partition of its execution, None where the flow needs none."""
    partition = ids.partition_of_execution(execution_id)
    if not program.requires_session or partition is None:
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
        Opens the session where the state has none, and reloads what others may have written to meanwhile: an outdated
        session, and the values of the phone number, which every flow may write to. What has ended needs none.

        Raises SessionNotFound, SessionEnded, CallRefused, SessionsUnavailable.
        """
        state, program = run.state, run.program
        if state.ended or state.session_id is None:
            return
        if state.session_id.startswith(REHEARSAL):
            if state.session is None or state.session.stale:
                state.session = await self._rehearsed(state, program)
        elif state.session is None:
            state.session = await self._open(state, program)
        elif state.session.stale:
            state.session = await self._sessions.get(state.session_id, state.workflow_id, program.scopes)
        elif program.scopes:
            await self._catch_up(state, state.session, program)

    async def _open(self, state: ExecutionState, program: Program) -> TurnSession:
        """Opens the session of the state, or joins the one that there is."""
        assert state.session_id is not None
        seconds = program.trigger_type.session_ttl_seconds(program.trigger_config) or DEFAULT_SESSION_SECONDS
        return await self._sessions.open(
            state.session_id,
            program.session_type,
            _phone(state, program),
            seconds + SESSION_GRACE_SECONDS,
            state.workflow_id,
            program.scopes,
        )

    async def _catch_up(self, state: ExecutionState, session: TurnSession, program: Program) -> None:
        """
        Takes over what other flows keep of the phone number by now, below what this one has not committed yet.

        A session that did not live as long as the flow waited is opened again with what it had: without one, what the
        flow writes from now on would be kept nowhere. One that has ended stays as it was.
        """
        try:
            now = await self._sessions.get(session.session_id, state.workflow_id, program.scopes)
        except SessionNotFound:
            now = await self._open(state, program)
            session.version = now.version
            session.changes.setdefault(Scope.SESSION, []).insert(0, DataChange(set=session.data.get(Scope.SESSION, {})))
        except SessionEnded:
            return
        for scope in program.scopes:
            data: Mapping[str, Any] = now.data.get(scope, {})
            for change in (*_uncommitted(state, scope), *session.changes.get(scope, ())):
                data = change.apply(data)
            session.data[scope] = dict(data)

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


def _uncommitted(state: ExecutionState, scope: Scope) -> Iterator[DataChange]:
    """The changes of commits that may not have been applied yet, in order; to apply them twice does no harm."""
    for commit in state.commits:
        yield from commit.changes.get(scope, ())


def _phone(state: ExecutionState, program: Program) -> str | None:
    """The phone number of the payload in E.164, None when it has none that can be used."""
    written = state.payload.get("msisdn")
    if not isinstance(written, str):
        return None
    try:
        return normalised(written, program.graph.settings.default_country)
    except NodeFailure:
        return None
