"""Opt-outs and subscriptions."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from services.at_adapter.callbacks.fields import phone_number, read_fields
from services.at_adapter.consent.changes import Change, ConsentChanges, OptedOut, SubscriptionChanged, now_ms


class OptOutCallback:
    """POST /at/sms/opt-out: 200 once it is kept, else 503. One that names no sender holds for all."""

    def __init__(self, changes: ConsentChanges) -> None:
        self._changes = changes

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        number = phone_number(fields.required("phoneNumber"))
        return await _answered(self._changes, OptedOut(fields.optional("senderId"), number, now_ms()))


class SubscriptionCallback:
    """POST /at/sms/subscriptions: 200 once it is kept, else 503."""

    def __init__(self, changes: ConsentChanges) -> None:
        self._changes = changes

    async def __call__(self, request: Request) -> PlainTextResponse:
        """Raises UnusableCallback, which is answered 400."""
        fields = await read_fields(request)
        change = SubscriptionChanged(
            short_code=fields.required("shortCode"),
            keyword=fields.optional("keyword"),
            number=phone_number(fields.required("phoneNumber")),
            # Their documents write addition, their samples Addition; new words are kept as they come.
            update=fields.required("updateType").lower(),
            at_ms=now_ms(),
        )
        return await _answered(self._changes, change)


async def _answered(changes: ConsentChanges, change: Change) -> PlainTextResponse:
    # What only waits in memory is no promise: whoever may repeat it is asked to.
    return PlainTextResponse("OK") if await changes.take(change) else PlainTextResponse("not recorded yet", 503)
