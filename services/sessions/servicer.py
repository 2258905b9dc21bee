"""The RPCs: unpack, ask the store, pack."""

from typing import Any

import grpc

from njia.sessions.v1 import sessions_service_pb2 as pb
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceServicer
from services.sessions import convert, rules
from services.sessions.errors import NoLiveSession
from services.sessions.session import Session
from services.sessions.store import SessionStore

Context = grpc.aio.ServicerContext[Any, Any]


class SessionServicer(SessionServiceServicer):
    """See njia/sessions/v1/sessions_service.proto. Errors are those of refusals.py."""

    def __init__(self, store: SessionStore, default_ttl_ms: int) -> None:
        self._store = store
        self._default_ttl_ms = default_ttl_ms

    async def OpenSession(self, request: pb.OpenSessionRequest, context: Context) -> pb.OpenSessionResponse:
        """Creates or joins a session."""
        workflow_id = convert.scoped_workflow_from_proto(request)
        opened = await self._store.open(convert.new_session_from_proto(request, self._default_ttl_ms))
        return pb.OpenSessionResponse(
            session=convert.session_to_proto(opened.session),
            created=opened.created,
            scoped=await self._scoped(opened.session, workflow_id),
        )

    async def GetSession(self, request: pb.GetSessionRequest, context: Context) -> pb.GetSessionResponse:
        """Reads a session."""
        workflow_id = convert.scoped_workflow_from_proto(request)
        session = await self._store.get(request.session_id)
        return pb.GetSessionResponse(
            session=convert.session_to_proto(session), scoped=await self._scoped(session, workflow_id)
        )

    async def FindSession(self, request: pb.FindSessionRequest, context: Context) -> pb.FindSessionResponse:
        """Finds the live session of a phone number and type."""
        session_type = convert.type_to_find_from_proto(request)
        if session_type is None:
            raise NoLiveSession(request.msisdn, None)
        session = await self._store.find(request.msisdn, session_type)
        return pb.FindSessionResponse(session=convert.session_to_proto(session))

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Context) -> pb.ListSessionsResponse:
        """Lists sessions."""
        page = await self._store.page(*convert.listing_from_proto(request))
        return pb.ListSessionsResponse(
            sessions=[convert.session_to_proto(session) for session in page.sessions],
            next_page_token=convert.next_page_token(page.next),
        )

    async def UpdateSession(self, request: pb.UpdateSessionRequest, context: Context) -> pb.UpdateSessionResponse:
        """Changes the data of a session."""
        session = await self._store.update(request.session_id, *convert.update_from_proto(request))
        return pb.UpdateSessionResponse(session=convert.session_to_proto(session))

    async def CommitSession(self, request: pb.CommitSessionRequest, context: Context) -> pb.CommitSessionResponse:
        """Applies what a turn did."""
        committed = await self._store.commit(request.session_id, convert.commit_from_proto(request))
        return pb.CommitSessionResponse(
            session=convert.session_to_proto(committed.session), repeated_commit=committed.repeated
        )

    async def TouchSession(self, request: pb.TouchSessionRequest, context: Context) -> pb.TouchSessionResponse:
        """Moves the expiry of a session."""
        session = await self._store.touch(request.session_id, convert.touch_from_proto(request))
        return pb.TouchSessionResponse(session=convert.session_to_proto(session))

    async def EndSession(self, request: pb.EndSessionRequest, context: Context) -> pb.EndSessionResponse:
        """Ends a session."""
        session = await self._store.end(request.session_id)
        return pb.EndSessionResponse(session=convert.session_to_proto(session))

    async def DeleteSession(self, request: pb.DeleteSessionRequest, context: Context) -> pb.DeleteSessionResponse:
        """Removes a session."""
        return pb.DeleteSessionResponse(deleted=await self._store.delete(request.session_id))

    async def EraseMsisdn(self, request: pb.EraseMsisdnRequest, context: Context) -> pb.EraseMsisdnResponse:
        """Removes all that is kept of a phone number."""
        erased = await self._store.erase(rules.check_msisdn("msisdn", request.msisdn))
        return pb.EraseMsisdnResponse(sessions=erased.sessions, value_sets=erased.value_sets)

    async def _scoped(self, session: Session, workflow_id: str | None) -> pb.ScopedData | None:
        if workflow_id is None or session.msisdn is None:
            return None
        return convert.scoped_to_proto(await self._store.scoped(session.msisdn, workflow_id))
