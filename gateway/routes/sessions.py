"""Sessions: look into them and end them."""

from typing import Any

from fastapi import APIRouter, Request, Response

from gateway import queries
from gateway.answers import json_answer, message_answer
from gateway.calls import CALL_SECONDS, answer_of
from gateway.clients import Clients
from njia.sessions.v1 import sessions_service_pb2 as pb
from rpc.documents import to_document

TYPES = {
    "ussd": pb.SESSION_TYPE_USSD,
    "voice": pb.SESSION_TYPE_VOICE,
    "sms": pb.SESSION_TYPE_SMS,
    "payment": pb.SESSION_TYPE_PAYMENT,
    "other": pb.SESSION_TYPE_OTHER,
}

router = APIRouter(prefix="/api/sessions")


@router.get("", response_model=None)
async def list_sessions(request: Request) -> Response:
    """Lists sessions, newest first."""
    queries.check_names(request, ("msisdn", "type", "active", "limit", "cursor"))
    kind = queries.choice(request, "type", TYPES)
    active = queries.choice(request, "active", ("true", "false"))
    call = pb.ListSessionsRequest(
        # A + that was not escaped arrives as a space.
        msisdn=request.query_params.get("msisdn", "").replace(" ", "+"),
        type=pb.SESSION_TYPE_UNSPECIFIED if kind is None else TYPES[kind],
        page_size=queries.limit(request),
        page_token=request.query_params.get("cursor", ""),
    )
    if active is not None:
        call.active = active == "true"
    answer = await answer_of(_clients(request).sessions.ListSessions(call, timeout=CALL_SECONDS))
    page: dict[str, Any] = {"sessions": [to_document(session) for session in answer.sessions]}
    if answer.next_page_token:
        page["nextCursor"] = answer.next_page_token
    return json_answer(page)


@router.get("/{session_id}", response_model=None)
async def read(request: Request, session_id: str) -> Response:
    """Reads a session, live or ended."""
    call = _clients(request).sessions.GetSession(pb.GetSessionRequest(session_id=session_id), timeout=CALL_SECONDS)
    return message_answer((await answer_of(call)).session)


@router.delete("/{session_id}", response_model=None)
async def end(request: Request, session_id: str) -> Response:
    """Ends a session; it stays readable for a while."""
    call = _clients(request).sessions.EndSession(pb.EndSessionRequest(session_id=session_id), timeout=CALL_SECONDS)
    return message_answer((await answer_of(call)).session)


def _clients(request: Request) -> Clients:
    clients: Clients = request.app.state.clients
    return clients
