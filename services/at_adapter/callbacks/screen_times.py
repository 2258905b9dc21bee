"""Measures how long subscribers wait for their screens."""

import time

from starlette.requests import Request
from starlette.responses import Response

from services.at_adapter.callbacks.app import Callback
from services.at_adapter.callbacks.ussd import UNAVAILABLE_TEXT
from telemetry import attributes
from telemetry.instruments import USSD_TURN_DURATION
from telemetry.metrics import Meters

_UNAVAILABLE = f"END {UNAVAILABLE_TEXT}".encode()


def timed_screens(screens: Callback, meters: Meters) -> Callback:
    """Returns the callback with each screen measured; the callback itself where nobody looks."""
    if not meters.recording:
        return screens
    durations = meters.histogram(USSD_TURN_DURATION)

    async def screen(request: Request) -> Response:
        started = time.perf_counter()
        response = await screens(request)
        durations.record(time.perf_counter() - started, {attributes.USSD_SCREEN: _kind(bytes(response.body))})
        return response

    return screen


def _kind(body: bytes) -> str:
    if body == _UNAVAILABLE:
        return "unavailable"
    return "con" if body.startswith(b"CON") else "end"
