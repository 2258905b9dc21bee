"""Calls that the platform places: POST /voice/call."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from emulator.api.answers import data_answer
from emulator.api.requests import authenticate, read_form, required_field
from emulator.faults import Faults
from emulator.voice.driver import VoiceDriver

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class Calls:
    """The endpoint. `api_key` is the key of the account."""

    def __init__(self, driver: VoiceDriver, faults: Faults, api_key: str) -> None:
        self._driver = driver
        self._faults = faults
        self._api_key = api_key

    async def place(self, request: Request) -> Response:
        """POST /voice/call: a form with the numbers to call; each rings."""
        form = await read_form(request)
        authenticate(request, required_field(form, "username"), self._api_key)
        fault = self._faults.take("voice")

        def work() -> Response:
            return data_answer(request, 200, self._placed(form))

        return await self._faults.answer_under(fault, work)

    def _placed(self, form: Mapping[str, str]) -> dict[str, Any]:
        caller = required_field(form, "from")
        numbers = [number.strip() for number in required_field(form, "to").split(",") if number.strip()]
        if not _E164.fullmatch(caller):
            return {"entries": [], "errorMessage": f"Invalid callerId: {caller}"}
        return {
            "entries": [self._entry(number, caller, form.get("clientRequestId", "")) for number in numbers],
            "errorMessage": "None",
        }

    def _entry(self, number: str, caller: str, request_id: str) -> dict[str, str]:
        if not _E164.fullmatch(number):
            return {"phoneNumber": number, "sessionId": "None", "status": "InvalidPhoneNumber"}
        call = self._driver.ring(number, caller, request_id)
        return {"phoneNumber": number, "sessionId": call.session_id, "status": "Queued"}
