"""
Sessions in Redis: each call is one script (or one command) on the slot of one session, and so one round trip.

Why a hash with one field for each value: a merge then is the HSET of its keys inside of a script that has compared the
version, so no update can be lost and nothing has to be read first. Values are stored as the JSON text that came.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from services.sessions import keys, redis_records as records, rules
from services.sessions.errors import (
    DataTooLarge,
    InvalidSession,
    NoLiveSession,
    SessionEnded,
    SessionNotFound,
    VersionConflict,
)
from services.sessions.listing import Entry, Filter, Page, Position
from services.sessions.redis_erasure import erase
from services.sessions.redis_index import SessionIndex
from services.sessions.session import Commit, DataChange, NewSession, ScopedData, Session, SessionType
from services.sessions.store import Committed, Erased, Opened
from storage.batches import run_in_order
from storage.connection import Client, store_errors
from storage.scripts import Argument, Script, ScriptCall


class RedisSessionStore:
    """See SessionStore."""

    def __init__(self, client: Client, retention_ms: int) -> None:
        self._client = client
        self._retention_ms = retention_ms
        self._index = SessionIndex(client)
        self._open = Script.load(__package__, "prelude", "session", "open")
        self._write = Script.load(__package__, "prelude", "session", "write")
        self._touch = Script.load(__package__, "prelude", "session", "touch")
        self._end = Script.load(__package__, "prelude", "session", "end")
        self._scoped_read = Script.load(__package__, "prelude", "scoped", "scoped_read")
        self._scoped_write = Script.load(__package__, "prelude", "scoped", "scoped_write")

    async def open(self, new: NewSession) -> Opened:
        """See SessionStore.open."""
        rules.check_size(rules.DATA_FIELD, new.data)
        call = self._call(
            self._open, new.session_id, new.type or "", new.msisdn or "", new.ttl_ms, *records.flattened(new.data)
        )
        with store_errors():
            if new.type is None:
                answer = await call.script.run(self._client, call.keys, call.arguments)
            else:
                # The index comes first: a crash in between leaves an entry without a session, which reads ignore.
                entry = Entry(new.session_id, new.type, new.msisdn)
                added = self._index.additions(entry, new.ttl_ms + self._retention_ms)
                answer = (await run_in_order(self._client, [*added, call]))[-1]
        if answer[0] == b"absent":
            raise InvalidSession(rules.TYPE_FIELD, rules.NEEDS_TYPE)
        created, session = _written(new.session_id, answer)
        return Opened(session, created=created == 1)

    async def get(self, session_id: str) -> Session:
        """See SessionStore.get."""
        with store_errors():
            fields: dict[bytes, bytes] = await self._client.hgetall(keys.session(session_id))  # type: ignore[assignment]
        if not fields:
            raise SessionNotFound(session_id)
        return records.session_from_fields(session_id, fields)

    async def find(self, msisdn: str, session_type: SessionType) -> Session:
        """See SessionStore.find."""
        with store_errors():
            session = await self._index.newest(Filter(msisdn, session_type, active=True))
        if session is None:
            raise NoLiveSession(msisdn, session_type)
        return session

    async def page(self, wanted: Filter, page_size: int, after: Position | None) -> Page:
        """See SessionStore.page."""
        with store_errors():
            return await self._index.page(wanted, page_size, after)

    async def update(self, session_id: str, change: DataChange, expected_version: int | None) -> Session:
        """See SessionStore.update."""
        answer = await self._run_write(
            session_id,
            expected_version=expected_version or 0,
            commit_id="",
            ttl_ms=0,
            ends=0,
            needs_msisdn=0,
            changes=records.change_arguments([change]),
        )
        if answer[0] == b"too_large":
            raise DataTooLarge(rules.DATA_FIELD, answer[1], rules.MAX_DATA_BYTES)
        return _written(session_id, answer)[1]

    async def commit(self, session_id: str, commit: Commit) -> Committed:
        """See SessionStore.commit."""
        answer = await self._run_write(
            session_id,
            expected_version=commit.expected_version,
            commit_id=commit.commit_id,
            ttl_ms=commit.moves_expiry_to_ms or 0,
            ends=int(commit.end),
            needs_msisdn=int(bool(commit.scoped)),
            changes=records.change_arguments(commit.changes),
        )
        if answer[0] == b"too_large":
            raise DataTooLarge(rules.CHANGES_FIELD, answer[1], rules.MAX_DATA_BYTES)
        if answer[0] == b"no_msisdn":
            raise InvalidSession(rules.scoped_field(commit.scoped), rules.NEEDS_MSISDN)
        repeated, session = _written(session_id, answer)
        if commit.scoped and session.msisdn is not None:
            # Also after a repeat: the first call may have died before this, and what it did is not done again.
            await self._commit_scoped(session.msisdn, f"{session_id} {commit.commit_id}", commit)
        return Committed(session, repeated=repeated == 1)

    async def touch(self, session_id: str, ttl_ms: int | None) -> Session:
        """See SessionStore.touch."""
        return _written(session_id, await self._run(self._call(self._touch, session_id, ttl_ms or 0)))[1]

    async def end(self, session_id: str) -> Session:
        """See SessionStore.end."""
        return _written(session_id, await self._run(self._call(self._end, session_id, self._retention_ms)))[1]

    async def delete(self, session_id: str) -> bool:
        """See SessionStore.delete."""
        with store_errors():
            # There is no list of commits without a session. What the index knows is ignored by reads.
            return await self._client.unlink(keys.session(session_id), keys.commits(session_id)) > 0

    async def erase(self, msisdn: str) -> Erased:
        """See SessionStore.erase."""
        with store_errors():
            return await erase(self._client, self._index, msisdn)

    async def scoped(self, msisdn: str, workflow_id: str) -> ScopedData:
        """See SessionStore.scoped."""
        with store_errors():
            in_workflow, in_all = await self._scoped_read.run(
                self._client, [keys.in_workflow(msisdn, workflow_id), keys.in_all(msisdn)]
            )
        return ScopedData(records.texts(in_workflow), records.texts(in_all))

    async def _commit_scoped(self, msisdn: str, commit: str, changes: Commit) -> None:
        scoped = changes.scoped
        sets = (
            (rules.WORKFLOW_FIELD, keys.in_workflow(msisdn, scoped.workflow_id), scoped.in_workflow),
            (rules.ALL_FIELD, keys.in_all(msisdn), scoped.in_all),
        )
        written = [(field, self._scoped_writing(key, commit, changes)) for field, key, changes in sets if changes]
        with store_errors():
            answers = await run_in_order(self._client, [call for _, call in written])
        for (field, _), answer in zip(written, answers, strict=True):
            if answer[0] == b"too_large":
                raise DataTooLarge(field, answer[1], rules.MAX_DATA_BYTES)

    def _scoped_writing(self, key: str, commit: str, changes: Sequence[DataChange]) -> ScriptCall:
        return ScriptCall(
            self._scoped_write,
            [key, keys.scoped_commits(key)],
            [
                commit,
                rules.COMMITS_REMEMBERED,
                rules.SCOPED_COMMITS_LIFE_MS,
                rules.MAX_DATA_BYTES,
                *records.scoped_change_arguments(changes),
            ],
        )

    def _call(self, script: Script, session_id: str, *arguments: Argument) -> ScriptCall:
        return ScriptCall(script, [keys.session(session_id), keys.commits(session_id)], arguments)

    async def _run_write(
        self,
        session_id: str,
        *,
        expected_version: int,
        commit_id: str,
        ttl_ms: int,
        ends: int,
        needs_msisdn: int,
        changes: Iterable[str],
    ) -> Sequence[Any]:
        return await self._run(
            self._call(
                self._write,
                session_id,
                expected_version,
                commit_id,
                ttl_ms,
                ends,
                needs_msisdn,
                self._retention_ms,
                rules.MAX_DATA_BYTES,
                rules.COMMITS_REMEMBERED,
                *changes,
            )
        )

    async def _run(self, call: ScriptCall) -> Sequence[Any]:
        with store_errors():
            answer: Sequence[Any] = await call.script.run(self._client, call.keys, call.arguments)
        return answer


def _written(session_id: str, answer: Sequence[Any]) -> tuple[int, Session]:
    """Reads what every script on a session answers: its mark (1: created, or nothing to do) and the session."""
    match answer[0]:
        case b"ok":
            return answer[1], records.session_from_fields(session_id, records.pairs(answer[2]))
        case b"ended":
            raise SessionEnded(session_id)
        case b"conflict":
            raise VersionConflict(session_id, int(answer[1]))
    raise SessionNotFound(session_id)
