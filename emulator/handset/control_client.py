"""The handset's side of the control API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

# The longest time that the settings let an application take for a screen is 60 s.
_ANSWER_SECONDS = 75.0
_CONNECT_SECONDS = 3.0


class EmulatorUnreachable(Exception):
    """Nothing answers at the emulator's address."""


class RequestRefused(Exception):
    """The emulator refused a request; the message says why."""


@dataclass(frozen=True, slots=True)
class ShownScreen:
    """
    What came of a dialling or an input.

    Attributes:
        session_id: The session.
        text: The words of the screen.
        active: Whether the session goes on.
        error: Why the network ended it, or None.
        error_code: Machine-readable kind of the error, or None.
        warnings: What would look wrong on a real phone.
    """

    session_id: str
    text: str
    active: bool
    error: str | None
    error_code: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """An SMS on the phone."""

    message_id: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class LiveCall:
    """
    How a call stands.

    Attributes:
        session_id: The call.
        number: Number of the account.
        rings: Whether the phone rings.
        active: Whether it is not over.
        heard: What was heard so far; recordings by their address in brackets.
        waits_for: keys, recording or hangup; None where it waits for nothing.
        hangup_cause: Why it is over, or None.
        error: What the platform did wrong, or None.
    """

    session_id: str
    number: str
    rings: bool
    active: bool
    heard: tuple[str, ...]
    waits_for: str | None
    hangup_cause: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the first delivery of what the phone said: `status` is the platform's, None without an answer."""

    delivered: bool
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class AskedPayment:
    """A payment that the phone is asked to confirm; `amount` such as KES 50.0000."""

    transaction_id: str
    amount: str
    product_name: str


class ControlClient:
    """Calls the emulator. Every method raises EmulatorUnreachable or RequestRefused."""

    def __init__(self, url: str) -> None:
        self.url = url
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def dial(self, code: str, service_code: str | None, msisdn: str, network_code: str | None) -> ShownScreen:
        """Dials a code."""
        body = {"code": code, "msisdn": msisdn, "serviceCode": service_code, "networkCode": network_code}
        given = {name: value for name, value in body.items() if value is not None}
        return _screen(self._call("POST", "/control/ussd/sessions", given))

    def enter(self, session_id: str, text: str) -> ShownScreen:
        """Types an answer."""
        return _screen(self._call("POST", f"/control/ussd/sessions/{session_id}/input", {"input": text}))

    def hang_up(self, session_id: str) -> None:
        """Hangs up."""
        self._call("POST", f"/control/ussd/sessions/{session_id}/hangup", {})

    def send_sms(self, msisdn: str, to: str, text: str) -> Told:
        """Sends an SMS from the phone."""
        answer = self._call("POST", "/control/sms", {"from": msisdn, "to": to, "text": text})
        return Told(answer["delivered"], answer["lastStatus"], answer["error"])

    def opt_out(self, msisdn: str, sender: str) -> Told:
        """Tells that the phone's user wants no more messages of a sender; empty: of none."""
        named = {"senderId": sender} if sender else {}
        answer = self._call("POST", "/control/opt-outs", {"phoneNumber": msisdn, **named})
        return Told(answer["delivered"], answer["httpStatus"], answer["error"])

    def call(self, msisdn: str, number: str) -> LiveCall:
        """Calls a number of the account."""
        return _live_call(self._call("POST", "/control/calls", {"from": msisdn, "to": number}))

    def calls(self, msisdn: str) -> list[LiveCall]:
        """Returns the calls of a phone, the oldest first."""
        return [_live_call(call) for call in self._call("GET", f"/control/calls?msisdn={quote(msisdn)}", None)["calls"]]

    def look_at_call(self, session_id: str) -> LiveCall:
        """Returns how a call stands."""
        return _live_call(self._call("GET", f"/control/calls/{session_id}", None))

    def in_call(self, session_id: str, what: str, body: Mapping[str, str]) -> LiveCall:
        """Does something in a call: answer, refuse, keys, silence or hangup."""
        return _live_call(self._call("POST", f"/control/calls/{session_id}/{what}", body))

    def inbox(self, msisdn: str) -> list[InboxMessage]:
        """Returns the phone's newest messages, the oldest of them first."""
        answer = self._call("GET", f"/control/inbox/{quote(msisdn)}", None)
        return [InboxMessage(entry["id"], entry["from"], entry["text"]) for entry in answer["messages"]]

    def asked_payments(self, msisdn: str) -> list[AskedPayment]:
        """Returns the payments that the phone is asked for and has not answered, the oldest first."""
        answer = self._call("GET", f"/control/payments?of={quote(msisdn)}&pending=true", None)
        return [AskedPayment(entry["id"], entry["amount"], entry["productName"]) for entry in answer["payments"]]

    def answer_payment(self, transaction_id: str, *, confirms: bool) -> None:
        """Confirms or rejects a payment."""
        word = "confirm" if confirms else "reject"
        self._call("POST", f"/control/payments/{quote(transaction_id)}/{word}", {})

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise EmulatorUnreachable(self.url) from error
        try:
            answer = response.json()
        except ValueError as error:
            raise EmulatorUnreachable(self.url) from error
        if response.is_error:
            raise RequestRefused(answer["error"]["message"])
        return dict(answer)


def _live_call(answer: Mapping[str, Any]) -> LiveCall:
    heard = tuple(f"[{each['text']}]" if each["kind"] == "play" else str(each["text"]) for each in answer["heard"])
    return LiveCall(
        session_id=answer["sessionId"],
        number=answer["number"],
        rings=answer["state"] == "Ringing",
        active=answer["active"],
        heard=heard,
        waits_for=answer["waitsFor"],
        hangup_cause=answer["hangupCause"],
        error=answer["error"],
    )


def _screen(answer: Mapping[str, Any]) -> ShownScreen:
    return ShownScreen(
        session_id=answer["sessionId"],
        text=answer["text"],
        active=answer["active"],
        error=answer.get("error"),
        error_code=answer.get("errorCode"),
        warnings=tuple(answer["warnings"]),
    )
