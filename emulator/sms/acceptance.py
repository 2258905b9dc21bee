"""Decides about each recipient of a request and writes the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from emulator.faults import EmptyRecipients, Fault, RowStatus
from emulator.identifiers import new_message_id
from emulator.networks import is_international
from emulator.sms.delivery_reports import DeliveryReports
from emulator.sms.messages import SentMessage, SentMessages
from emulator.sms.prices import account_cost, row_cost
from workflow.gsm import sms_segments

DEFAULT_SENDER = "AFRICASTKNG"
MAX_BLACKLISTED = 10_000
START_BALANCE = Decimal("1000000.0000")
"""Dollars on the account at the start."""

SENT, QUEUED, INVALID_PHONE_NUMBER, USER_IN_BLACKLIST = 101, 102, 403, 406

STATUS_NAMES = {
    100: "Success",
    101: "Success",
    102: "Success",
    401: "RiskHold",
    402: "InvalidSenderId",
    403: "InvalidPhoneNumber",
    404: "UnsupportedNumberType",
    405: "InsufficientBalance",
    406: "UserInBlacklist",
    407: "CouldNotRoute",
    409: "DoNotDisturbRejection",
    500: "InternalServerError",
    501: "GatewayError",
    502: "RejectedByGateway",
}
"""Texts of the rows; a code that is not here gets `Unknown`."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """
    A request to send, from whichever endpoint.

    Attributes:
        numbers: Recipients as given.
        text: The text.
        sender: Sender name or short code, None for the default one.
        enqueue: False only when the client said so.
        premium: Whether the user pays.
        rows_with_parts: Whether each row says how many parts its message has.
        keyword: Of a premium message.
        link_id: Of a premium answer.
        retry_duration_in_hours: Of a premium subscription message.
    """

    numbers: Sequence[str]
    text: str
    sender: str | None
    enqueue: bool
    premium: bool = False
    rows_with_parts: bool = False
    keyword: str | None = None
    link_id: str | None = None
    retry_duration_in_hours: str | None = None


class Acceptance:
    """Accepts or refuses messages, keeps the accepted ones and has them reported on."""

    def __init__(self, messages: SentMessages, reports: DeliveryReports) -> None:
        self._messages = messages
        self._reports = reports
        self.blacklist: set[str] = set()
        self.balance = START_BALANCE

    def accept(self, request: SendRequest, fault: Fault | None) -> dict[str, Any]:
        """Returns the answer's data: one row a recipient, or no row at all when the whole request is rejected."""
        self._messages.counts["requests"] += 1
        if isinstance(fault, EmptyRecipients):
            return _answer(fault.message, [])
        if not request.numbers:
            return _answer("InvalidPhoneNumber", [])
        parts = sms_segments(request.text).segments
        rows = [self._row(number, request, parts, fault) for number in request.numbers]
        accepted = sum(row["statusCode"] < 200 for row in rows)
        return _answer(self._summary(request, accepted, len(rows), parts), rows)

    def reset(self) -> None:
        """Empties the blacklist and fills the account."""
        self.blacklist.clear()
        self.balance = START_BALANCE

    def _row(self, number: str, request: SendRequest, parts: int, fault: Fault | None) -> dict[str, Any]:
        code = self._status(number, request, fault)
        row: dict[str, Any] = {"cost": "0", "messageId": "None", "number": number}
        if code < 200:
            message = _message(number, request, parts, code)
            self._messages.add(message)
            self._reports.report_accepted(message)
            row["messageId"] = message.message_id
            row["cost"] = "0" if request.premium else row_cost(number, parts)
        row |= {"status": STATUS_NAMES.get(code, "Unknown"), "statusCode": code}
        return row | {"messageParts": parts} if request.rows_with_parts else row

    def _status(self, number: str, request: SendRequest, fault: Fault | None) -> int:
        if isinstance(fault, RowStatus) and fault.number in (None, number):
            return fault.status_code
        if not is_international(number):
            return INVALID_PHONE_NUMBER
        if number in self.blacklist:
            return USER_IN_BLACKLIST
        return QUEUED if request.enqueue else SENT

    def _summary(self, request: SendRequest, accepted: int, recipients: int, parts: int) -> str:
        sent = f"Sent to {accepted}/{recipients}"
        if request.premium:
            return sent
        if not accepted:
            return f"{sent} Total Cost: 0"
        cost = account_cost([parts] * accepted)
        self.balance -= cost
        return f"{sent} Total Cost: USD {cost:.4f} Message parts: {parts}"


def _answer(message: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"SMSMessageData": {"Message": message, "Recipients": rows}}


def _message(number: str, request: SendRequest, parts: int, status_code: int) -> SentMessage:
    return SentMessage(
        message_id=new_message_id(),
        to=number,
        sender=request.sender or DEFAULT_SENDER,
        text=request.text,
        accepted_at=datetime.now(UTC),
        status_code=status_code,
        enqueue=request.enqueue,
        parts=parts,
        premium=request.premium,
        keyword=request.keyword,
        link_id=request.link_id,
        retry_duration_in_hours=request.retry_duration_in_hours,
    )
