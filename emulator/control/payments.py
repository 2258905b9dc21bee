"""/control/payments: what people do with their mobile money."""

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import ControlRefused, json_answer, number_parameter, read_document
from emulator.document import Document
from emulator.money import number
from emulator.payments.payments import C2B, PENDING, AlreadySettled, Payment, Payments


class UserPays(Document):
    """Body of a payment that a user makes of their own accord."""

    sender: Annotated[str, Field(alias="from", min_length=1, max_length=32)]
    amount: Annotated[str, Field(max_length=20)]
    currency: Annotated[str, Field(min_length=3, max_length=3)] = "KES"
    product_name: Annotated[str, Field(max_length=100)] = "shop"
    client_account: Annotated[str, Field(max_length=100)] = ""


class Changes(Document):
    """Body of a notification that is delivered once more: fields that differ, by their names at Africa's Talking."""

    changes: dict[str, Any] = {}  # noqa: RUF012 (a field of a model)


class PaymentsControl:
    """The endpoints."""

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    def routes(self) -> list[Route]:
        """Returns what to mount."""
        return [
            Route("/control/payments", self.list, methods=["GET"]),
            Route("/control/payments", self.pay, methods=["POST"]),
            Route("/control/payments/{transaction_id}/confirm", self.confirm, methods=["POST"]),
            Route("/control/payments/{transaction_id}/reject", self.reject, methods=["POST"]),
            Route("/control/payments/{transaction_id}/notify", self.notify, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Answers `GET /control/payments?of=&pending=true`."""
        found = self._payments.of(number_parameter(request, "of"))
        pending_only = request.query_params.get("pending") == "true"
        listed = [payment for payment in found if not pending_only or payment.status == PENDING]
        return json_answer({"payments": [_listed(payment) for payment in listed]})

    async def pay(self, request: Request) -> Response:
        """Answers `POST /control/payments`."""
        body = await read_document(request, UserPays)
        amount = number(body.amount)
        if amount is None:
            raise ControlRefused(400, "amount: must be a decimal of more than 0")
        payment = Payment(
            C2B, body.sender, body.product_name, body.currency, amount, metadata={}, account=body.client_account
        )
        await self._payments.paid(payment)
        return json_answer(_listed(payment), 201)

    async def confirm(self, request: Request) -> Response:
        """Answers `POST /control/payments/{id}/confirm`."""
        return await self._settle(request, confirmed=True)

    async def reject(self, request: Request) -> Response:
        """Answers `POST /control/payments/{id}/reject`."""
        return await self._settle(request, confirmed=False)

    async def notify(self, request: Request) -> Response:
        """Answers `POST /control/payments/{id}/notify`."""
        changes = (await read_document(request, Changes)).changes
        answer = await self._payments.notify(self._known(request), changes)
        return json_answer({"httpStatus": None if answer is None else answer.status})

    async def _settle(self, request: Request, *, confirmed: bool) -> Response:
        payment = self._known(request)
        try:
            await self._payments.settle(payment, confirmed=confirmed)
        except AlreadySettled:
            raise ControlRefused(409, f"payment {payment.transaction_id} is settled: {payment.status}") from None
        return json_answer(_listed(payment))

    def _known(self, request: Request) -> Payment:
        transaction_id = request.path_params["transaction_id"]
        payment = self._payments.get(transaction_id)
        if payment is None:
            raise ControlRefused(404, f"there is no payment {transaction_id}")
        return payment


def _listed(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.transaction_id,
        "category": payment.category,
        "of": payment.other,
        "account": payment.account,
        "amount": payment.value,
        "productName": payment.product_name,
        "metadata": dict(payment.metadata),
        "status": payment.status,
        "attempts": payment.attempts,
        "taken": payment.taken,
        "idempotencyKey": payment.idempotency_key,
    }
