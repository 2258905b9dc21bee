"""/control/airtime."""

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.airtime.sent import SentAirtime, SentAirtimes
from emulator.control.answers import ControlRefused, delivery_answer, json_answer, number_parameter, read_document
from emulator.document import Document


class AirtimeStatus(Document):
    """Body of a status that is to be reported."""

    status: Annotated[str, Field(min_length=1, max_length=64)]
    description: Annotated[str, Field(max_length=200)] | None = None


class AirtimeControl:
    """The endpoints."""

    def __init__(self, sent: SentAirtimes) -> None:
        self._sent = sent

    def routes(self) -> list[Route]:
        """Returns what to mount."""
        return [
            Route("/control/airtime", self.list, methods=["GET"]),
            Route("/control/airtime/{request_id}/status", self.report, methods=["POST"]),
            Route("/control/airtime/{request_id}/validate", self.validate, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Answers `GET /control/airtime?to=`."""
        return json_answer({"airtime": [_listed(sent) for sent in self._sent.to(number_parameter(request, "to"))]})

    async def report(self, request: Request) -> Response:
        """Answers `POST /control/airtime/{id}/status`."""
        body = await read_document(request, AirtimeStatus)
        return await delivery_answer(self._sent.report(self._known(request), body.status, body.description))

    async def validate(self, request: Request) -> Response:
        """Answers `POST /control/airtime/{id}/validate`."""
        return json_answer({"validated": await self._sent.validated(self._known(request))})

    def _known(self, request: Request) -> SentAirtime:
        request_id = request.path_params["request_id"]
        sent = self._sent.get(request_id)
        if sent is None:
            raise ControlRefused(404, f"there is no airtime {request_id}")
        return sent


def _listed(sent: SentAirtime) -> dict[str, Any]:
    return {
        "id": sent.request_id,
        "to": sent.number,
        "amount": sent.value,
        "status": sent.status,
        "idempotencyKey": sent.idempotency_key,
        "acceptedAt": sent.accepted_at,
    }
