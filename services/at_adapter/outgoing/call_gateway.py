"""Places a call at Africa's Talking and reads the answer."""

from collections.abc import Mapping
from typing import Any

from africastalking.Voice import VoiceService

from services.at_adapter.outgoing.account import VOICE_PREFIX, AtAccount
from services.at_adapter.outgoing.answers import json_object, no_id, quoted, refused_by_status, unreadable
from services.at_adapter.outgoing.calls import CallOrder, CallReceipt
from services.at_adapter.outgoing.exchange import Exchange
from services.at_adapter.outgoing.faults import Fault, SendRefused, fault_of_word
from services.at_adapter.outgoing.sdk import HttpCall
from services.at_adapter.outgoing.transport import HttpAnswer

OPERATION = "voice.call"
QUEUED = "queued"
INVALID_CALLER = "invalid callerid"


class CallRequests(VoiceService):  # type: ignore[misc]  # the SDK has no types
    """The SDK's voice service that returns the request where the SDK would send it."""

    def __init__(self, account: AtAccount) -> None:
        super().__init__(account.username, account.api_key)
        if account.emulator_url:
            self._baseUrl = account.emulator_url + VOICE_PREFIX

    def request_for(self, key: str, order: CallOrder) -> HttpCall:
        """Returns the request of an order that passed its check; every callback of the call carries the key."""
        call: HttpCall = self.call(order.caller_id, [order.to])
        # The SDK has no word for it; without it a call whose answer was lost could not be told from any other.
        return HttpCall(call.method, call.url, call.headers, {**call.form, "clientRequestId": key})

    def _make_request(
        self, url: str, method: str, headers: Mapping[str, str], data: Mapping[str, Any], **_unsent: Any
    ) -> HttpCall:
        return HttpCall(method, url, dict(headers), {name: str(value) for name, value in data.items()})


class CallGateway:
    """Africa's Talking as far as placing calls goes."""

    def __init__(self, requests: CallRequests, exchange: Exchange) -> None:
        self._requests = requests
        self._exchange = exchange

    async def deliver(self, key: str, order: CallOrder) -> CallReceipt:
        """Places the call once. Raises SendRefused: see `read_call_answer` and `AtTransport.send`."""
        return await self._exchange.receipt(OPERATION, self._requests.request_for(key, order), read_call_answer)


def read_call_answer(answer: HttpAnswer) -> CallReceipt:
    """
    Returns the receipt of a call that was taken.

    Raises:
        SendRefused: By the HTTP status or by their words; SEND_OUTCOME_UNKNOWN when a successful status comes with
            something that is no such answer.
    """
    if not 200 <= answer.status < 300:
        raise refused_by_status(answer)
    document = json_object(answer)
    rows, error = document.get("entries"), str(document.get("errorMessage") or "")
    if isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict):
        return _receipt(answer, rows[0])
    if no_id(error) or rows:
        raise unreadable(answer)
    fault = Fault.INVALID_SENDER_ID if error.lower().startswith(INVALID_CALLER) else fault_of_word(error)
    raise _refused(fault, error, answer)


def _receipt(answer: HttpAnswer, row: Mapping[str, Any]) -> CallReceipt:
    status, session_id = str(row.get("status", "")), str(row.get("sessionId", ""))
    if status.strip().lower() != QUEUED:
        raise _refused(fault_of_word(status), status, answer) if status else unreadable(answer)
    if no_id(session_id):
        raise unreadable(answer)
    return CallReceipt(session_id, status)


def _refused(fault: Fault, said: str, answer: HttpAnswer) -> SendRefused:
    words = quoted(said, answer.told)
    return SendRefused(fault, f"Africa's Talking did not take the call: {words}", details={"atStatus": words})
