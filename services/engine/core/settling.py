"""
How a turn becomes durable: the journal first, then the session's commit, then the answer.

A commit stands in the journal before it is sent, so that a crash between the two only repeats it; its id makes the
repetition harmless.
"""

import logging
from collections.abc import Sequence

from services.engine.core.ports import CommitRefused, Entry, Journal, Sessions, SessionsUnavailable
from services.engine.core.program import Program
from services.engine.core.state import Commit, ExecutionState, ExecutionStatus, Reply, Turn
from workflow.outcome import WaitKind

USSD = "ussd"

_log = logging.getLogger(__name__)


class Settling:
    """Writes the turns of one run."""

    def __init__(self, program: Program, state: ExecutionState, journal: Journal, sessions: Sessions) -> None:
        self._program = program
        self._state = state
        self._journal = journal
        self._sessions = sessions

    def reply(self) -> Reply | None:
        """Returns what the turn says to the person, None when there is nobody to talk to."""
        texts = self._program.graph.settings.ussd
        state = self._state
        dialled = self._program.session_type == USSD
        if state.status not in (ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED):
            return Reply("end", texts.apology) if dialled else None
        if any(wait.kind is WaitKind.INPUT for wait in state.waits.values()):
            return Reply("con", "\n".join(state.texts))
        if state.texts:
            return Reply("end", "\n".join(state.texts))
        return Reply("end", texts.no_text) if dialled else None

    async def write(self, entry: Entry) -> Sequence[Turn]:
        """Writes the journal in the middle of a turn. Raises LeaseLost, StoreUnavailable."""
        return await self._journal.write(entry)

    async def settle(self, entry: Entry, idle: bool) -> Sequence[Turn]:
        """
        Writes the journal and commits the session. Returns turns that came in meanwhile.

        Args:
            idle: Whether nothing runs any more; a session ends only then, so that nodes behind the last screen can
                still write to it.
        """
        reply, session = self._state.reply, self._state.session
        if idle and session is not None and session.type == USSD and reply is not None and reply.kind == "end":
            session.end()
        self._take_commit(idle)
        turns = await self._journal.write(entry)
        version = await self.commit()
        if idle and version is not None:
            await self._journal.confirm(self._state, version)
        return turns

    async def commit(self) -> int | None:
        """
        Sends the commits of the journal that are not confirmed; what cannot be sent stays for the next time.

        Returns the version of the session when all were sent, None when there was nothing to send or it failed.
        """
        session = self._state.session
        version = None
        while session is not None and self._state.commits:
            try:
                version = await self._sessions.commit(session, self._state.workflow_id, self._state.commits[0])
            except CommitRefused as refusal:
                _log.error("the changes of a turn could not be kept in its session: %s", refusal)
                version = session.version
            except SessionsUnavailable:
                _log.warning("the sessions service does not answer; the commit waits in the journal")
                return None
            self._state.commits.pop(0)
        return version

    def _take_commit(self, idle: bool) -> None:
        session = self._state.session
        if session is None or self._state.options.dry_run:
            return
        session.opened_for_seconds = 0
        ends = session.ended and idle and not self._state.session_ended
        if not (ends or session.ttl_seconds or any(session.changes.values())):
            return
        self._state.commit_count += 1
        self._state.commits.append(
            Commit(
                commit_id=f"{self._state.execution_id}:{self._state.commit_count}",
                changes={scope: list(changes) for scope, changes in session.changes.items() if changes},
                ttl_seconds=session.ttl_seconds,
                end=ends,
            )
        )
        session.changes.clear()
        session.ttl_seconds = 0
        self._state.session_ended |= ends
