"""Reads the answer to an SMS request: a receipt, or the refusal that it amounts to."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from services.at_adapter.outgoing.faults import Fault, SendRefused, fault_of_code, fault_of_word
from services.at_adapter.outgoing.sms import Recipient, SmsReceipt
from services.at_adapter.outgoing.transport import HttpAnswer
from telemetry.masking import mask_text

FIRST_REFUSED_CODE = 400
ACCEPTED_WORDS = frozenset({"success", "processed", "sent", "queued"})
"""How a recipient without a code says that it was taken."""

MAX_QUOTE_CHARACTERS = 200

SHORTEST_MASKED = 4
"""A shorter text of a request stands in too many sentences by chance."""

MASK = "***"
MAX_RETRY_AFTER_MS = 3_600_000

_NO_ID = frozenset({"", "None"})
_BY_HTTP_STATUS: Mapping[int, Fault] = {
    401: Fault.AUTHENTICATION_FAILED,
    403: Fault.AUTHENTICATION_FAILED,
    # The documentation gives it as the status of a whole answer, their servers as the code of a recipient.
    409: Fault.DO_NOT_DISTURB_REJECTION,
    429: Fault.RATE_LIMIT,
}
_ADVICE: Mapping[Fault, str] = {
    Fault.AUTHENTICATION_FAILED: "Africa's Talking refuses the credentials; AT_USERNAME and AT_API_KEY must be a pair "
    "of the same environment, and a new key takes some minutes to work",
    Fault.RATE_LIMIT: "Africa's Talking takes no more requests for now",
    Fault.SERVER_ERROR: "Africa's Talking failed to handle the request",
    Fault.DO_NOT_DISTURB_REJECTION: "Africa's Talking does not deliver to this subscriber at this hour",
    Fault.REJECTED: "Africa's Talking refused the request",
}


def read_sms_answer(answer: HttpAnswer) -> SmsReceipt:
    """
    Returns the receipt when at least one recipient was taken.

    Raises:
        SendRefused: By the HTTP status; by the word of an answer without recipients; by the first recipient when all
            are refused; SEND_OUTCOME_UNKNOWN when a successful status comes with something that is no such answer.
    """
    if not 200 <= answer.status < 300:
        raise refused_by_status(answer)
    data = _message_data(answer)
    summary = str(data.get("Message", ""))
    rows = data.get("Recipients")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise unreadable(answer)
    if not rows:
        said = quoted(summary, answer.told)
        raise SendRefused(
            fault_of_word(summary),
            f"Africa's Talking took the request for no recipient: {said}",
            details={"atStatus": said},
        )
    recipients = tuple(_recipient(row) for row in rows)
    if all(_is_refused(recipient) for recipient in recipients):
        raise _refused_by_recipient(recipients, answer)
    return SmsReceipt(recipients, summary)


def refused_by_status(answer: HttpAnswer) -> SendRefused:
    """Returns the refusal that an HTTP status outside of 200 to 299 amounts to."""
    server_failed = answer.status >= 500 or answer.status == 408
    fault = Fault.SERVER_ERROR if server_failed else _BY_HTTP_STATUS.get(answer.status, Fault.REJECTED)
    said = quoted(answer.body.decode(errors="replace"), answer.told)
    return SendRefused(
        fault,
        f"{_ADVICE[fault]} (HTTP {answer.status}{': ' + said if said else ''})",
        details={"httpStatus": str(answer.status)},
        retry_after_ms=_retry_after_ms(answer.retry_after) if fault.may_be_retried else None,
    )


def _refused_by_recipient(recipients: tuple[Recipient, ...], answer: HttpAnswer) -> SendRefused:
    first = recipients[0]
    fault = fault_of_code(first.status_code) if first.status_code else fault_of_word(first.status)
    others = f" (and {len(recipients) - 1} more)" if len(recipients) > 1 else ""
    said = quoted(first.status, answer.told)
    return SendRefused(
        fault,
        f"Africa's Talking refused the recipient{others}: {said} ({first.status_code})",
        details={"atStatus": said, "atStatusCode": str(first.status_code)},
    )


def json_object(answer: HttpAnswer) -> Mapping[str, Any]:
    """
    Returns the body of an answer. The content type is not asked: theirs is exact today, and what counts is whether the
    body can be read.

    Raises:
        SendRefused: SEND_OUTCOME_UNKNOWN when it is no JSON object.
    """
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise unreadable(answer) from None
    if not isinstance(document, dict):
        raise unreadable(answer)
    return document


def words(value: Any) -> str:
    """Returns what a text of theirs says; they write None where there is nothing to say."""
    return "" if value in (None, "None") else str(value)


def no_id(written: str) -> bool:
    """Whether this is how they write that there is no id."""
    return written in _NO_ID


def _message_data(answer: HttpAnswer) -> Mapping[str, Any]:
    data = json_object(answer).get("SMSMessageData")
    if not isinstance(data, dict):
        raise unreadable(answer)
    return data


def unreadable(answer: HttpAnswer) -> SendRefused:
    """Returns the refusal for an answer that says neither that a request was taken nor that it was not."""
    return SendRefused(
        Fault.SEND_OUTCOME_UNKNOWN,
        f"Africa's Talking answered HTTP {answer.status} with a body that cannot be read; "
        "the request may have been carried out or not",
        details={"httpStatus": str(answer.status)},
    )


def _recipient(row: Mapping[str, Any]) -> Recipient:
    code = row.get("statusCode", 0)
    message_id = str(row.get("messageId", ""))
    return Recipient(
        number=str(row.get("number", "")),
        status=str(row.get("status", "")),
        status_code=int(code) if str(code).isascii() and str(code).isdigit() else 0,
        message_id="" if no_id(message_id) else message_id,
        cost=str(row.get("cost", "")),
    )


def _is_refused(recipient: Recipient) -> bool:
    if recipient.status_code:
        return recipient.status_code >= FIRST_REFUSED_CODE
    return recipient.status.lower() not in ACCEPTED_WORDS


def quoted(text: str, told: Iterable[str] = ()) -> str:
    """
    Returns what they said, on one line and without phone numbers, cut last: what is cut could not be found any more.

    Args:
        text: Their words.
        told: What of them is masked where people read it, see HttpAnswer.told.
    """
    line = " ".join(text.split())
    for secret in sorted((" ".join(each.split()) for each in told), key=len, reverse=True):
        if len(secret) >= SHORTEST_MASKED:
            line = line.replace(secret, MASK)
    return mask_text(line)[:MAX_QUOTE_CHARACTERS]


def _retry_after_ms(header: str) -> int | None:
    """Reads Retry-After, seconds or a date (RFC 9110, 10.2.3); at most an hour, None when it says nothing."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        # A long row of digits would be a number too large to print or to wait for.
        return min(int(text[:10]) * 1000, MAX_RETRY_AFTER_MS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(0, int(seconds * 1000)), MAX_RETRY_AFTER_MS)
