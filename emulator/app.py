"""The web application: the API of Africa's Talking and the control API on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.api.answers import Rejected, text_answer
from emulator.config import EmulatorConfig
from emulator.control.answers import ControlRefused, refusal_answer
from emulator.emulator import Emulator


def build(config: EmulatorConfig) -> Starlette:
    """
    Returns the application.

    Africa's Talking has a host for each product; here each host is a first path element: /api, /content, /payments.
    """
    emulator = Emulator(config)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await emulator.open()
        try:
            yield
        finally:
            await emulator.close()

    return Starlette(
        routes=[
            *emulator.ussd.routes(),
            Route("/api/version1/messaging", emulator.messaging.send, methods=["POST"]),
            Route("/api/version1/messaging", emulator.messaging.fetch, methods=["GET"]),
            Route("/api/version1/messaging/bulk", emulator.messaging.send_bulk, methods=["POST"]),
            Route("/content/version1/messaging", emulator.messaging.send_premium, methods=["POST"]),
            Route("/voice/call", emulator.calls.place, methods=["POST"]),
            Route("/api/version1/user", emulator.account.user, methods=["GET"]),
            Route("/api/version1/airtime/send", emulator.airtime_api.send, methods=["POST"]),
            Route("/payments/mobile/checkout/request", emulator.payments_api.checkout, methods=["POST"]),
            Route("/payments/mobile/b2c/request", emulator.payments_api.b2c, methods=["POST"]),
            Route("/payments/mobile/b2b/request", emulator.payments_api.b2b, methods=["POST"]),
            *emulator.sms.routes(),
            *emulator.consent.routes(),
            *emulator.airtime.routes(),
            *emulator.payments.routes(),
            *emulator.voice.routes(),
            *emulator.behaviour.routes(),
        ],
        exception_handlers={
            Rejected: _rejected,
            ControlRefused: _control_refused,
            404: _not_found,
            405: _method_not_allowed,
        },
        lifespan=lifespan,
    )


async def _rejected(request: Request, error: Exception) -> Response:
    rejected = cast("Rejected", error)
    if request.url.path.startswith("/control/"):
        return refusal_answer(ControlRefused(rejected.status, rejected.text))
    return text_answer(rejected.status, rejected.text)


async def _control_refused(_: Request, error: Exception) -> Response:
    return refusal_answer(cast("ControlRefused", error))


async def _not_found(request: Request, _: Exception) -> Response:
    if request.url.path.startswith("/control/"):
        return refusal_answer(ControlRefused(404, f"there is nothing at {request.url.path}"))
    return text_answer(404, "The requested resource could not be found.")


async def _method_not_allowed(request: Request, _: Exception) -> Response:
    if request.url.path.startswith("/control/"):
        return refusal_answer(ControlRefused(405, f"{request.method} is not possible at {request.url.path}"))
    return text_answer(405, "HTTP method not allowed")
