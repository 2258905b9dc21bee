"""Sessions: look into them and end them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.answers import message_answer, page_answer
from gateway.calls import answer_of
from gateway.clients import clients_of
from gateway.documents.examples import SESSION
from gateway.documents.sessions import Session, SessionPage
from gateway.parameters import NoQuery, SessionId, SessionQuery
from gateway.responses import BAD_QUERY, NO_SESSION, SERVICE_REFUSALS, answered
from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc.documents import to_document

TYPES = {
    "ussd": pb.SESSION_TYPE_USSD,
    "voice": pb.SESSION_TYPE_VOICE,
    "sms": pb.SESSION_TYPE_SMS,
    "payment": pb.SESSION_TYPE_PAYMENT,
    "other": pb.SESSION_TYPE_OTHER,
}

router = APIRouter(prefix="/api/sessions", tags=["Sessions"])


@router.get(
    "",
    responses={
        200: answered(SessionPage, "A page of sessions.", {"sessions": [SESSION]}),
        **BAD_QUERY,
        **SERVICE_REFUSALS,
    },
)
async def list_sessions(request: Request, query: Annotated[SessionQuery, Query()]) -> Response:
    """Lists sessions, newest first."""
    call = pb.ListSessionsRequest(
        msisdn=query.msisdn,
        type=pb.SESSION_TYPE_UNSPECIFIED if query.type is None else TYPES[query.type],
        active=query.active,
        page_size=query.limit,
        page_token=query.cursor,
    )
    answer = await answer_of(clients_of(request).sessions.ListSessions, call)
    return page_answer("sessions", map(to_document, answer.sessions), answer.next_page_token)


@router.get(
    "/{session_id}",
    responses={200: answered(Session, "The session.", SESSION), **NO_SESSION, **SERVICE_REFUSALS},
)
async def read_session(request: Request, session_id: SessionId) -> Response:
    """Reads a session, live or ended."""
    answer = await answer_of(clients_of(request).sessions.GetSession, pb.GetSessionRequest(session_id=session_id))
    return message_answer(answer.session)


@router.delete(
    "/{session_id}",
    responses={
        200: answered(Session, "The ended session.", SESSION | {"isActive": False}),
        **BAD_QUERY,
        **NO_SESSION,
        **SERVICE_REFUSALS,
    },
)
async def end_session(request: Request, session_id: SessionId, _: Annotated[NoQuery, Query()]) -> Response:
    """Ends a session; it stays readable for a while. Safe to repeat."""
    answer = await answer_of(clients_of(request).sessions.EndSession, pb.EndSessionRequest(session_id=session_id))
    return message_answer(answer.session)
