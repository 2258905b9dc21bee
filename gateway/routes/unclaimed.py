"""What came in and no published flow claimed."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.answers import page_answer
from gateway.calls import answer_of
from gateway.clients import clients_of
from gateway.documents.unclaimed import UnclaimedPage
from gateway.parameters import UnclaimedQuery
from gateway.responses import BAD_QUERY, SERVICE_REFUSALS, answered
from njia.engine.v1 import engine_service_pb2 as pb
from rpc.documents import to_document

EXAMPLE = {
    "channel": "sms",
    "receivedAt": "2026-01-31T08:00:00.000Z",
    "payload": {"msisdn": "+254711000001", "message": "PRCE maize", "shortCode": "22384"},
}

router = APIRouter(prefix="/api/unclaimed", tags=["Registry"])


@router.get(
    "",
    responses={
        200: answered(UnclaimedPage, "A page of what nobody claimed.", {"unclaimed": [EXAMPLE]}),
        **BAD_QUERY,
        **SERVICE_REFUSALS,
    },
)
async def list_unclaimed(request: Request, query: Annotated[UnclaimedQuery, Query()]) -> Response:
    """Lists what came in during the last days and no published flow claimed, newest first."""
    call = pb.ListUnclaimedRequest(channel=query.channel, page_size=query.limit, page_token=query.cursor)
    answer = await answer_of(clients_of(request).engine.ListUnclaimed, call)
    return page_answer("unclaimed", map(to_document, answer.unclaimed), answer.next_page_token)
