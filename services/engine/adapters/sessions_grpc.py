"""Opens and commits sessions through the sessions service."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import grpc
import orjson

from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc.deadlines import call_timeout
from rpc.status import CallRefused, refusal_of
from services.engine.core.ports import CommitRefused, SessionsUnavailable
from services.engine.core.state import Commit
from services.engine.errors import SessionEnded, SessionNotFound
from workflow.session import DataChange, Scope, TurnSession

if TYPE_CHECKING:
    from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceAsyncStub

CALL_SECONDS = 3.0
ERASE_SECONDS = 60.0
"""Every key of the store may have to be looked at."""

MAX_CONFLICTS = 10
"""A commit that lost so many races in a row is left to the journal."""

TYPES = {
    "ussd": pb.SESSION_TYPE_USSD,
    "voice": pb.SESSION_TYPE_VOICE,
    "sms": pb.SESSION_TYPE_SMS,
    "payment": pb.SESSION_TYPE_PAYMENT,
    "other": pb.SESSION_TYPE_OTHER,
}
_NAMES = {number: name for name, number in TYPES.items()}


class SessionsClient:
    """See services.engine.core.ports.Sessions; opens and reads sessions besides."""

    def __init__(self, stub: "SessionServiceAsyncStub") -> None:
        self._stub = stub

    async def open(
        self,
        session_id: str,
        kind: str,
        msisdn: str | None,
        ttl_seconds: int,
        workflow_id: str,
        scopes: frozenset[Scope],
    ) -> TurnSession:
        """Creates or joins a session. Raises SessionEnded, CallRefused, SessionsUnavailable."""
        request = pb.OpenSessionRequest(
            session_id=session_id,
            type=TYPES[kind],
            ttl_seconds=ttl_seconds,
            scoped_workflow_id=workflow_id if scopes else "",
        )
        if msisdn is not None:
            request.msisdn = msisdn
        try:
            response = await self._stub.OpenSession(request, timeout=call_timeout(CALL_SECONDS))
        except grpc.aio.AioRpcError as error:
            if refusal_of(error).reason == "SESSION_ENDED":
                raise SessionEnded(session_id) from None
            raise _failure(error) from None
        session = _from_proto(response.session, response.scoped, scopes)
        session.opened_for_seconds = ttl_seconds if response.created else 0
        return session

    async def get(self, session_id: str, workflow_id: str, scopes: frozenset[Scope]) -> TurnSession:
        """Reads a live session. Raises SessionNotFound, SessionEnded, CallRefused, SessionsUnavailable."""
        request = pb.GetSessionRequest(session_id=session_id, scoped_workflow_id=workflow_id if scopes else "")
        try:
            response = await self._stub.GetSession(request, timeout=call_timeout(CALL_SECONDS))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise SessionNotFound(session_id) from None
            raise _failure(error) from None
        if not response.session.is_active:
            raise SessionEnded(session_id)
        return _from_proto(response.session, response.scoped, scopes)

    async def commit(self, session: TurnSession, workflow_id: str, commit: Commit) -> int:
        request = pb.CommitSessionRequest(
            session_id=session.session_id,
            commit_id=commit.commit_id,
            changes=_changes(commit.changes.get(Scope.SESSION, ())),
            ttl_seconds=commit.ttl_seconds,
            end=commit.end,
            workflow_id=workflow_id,
            workflow_changes=_changes(commit.changes.get(Scope.WORKFLOW, ())),
            global_changes=_changes(commit.changes.get(Scope.GLOBAL, ())),
        )
        for _ in range(MAX_CONFLICTS):
            request.expected_version = session.version
            try:
                response = await self._stub.CommitSession(request, timeout=call_timeout(CALL_SECONDS))
            except grpc.aio.AioRpcError as error:
                match error.code():
                    case grpc.StatusCode.ABORTED:
                        await self._catch_up(session, commit)
                        continue
                    case (
                        grpc.StatusCode.NOT_FOUND
                        | grpc.StatusCode.FAILED_PRECONDITION
                        | grpc.StatusCode.INVALID_ARGUMENT
                    ):
                        raise CommitRefused(str(error.details())) from None
                raise _unavailable(error) from None
            session.version = response.session.version
            return session.version
        raise SessionsUnavailable(f"{MAX_CONFLICTS} conflicts in a row")

    async def erase(self, msisdn: str) -> tuple[int, int]:
        """
        Erases the sessions of a number and the values that flows keep of it; returns how many of each.

        Raises CallRefused, SessionsUnavailable.
        """
        try:
            answer = await self._stub.EraseMsisdn(
                pb.EraseMsisdnRequest(msisdn=msisdn), timeout=call_timeout(ERASE_SECONDS)
            )
        except grpc.aio.AioRpcError as error:
            raise _failure(error) from None
        return answer.sessions, answer.value_sets

    async def _catch_up(self, session: TurnSession, commit: Commit) -> None:
        """Takes over what others wrote; the changes of the commit, and of the turn since, stay on top."""
        try:
            response = await self._stub.GetSession(
                pb.GetSessionRequest(session_id=session.session_id), timeout=call_timeout(CALL_SECONDS)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise CommitRefused(str(error.details())) from None
            raise _unavailable(error) from None
        data = _values(response.session.data_json)
        for change in (*commit.changes.get(Scope.SESSION, ()), *session.changes.get(Scope.SESSION, ())):
            data = change.apply(data)
        session.data[Scope.SESSION] = data
        session.version = response.session.version


def _failure(error: grpc.aio.AioRpcError) -> Exception:
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        return CallRefused(refusal_of(error))
    return _unavailable(error)


def _unavailable(error: grpc.aio.AioRpcError) -> SessionsUnavailable:
    return SessionsUnavailable(f"the sessions service: {error.details()}")


def _changes(changes: Sequence[DataChange]) -> list[pb.DataChange]:
    return [
        pb.DataChange(
            clear=change.clear,
            set_json=_document(change.set),
            set_if_absent_json=_document(change.set_if_absent),
            ttl_seconds=change.ttl_seconds,
        )
        for change in changes
    ]


def _document(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values).decode() if values else ""


def _from_proto(message: pb.Session, scoped: pb.ScopedData, scopes: frozenset[Scope]) -> TurnSession:
    data = {Scope.SESSION: _values(message.data_json)}
    if Scope.WORKFLOW in scopes:
        data[Scope.WORKFLOW] = _values(scoped.workflow_json)
    if Scope.GLOBAL in scopes:
        data[Scope.GLOBAL] = _values(scoped.global_json)
    return TurnSession(
        session_id=message.session_id,
        type=_NAMES.get(message.type, "other"),
        msisdn=message.msisdn if message.HasField("msisdn") else None,
        version=message.version,
        data=data,
    )


def _values(document: str) -> dict[str, Any]:
    return dict(orjson.loads(document)) if document else {}
