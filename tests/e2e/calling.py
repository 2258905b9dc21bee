"""A phone in a call, by the emulator's control API."""

from typing import Any

import httpx

from tests.e2e.driving import Platform, eventually


class PhoneInCall:
    """A call of one phone; `now` is how it stands."""

    def __init__(self, control: httpx.AsyncClient, now: dict[str, Any]) -> None:
        self._control = control
        self.now = now
        self._listened = 0

    @property
    def session_id(self) -> str:
        return str(self.now["sessionId"])

    async def answers(self) -> None:
        await self._does("answer")

    async def is_busy(self) -> None:
        await self._does("refuse", {"cause": "USER_BUSY"})

    async def presses(self, keys: str) -> None:
        await self._does("keys", {"keys": keys})

    async def presses_nothing(self) -> None:
        await self._does("silence")

    async def hangs_up(self) -> None:
        await self._does("hangup")

    def hears(self) -> list[str]:
        """What was heard since it was asked last."""
        heard = [each["text"] for each in self.now["heard"]]
        new, self._listened = heard[self._listened :], len(heard)
        return new

    async def repeats(self) -> bool:
        """Has the network deliver the last callback again; returns whether it got the same document."""
        response = await self._control.post(f"/control/calls/{self.session_id}/repeat")
        assert response.is_success, response.text
        return bool(response.json()["same"])

    async def _does(self, what: str, body: dict[str, str] | None = None) -> None:
        response = await self._control.post(f"/control/calls/{self.session_id}/{what}", json=body or {})
        assert response.is_success, response.text
        self.now = response.json()
        assert self.now["error"] is None, self.now


async def calls(platform: Platform, msisdn: str, number: str) -> PhoneInCall:
    """A phone calls a number of the account."""
    response = await platform.control.post("/control/calls", json={"from": msisdn, "to": number})
    assert response.is_success, response.text
    return PhoneInCall(platform.control, response.json())


async def rings(platform: Platform, msisdn: str) -> PhoneInCall:
    """Waits until the phone rings."""

    async def ringing() -> dict[str, Any] | None:
        response = await platform.control.get("/control/calls", params={"msisdn": msisdn})
        return next((call for call in response.json()["calls"] if call["state"] == "Ringing"), None)

    return PhoneInCall(platform.control, await eventually(ringing))
