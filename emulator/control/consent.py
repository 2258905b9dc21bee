"""/control/opt-outs and /control/subscriptions: what the network tells of people who leave and join."""

from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.callbacks import CallbackSender, form_callback
from emulator.control.answers import delivery_answer, read_document
from emulator.document import Document

TIMEOUT_SECONDS = 10.0


class OptOut(Document):
    """Body of an opt-out; no senderId means one that names none."""

    phone_number: Annotated[str, Field(min_length=1, max_length=32)]
    sender_id: Annotated[str, Field(max_length=32)] | None = None


class Subscription(Document):
    """Body of a change of a subscription. Both forms of the word are seen in the wild."""

    phone_number: Annotated[str, Field(min_length=1, max_length=32)]
    short_code: Annotated[str, Field(min_length=1, max_length=32)]
    keyword: Annotated[str, Field(max_length=32)] = ""
    update_type: Literal["addition", "deletion", "Addition", "Deletion"]


class ConsentControl:
    """The endpoints."""

    def __init__(self, sender: CallbackSender) -> None:
        self._sender = sender

    def routes(self) -> list[Route]:
        """Returns what to mount."""
        return [
            Route("/control/opt-outs", self.opt_out, methods=["POST"]),
            Route("/control/subscriptions", self.subscription, methods=["POST"]),
        ]

    async def opt_out(self, request: Request) -> Response:
        """Answers `POST /control/opt-outs`."""
        told = await read_document(request, OptOut)
        sender = [] if told.sender_id is None else [("senderId", told.sender_id)]
        return await self._posted("/sms/opt-out", [*sender, ("phoneNumber", told.phone_number)])

    async def subscription(self, request: Request) -> Response:
        """Answers `POST /control/subscriptions`."""
        told = await read_document(request, Subscription)
        form = [("phoneNumber", told.phone_number), ("shortCode", told.short_code), ("keyword", told.keyword)]
        return await self._posted("/sms/subscriptions", [*form, ("updateType", told.update_type)])

    async def _posted(self, path: str, form: list[tuple[str, str]]) -> Response:
        return await delivery_answer(self._sender.post(form_callback(path, form), TIMEOUT_SECONDS))
