"""/control/sms, /control/messages, /control/inbox and /control/blacklist."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import (
    ControlRefused,
    delivery_answer,
    json_answer,
    limit_parameter,
    number_parameter,
    read_document,
)
from emulator.document import Document
from emulator.networks import SANDBOX_NETWORK
from emulator.sms.acceptance import MAX_BLACKLISTED, Acceptance
from emulator.sms.delivery_reports import DeliveryReports
from emulator.sms.incoming import IncomingMessage, IncomingMessages
from emulator.sms.messages import SentMessage, SentMessages


class PhoneSms(Document):
    """Body of an SMS from a phone."""

    sender: Annotated[str, Field(alias="from", min_length=1, max_length=32)]
    to: Annotated[str, Field(min_length=1, max_length=32)]
    text: Annotated[str, Field(max_length=10_000)]
    id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    link_id: Annotated[str, Field(max_length=128)] | None = None
    network_code: Annotated[str, Field(max_length=16)] = SANDBOX_NETWORK


class Delivery(Document):
    """Body of a delivery report; phoneNumber is needed for a message that the emulator does not know."""

    status: Annotated[str, Field(min_length=1, max_length=64)]
    failure_reason: Annotated[str, Field(max_length=64)] | None = None
    network_code: Annotated[str, Field(max_length=16)] = SANDBOX_NETWORK
    retry_count: Annotated[int, Field(ge=0)] | None = None
    phone_number: Annotated[str, Field(max_length=32)] | None = None


class SmsControl:
    """The endpoints."""

    def __init__(
        self, messages: SentMessages, incoming: IncomingMessages, reports: DeliveryReports, acceptance: Acceptance
    ) -> None:
        self._messages = messages
        self._incoming = incoming
        self._reports = reports
        self._acceptance = acceptance

    def routes(self) -> list[Route]:
        """Returns what to mount."""
        return [
            Route("/control/sms", self.send, methods=["POST"]),
            Route("/control/sms/{message_id}", self.show, methods=["GET"]),
            Route("/control/sms/{message_id}/repeat", self.repeat, methods=["POST"]),
            Route("/control/messages", self.messages, methods=["GET"]),
            Route("/control/messages/{message_id}/delivery", self.report, methods=["POST"]),
            Route("/control/inbox/{msisdn}", self.inbox, methods=["GET"]),
            Route("/control/blacklist", self.blacklist, methods=["GET"]),
            Route("/control/blacklist/{msisdn}", self.add_to_blacklist, methods=["PUT"]),
            Route("/control/blacklist/{msisdn}", self.remove_from_blacklist, methods=["DELETE"]),
        ]

    async def send(self, request: Request) -> Response:
        """Answers `POST /control/sms`."""
        sms = await read_document(request, PhoneSms)
        message = await self._incoming.send(
            message_id=sms.id or str(uuid.uuid4()),
            sender=sms.sender,
            to=sms.to,
            text=sms.text,
            sent_at=datetime.now(UTC),
            link_id=sms.link_id,
            network_code=sms.network_code,
        )
        return json_answer(_incoming(message), 201)

    async def show(self, request: Request) -> Response:
        """Answers `GET /control/sms/{id}`."""
        return json_answer(_incoming(self._sent_by_phone(request)))

    async def repeat(self, request: Request) -> Response:
        """Answers `POST /control/sms/{id}/repeat`."""
        message = self._sent_by_phone(request)
        await self._incoming.deliver(message)
        return json_answer(_incoming(message))

    async def messages(self, request: Request) -> Response:
        """Answers `GET /control/messages?to=&limit=`."""
        listed = self._messages.newest(number_parameter(request, "to"), limit_parameter(request, 1_000))
        return json_answer({"messages": [_sent(message) for message in listed]})

    async def inbox(self, request: Request) -> Response:
        """Answers `GET /control/inbox/{msisdn}?limit=`."""
        listed = self._messages.inbox(request.path_params["msisdn"], limit_parameter(request, 100))
        return json_answer({"messages": [_shown(message) for message in listed]})

    async def report(self, request: Request) -> Response:
        """Answers `POST /control/messages/{id}/delivery`."""
        message_id = request.path_params["message_id"]
        delivery = await read_document(request, Delivery)
        message = self._messages.get(message_id)
        number = delivery.phone_number or (message.to if message is not None else None)
        if number is None:
            raise ControlRefused(404, f"there is no message {message_id}; to report on it anyway, give phoneNumber")
        return await delivery_answer(
            self._reports.report(
                message_id,
                number,
                delivery.status,
                failure_reason=delivery.failure_reason,
                network_code=delivery.network_code,
                retry_count=delivery.retry_count,
            )
        )

    async def blacklist(self, _: Request) -> Response:
        """Answers `GET /control/blacklist`."""
        return json_answer({"numbers": sorted(self._acceptance.blacklist)})

    async def add_to_blacklist(self, request: Request) -> Response:
        """Answers `PUT /control/blacklist/{msisdn}`."""
        if len(self._acceptance.blacklist) >= MAX_BLACKLISTED:
            raise ControlRefused(409, f"the blacklist holds {MAX_BLACKLISTED} numbers and no more")
        self._acceptance.blacklist.add(request.path_params["msisdn"])
        return await self.blacklist(request)

    async def remove_from_blacklist(self, request: Request) -> Response:
        """Answers `DELETE /control/blacklist/{msisdn}`."""
        self._acceptance.blacklist.discard(request.path_params["msisdn"])
        return await self.blacklist(request)

    def _sent_by_phone(self, request: Request) -> IncomingMessage:
        message_id = request.path_params["message_id"]
        message = self._incoming.get(message_id)
        if message is None:
            raise ControlRefused(404, f"no phone sent a message {message_id}")
        return message


def _incoming(message: IncomingMessage) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "delivered": message.delivered,
        "attempts": message.attempts,
        "lastStatus": message.last_status,
        "error": message.error,
    }


def _sent(message: SentMessage) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "to": message.to,
        "from": message.sender,
        "text": message.text,
        "acceptedAt": message.accepted_at,
        "status": message.delivery_status or "Accepted",
        "statusCode": message.status_code,
        "enqueue": message.enqueue,
        "parts": message.parts,
        "premium": message.premium,
        "keyword": message.keyword,
        "linkId": message.link_id,
        "retryDurationInHours": message.retry_duration_in_hours,
    }


def _shown(message: SentMessage) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "from": message.sender,
        "text": message.text,
        "receivedAt": message.accepted_at,
        "parts": message.parts,
    }
