"""
How a turn becomes durable: the journal first, then the session's commit, then the answer.

A commit stands in the journal before it is sent, so that a crash between the two only repeats it; its id makes the
repetition harmless.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from services.engine.core import failing
from services.engine.core.ports import (
    CommitRefused,
    Entry,
    Journal,
    Sessions,
    SessionsUnavailable,
    Unsettled,
)
from services.engine.core.program import Program
from services.engine.core.state import Commit, ExecutionState, ExecutionStatus, NodeResult, Reply, Turn, Waiting
from workflow.outcome import WaitKind
from workflow.session import USSD
from workflow.voice import VOICE, Say, spoken

LONGEST_SAT_OUT_MS = 8000
"""A screen behind a longer pause is not waited for: no network lets a person wait so long."""

_log = logging.getLogger(__name__)


class Settling:
    """
    Writes the turns of one run.

    Attributes:
        results: What nodes answered since the run began, oldest first.
        has_unsaved_effect: Whether an effect must not begin before the journal is written: it may build on another
            one, or on a decision that could be made otherwise after a crash.
    """

    def __init__(self, program: Program, state: ExecutionState, journal: Journal, sessions: Sessions) -> None:
        self.results: list[NodeResult] = []
        self.has_unsaved_effect = False
        self._program = program
        self._state = state
        self._journal = journal
        self._sessions = sessions
        self._unsaved: list[NodeResult] = []
        self._correlations: list[str] = []
        self._unsettled: list[Unsettled] = []
        self._writing = asyncio.Lock()
        self._failure: Exception | None = None

    def note(self, result: NodeResult) -> None:
        """Takes what a node answered into the next write."""
        self.results.append(result)
        self._unsaved.append(result)

    def note_attempt(self, result: NodeResult) -> None:
        """Takes an attempt of a node with effects into the next write, which comes before its next attempt."""
        self.note(result)
        self.has_unsaved_effect = True

    def correlate(self, names: Sequence[str]) -> None:
        """Takes ids by which the outside reports back into the next write."""
        self._correlations.extend(names)

    def watch(self, unsettled: Sequence[Unsettled]) -> None:
        """Takes names by which the outside may report an effect whose outcome is unknown into the next write."""
        self._unsettled.extend(unsettled)

    async def save_effects(self) -> Sequence[Turn]:
        """Makes what other effects came to durable before a new effect may build on it; returns turns that came in."""
        if not (self.has_unsaved_effect or self._writing.locked()):
            return ()
        # The write goes on when the node is cancelled: what it carries would be lost.
        return await asyncio.shield(self._write_effects())

    async def write(self) -> None:
        """Makes all that happened so far durable, in the middle of a turn. Raises LeaseLost, StoreUnavailable."""
        async with self._writing:
            await self._put(self._entry(None, released=False))

    async def settle(self, *, idle: bool, has_turns: bool) -> tuple[Sequence[Turn], str | None, bool]:
        """
        Makes the state durable, with the answer of the turn under way where there is one, and commits the session.

        Args:
            idle: Whether nothing runs any more; a session ends only then, so that nodes behind the last screen can
                still write to it.
            has_turns: Whether turns wait in memory; then the lease is kept.

        Returns:
            Turns that came in meanwhile, key of the turn that is answered now, and whether the lease was given up.

        Raises:
            LeaseLost: Another engine has taken over.
            StoreUnavailable: The journal could not be written.
        """
        async with self._writing:
            answered = self._answer()
            self._end_session_with_screen(idle)
            self._take_commit(idle)
            if idle:
                self._state.broken_off = False
            entry = self._entry(answered, released=idle and not has_turns)
            turns = await self._put(entry)
            version = await self.commit()
            if idle and version is not None:
                await self._journal.confirm(self._state, version)
        return turns, answered, entry.released and not turns

    async def written(self) -> None:
        """Returns when the writes that were begun are over."""
        async with self._writing:
            pass

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
                # A session that is gone by itself needs no end.
                if any(self._state.commits[0].changes.values()):
                    _log.error("the changes of a turn could not be kept in its session: %s", refusal)
                version = session.version
            except SessionsUnavailable:
                _log.warning("the sessions service does not answer; the commit waits in the journal")
                return None
            self._state.commits.pop(0)
        return version

    async def _write_effects(self) -> Sequence[Turn]:
        async with self._writing:
            if self._failure is None and not self.has_unsaved_effect:
                return ()
            return await self._put(self._entry(None, released=False))

    async def _put(self, entry: Entry) -> Sequence[Turn]:
        """Writes; once that has failed, it fails for good: what is behind it would stand in the log without it."""
        if self._failure is not None:
            raise self._failure
        try:
            return await self._journal.write(entry)
        except Exception as problem:
            self._failure = problem
            raise

    def _entry(self, answered: str | None, *, released: bool) -> Entry:
        results, self._unsaved = self._unsaved, []
        correlations, self._correlations = self._correlations, []
        # A wait may be over before it was ever written: its execution failed, or the report was there already.
        unsettled = [watched for watched in self._unsettled if self._awaits_word_of(watched.node_id)]
        self._unsettled = []
        self.has_unsaved_effect = False
        follow_at_ms = failing.follows_at_ms(self._program, self._state) if released else None
        return Entry(self._state, results, answered, correlations, unsettled, released, follow_at_ms)

    def _awaits_word_of(self, node_id: str) -> bool:
        wait = self._state.waits.get(node_id)
        return wait is not None and wait.kind is WaitKind.SETTLEMENT

    def _answer(self) -> str | None:
        """Gives the turn under way its answer, unless it has one or must wait for it; returns the turn's key."""
        state = self._state
        if state.ended and state.reply is not None and state.reply.kind == "con":
            state.reply = None
        if state.reply is not None or owes_answer(state, self._program) or _has_nothing_to_say_yet(state):
            return None
        key, state.turn_key = state.turn_key, None
        reply = self._reply()
        state.reply = replace(reply, turn=key or "") if reply is not None and reply.actions else reply
        return key

    def _reply(self) -> Reply | None:
        """What the turn says to the person, None when there is nobody to talk to."""
        texts = self._program.graph.settings.ussd
        state = self._state
        dialled = self._program.session_type == USSD
        calls = self._program.session_type == VOICE or state.line is not None
        if state.status not in (ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED):
            if calls:
                return Reply("end", texts.apology, (Say(texts.apology),))
            return Reply("end", texts.apology) if dialled else None
        actions = tuple(state.actions)
        said = "\n".join([*state.texts, *filter(None, map(spoken, actions))])
        if any(wait.kind is WaitKind.INPUT for wait in state.waits.values()):
            return Reply("con", said, actions)
        # In a call there need be no last word: the network hangs up.
        if said or actions or calls:
            return Reply("end", said, actions)
        return Reply("end", texts.no_text) if dialled else None

    def _end_session_with_screen(self, idle: bool) -> None:
        reply, session = self._state.reply, self._state.session
        # Nodes behind a pause may write to it too.
        is_over = idle and not self._state.waits
        is_call = session is not None and session.type in (USSD, VOICE)
        if is_over and session is not None and is_call and reply is not None and reply.kind == "end":
            session.end()

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


def _has_nothing_to_say_yet(state: ExecutionState) -> bool:
    """Whether nobody waits for a screen, and what there may be to say comes behind a timer."""
    return (
        state.turn_key is None
        and bool(state.waits)
        and not (state.texts or state.actions)
        and not any(wait.kind is WaitKind.INPUT for wait in state.waits.values())
    )


def _may_be_sat_out(wait: Waiting) -> bool:
    """Whether a person with the phone at the ear waits for it: for a timer only if it is short."""
    if wait.kind is WaitKind.TIMER:
        return wait.expires_at_ms - wait.since_ms <= LONGEST_SAT_OUT_MS
    return wait.kind in (WaitKind.RETRY, WaitKind.SETTLEMENT)


def owes_answer(state: ExecutionState, program: Program) -> bool:
    """Whether a person waits for a screen that a node ahead can still show once a pause is over."""
    return (
        state.turn_key is not None
        and state.reply is None
        and not state.ended
        and any(_may_be_sat_out(wait) and program.nodes[node_id].shows_ahead for node_id, wait in state.waits.items())
    )
