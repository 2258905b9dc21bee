"""What operators ask for: the audit log, and the erasure of what is known of a person."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from gateway.answers import message_answer, page_answer
from gateway.calls import answer_of
from gateway.clients import clients_of
from gateway.documents.admin import AuditPage, ErasedSubject
from gateway.parameters import NoQuery, PageQuery
from gateway.responses import BAD_QUERY, SERVICE_REFUSALS, answered
from njia.engine.v1 import admin_service_pb2 as pb
from rpc.documents import to_document

ERASE_SECONDS = 60.0
"""Every execution that is kept is looked at."""

ENTRY = {
    "at": "2026-01-31T08:00:00.000Z",
    "who": "deployment",
    "action": "workflow.publish",
    "subject": "greeting version 3",
}
ERASED = {"executions": 12, "left": 0, "sessions": 2, "valueSets": 1, "unclaimed": 0}

router = APIRouter(prefix="/api", tags=["Operations"])


@router.get(
    "/audit",
    responses={200: answered(AuditPage, "A page of the log.", {"entries": [ENTRY]}), **BAD_QUERY, **SERVICE_REFUSALS},
)
async def list_audit(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    """Lists who published, deleted, cancelled, ended and erased what, newest first."""
    call = pb.ListAuditRequest(page_size=query.limit, page_token=query.cursor)
    answer = await answer_of(clients_of(request).admin.ListAudit, call)
    return page_answer("entries", map(to_document, answer.entries), answer.next_page_token)


@router.delete(
    "/subjects/{msisdn}",
    responses={
        200: answered(ErasedSubject, "What was erased.", ERASED),
        **BAD_QUERY,
        **SERVICE_REFUSALS,
    },
)
async def erase_subject(
    request: Request,
    msisdn: Annotated[str, Path(description="Phone number in E.164; write its plus sign as %2B.")],
    _: Annotated[NoQuery, Query()],
) -> Response:
    """
    Erases what is kept of a phone number: sessions, values, executions that name it, what nobody claimed.

    Executions that run are cancelled. Safe to repeat, and to be repeated while `left` is not 0.
    """
    call = pb.EraseSubjectRequest(msisdn=msisdn)
    erased = await answer_of(clients_of(request).admin.EraseSubject, call, ERASE_SECONDS)
    return message_answer(erased)
