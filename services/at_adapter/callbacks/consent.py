"""Opt-outs and subscriptions."""

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from services.at_adapter.callbacks.fields import phone_number, read_fields
from services.at_adapter.consent.opt_outs import OptOuts
from services.at_adapter.consent.subscriptions import ADDITION, Subscriptions
from storage.connection import StoreUnavailable
from telemetry.masking import mask_msisdn

_log = structlog.get_logger()


class OptOutCallback:
    """POST /at/sms/opt-out: 200 once it is kept, else 503. One that names no sender holds for all."""

    def __init__(self, opt_outs: OptOuts) -> None:
        self._opt_outs = opt_outs

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        number, sender = phone_number(fields.required("phoneNumber")), fields.optional("senderId")
        try:
            await self._opt_outs.add(sender, number)
        except StoreUnavailable as problem:
            _log.error("an opt-out is lost", msisdn=mask_msisdn(number), sender=sender, why=problem.why)
            return PlainTextResponse("not recorded, please repeat", 503)
        _log.info("somebody opted out", msisdn=mask_msisdn(number), sender=sender)
        return PlainTextResponse("OK")


class SubscriptionCallback:
    """
    POST /at/sms/subscriptions: 200 once it is kept, else 503.

    Who subscribes to a product of a short code asks for its messages, so an opt-out of that short code is lifted.
    """

    def __init__(self, subscriptions: Subscriptions, opt_outs: OptOuts) -> None:
        self._subscriptions = subscriptions
        self._opt_outs = opt_outs

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        number, short_code = phone_number(fields.required("phoneNumber")), fields.required("shortCode")
        keyword = fields.optional("keyword")
        # Their documents write addition, their samples Addition; new words are kept as they come.
        update = fields.required("updateType").lower()
        try:
            await self._subscriptions.keep(short_code, keyword, number, update)
            if update == ADDITION:
                await self._opt_outs.lift(short_code, number)
        except StoreUnavailable as problem:
            _log.error("a subscription is lost", msisdn=mask_msisdn(number), short_code=short_code, why=problem.why)
            return PlainTextResponse("not recorded, please repeat", 503)
        _log.info("a subscription changed", msisdn=mask_msisdn(number), short_code=short_code, update=update)
        return PlainTextResponse("OK")
