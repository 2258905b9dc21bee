"""What Africa's Talking says and asks about airtime."""

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse

from njia.engine.v1.money_pb2 import HandleAirtimeStatusRequest
from services.at_adapter.callbacks.amounts import read_value
from services.at_adapter.callbacks.fields import CallbackFields, UnusableCallback, phone_number, read_fields
from services.at_adapter.callbacks.reporting import Reporting
from services.at_adapter.records.requested import Requested
from storage.connection import StoreUnavailable

_log = structlog.get_logger()


class AirtimeStatusCallback:
    """POST /at/airtime/status: 200 once the engine or the outbox has it, else 503."""

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        report = HandleAirtimeStatusRequest(
            request_id=fields.required("requestId"),
            # Any word is kept: new ones appear without notice.
            status=fields.required("status"),
            msisdn=phone_number(fields.text("phoneNumber")),
            description=fields.text("description").strip(),
        )
        money = read_value(fields.text("value"))
        if money is not None:
            report.currency, report.amount = money.currency, money.amount
        return await self._reporting.answered(report)


class ValidationCallback:
    """
    Answers whether a transaction is ours, before Africa's Talking carries it out: POST /at/airtime/validation.

    Validated where this number and amount were requested within the last ten minutes and no other transaction was
    validated for that request; the same transaction again is. Anything else, and whatever cannot be looked up, is
    Failed: then nothing is given out.
    """

    def __init__(self, requested: Requested) -> None:
        self._requested = requested

    async def __call__(self, request: Request) -> JSONResponse:
        """Always answers; raises BodyTooLarge alone, which is answered 413."""
        try:
            return await self.answer(await read_fields(request))
        except UnusableCallback:
            return answer_validation(is_ours=False)

    async def answer(self, fields: CallbackFields) -> JSONResponse:
        """Answers what was read."""
        try:
            transaction_id, number = fields.required("transactionId"), phone_number(fields.required("phoneNumber"))
            money = read_value(f"{fields.required('currencyCode')} {fields.required('amount')}")
            known = money is not None and await self._requested.validates(transaction_id, number, money)
        except (UnusableCallback, StoreUnavailable) as problem:
            _log.error("a transaction cannot be validated", why=str(problem) or type(problem).__name__)
            known = False
        if not known:
            _log.warning("a transaction was not validated: nobody requested it")
        return answer_validation(is_ours=known)


def answer_validation(*, is_ours: bool) -> JSONResponse:
    """Returns their word for whether a transaction may be carried out."""
    return JSONResponse({"status": "Validated" if is_ours else "Failed"})
