"""Sessions in the memory of this process, for tests. One suite runs on this store and on the one in Redis."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from services.sessions import rules
from services.sessions.errors import (
    DataTooLarge,
    InvalidSession,
    NoLiveSession,
    SessionEnded,
    SessionNotFound,
    VersionConflict,
)
from services.sessions.listing import MAX_PAGE_BYTES, Entry, Filter, Page, Position
from services.sessions.memory_values import ValueSet
from services.sessions.session import Commit, Data, DataChange, NewSession, ScopedData, Session, SessionType
from services.sessions.store import Committed, Erased, Opened


@dataclass(slots=True)
class _Kept:
    session: Session
    commits: list[str] = field(default_factory=list)


class MemorySessionStore:
    """See SessionStore. Nothing here waits, so every method is atomic."""

    def __init__(self, retention_ms: int, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._retention_ms = retention_ms
        self._now_ms = now_ms
        self._kept: dict[str, _Kept] = {}
        self._in_workflow: dict[tuple[str, str], ValueSet] = {}
        self._in_all: dict[str, ValueSet] = {}

    async def open(self, new: NewSession) -> Opened:
        """See SessionStore.open."""
        rules.check_size(rules.DATA_FIELD, new.data)
        known = self._readable(new.session_id)
        if known is not None:
            if not known.session.is_active:
                raise SessionEnded(new.session_id)
            return Opened(known.session, created=False)
        if new.type is None:
            raise InvalidSession(rules.TYPE_FIELD, rules.NEEDS_TYPE)
        now = self._now_ms()
        session = Session(
            session_id=new.session_id,
            type=new.type,
            msisdn=new.msisdn,
            data=dict(new.data),
            created_at_ms=now,
            last_activity_at_ms=now,
            expires_at_ms=now + new.ttl_ms,
            ttl_ms=new.ttl_ms,
            is_active=True,
            version=1,
        )
        self._kept[new.session_id] = _Kept(session)
        return Opened(session, created=True)

    async def get(self, session_id: str) -> Session:
        """See SessionStore.get."""
        return self._known(session_id).session

    async def find(self, msisdn: str, session_type: SessionType) -> Session:
        """See SessionStore.find."""
        page = await self.page(Filter(msisdn, session_type, active=True), 1, None)
        if not page.sessions:
            raise NoLiveSession(msisdn, session_type)
        return page.sessions[0]

    async def page(self, wanted: Filter, page_size: int, after: Position | None) -> Page:
        """See SessionStore.page."""
        readable = [kept.session for kept in map(self._readable, tuple(self._kept)) if kept is not None]
        matching = sorted((_place(session) for session in readable if wanted.matches(session)), reverse=True)
        found: list[Session] = []
        data_bytes = 0
        last = after
        for created_at_ms, entry in matching:
            position = Position(created_at_ms, entry.decode())
            if after is not None and not after.is_before(position):
                continue
            session = self._kept[Entry.parse(position.entry).session_id].session
            data_bytes += rules.size_bytes(session.data)
            if found and (len(found) == page_size or data_bytes > MAX_PAGE_BYTES):
                return Page(found, last)
            found.append(session)
            last = position
        return Page(found, None)

    async def update(self, session_id: str, change: DataChange, expected_version: int | None) -> Session:
        """See SessionStore.update."""
        kept = self._writable(session_id, expected_version)
        data = _checked(rules.DATA_FIELD, rules.changed(kept.session.data, [change]))
        return _write(kept, data, self._now_ms(), kept.session.expires_at_ms, is_active=True)

    async def commit(self, session_id: str, commit: Commit) -> Committed:
        """See SessionStore.commit."""
        kept = self._known(session_id)
        repeated = commit.commit_id in kept.commits
        if not repeated:
            self._commit(session_id, commit)
        msisdn = kept.session.msisdn
        if commit.scoped and msisdn is not None:
            self._commit_scoped(msisdn, f"{session_id} {commit.commit_id}", commit)
        return Committed(kept.session, repeated)

    async def touch(self, session_id: str, ttl_ms: int | None) -> Session:
        """See SessionStore.touch."""
        kept = self._writable(session_id, None)
        now = self._now_ms()
        life_ms = kept.session.ttl_ms if ttl_ms is None else ttl_ms
        kept.session = replace(kept.session, last_activity_at_ms=now, expires_at_ms=now + life_ms)
        return kept.session

    async def end(self, session_id: str) -> Session:
        """See SessionStore.end."""
        kept = self._known(session_id)
        if not kept.session.is_active:
            return kept.session
        return _write(kept, kept.session.data, self._now_ms(), kept.session.expires_at_ms, is_active=False)

    async def delete(self, session_id: str) -> bool:
        """See SessionStore.delete."""
        if self._readable(session_id) is None:
            return False
        del self._kept[session_id]
        return True

    async def erase(self, msisdn: str) -> Erased:
        """See SessionStore.erase."""
        gone = [name for name in list(self._kept) if (it := self._readable(name)) and it.session.msisdn == msisdn]
        for session_id in gone:
            del self._kept[session_id]
        now = self._now_ms()
        sets = [self._in_workflow.pop(key) for key in list(self._in_workflow) if key[0] == msisdn]
        sets += [self._in_all.pop(msisdn)] if msisdn in self._in_all else []
        return Erased(len(gone), sum(bool(it.living(now)) for it in sets))

    async def scoped(self, msisdn: str, workflow_id: str) -> ScopedData:
        """See SessionStore.scoped."""
        now = self._now_ms()
        in_workflow = self._in_workflow.get((msisdn, workflow_id), ValueSet())
        return ScopedData(in_workflow.living(now), self._in_all.get(msisdn, ValueSet()).living(now))

    def _commit(self, session_id: str, commit: Commit) -> None:
        kept = self._writable(session_id, commit.expected_version)
        if commit.scoped and kept.session.msisdn is None:
            raise InvalidSession(rules.scoped_field(commit.scoped), rules.NEEDS_MSISDN)
        data = _checked(rules.CHANGES_FIELD, rules.changed(kept.session.data, commit.changes))
        moves_to_ms = commit.moves_expiry_to_ms
        now = self._now_ms()
        expires_at_ms = kept.session.expires_at_ms if moves_to_ms is None else now + moves_to_ms
        kept.commits.insert(0, commit.commit_id)
        del kept.commits[rules.COMMITS_REMEMBERED :]
        _write(kept, data, now, expires_at_ms, is_active=not commit.end)

    def _commit_scoped(self, msisdn: str, commit_id: str, commit: Commit) -> None:
        scoped = commit.scoped
        now = self._now_ms()
        too_large: DataTooLarge | None = None
        if scoped.in_workflow:
            values = self._in_workflow.setdefault((msisdn, scoped.workflow_id), ValueSet())
            too_large = values.commit(rules.WORKFLOW_FIELD, commit_id, scoped.in_workflow, now)
        if scoped.in_all:
            values = self._in_all.setdefault(msisdn, ValueSet())
            too_large = values.commit(rules.ALL_FIELD, commit_id, scoped.in_all, now) or too_large
        if too_large is not None:
            raise too_large

    def _readable(self, session_id: str) -> _Kept | None:
        kept = self._kept.get(session_id)
        if kept is None:
            return None
        until_ms = kept.session.expires_at_ms + (0 if kept.session.is_active else self._retention_ms)
        if self._now_ms() < until_ms:
            return kept
        del self._kept[session_id]
        return None

    def _known(self, session_id: str) -> _Kept:
        kept = self._readable(session_id)
        if kept is None:
            raise SessionNotFound(session_id)
        return kept

    def _writable(self, session_id: str, expected_version: int | None) -> _Kept:
        kept = self._known(session_id)
        if not kept.session.is_active:
            raise SessionEnded(session_id)
        if expected_version not in (None, kept.session.version):
            raise VersionConflict(session_id, kept.session.version)
        return kept


def _write(kept: _Kept, data: Data, now_ms: int, expires_at_ms: int, *, is_active: bool) -> Session:
    kept.session = replace(
        kept.session,
        data=data,
        last_activity_at_ms=now_ms,
        expires_at_ms=expires_at_ms,
        is_active=is_active,
        version=kept.session.version + 1,
    )
    return kept.session


def _place(session: Session) -> tuple[int, bytes]:
    return session.created_at_ms, str(Entry.of(session)).encode()


def _checked(field_name: str, data: Data) -> Data:
    rules.check_size(field_name, data)
    return data
