"""Reads the answer to a payment request: a receipt, or the refusal that it amounts to."""

from collections.abc import Mapping
from typing import Any

from services.at_adapter.outgoing.answers import json_object, no_id, quoted, refused_by_status, unreadable, words
from services.at_adapter.outgoing.money_refusals import already_submitted, refused, says_duplicate
from services.at_adapter.outgoing.payments import PaymentReceipt
from services.at_adapter.outgoing.transport import HttpAnswer

REFUSED_WORDS = frozenset(
    {"failed", "invalidrequest", "notsupported", "productnotfound", "insufficientbalance", "rejected"}
)


def read_payment_answer(answer: HttpAnswer) -> PaymentReceipt:
    """
    Returns the receipt of a payment that was taken, of whichever type; b2c has a list of one entry.

    Raises:
        SendRefused: By the HTTP status or by their words; SEND_OUTCOME_UNKNOWN when they have seen the request before,
            or when a successful status comes with something that is no such answer.
    """
    if not 200 <= answer.status < 300:
        raise refused_by_status(answer)
    document = json_object(answer)
    entries = document.get("entries", [document])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise unreadable(answer)
    said = words(document.get("errorMessage"))
    if not entries and said:
        raise already_submitted(said, answer) if says_duplicate(said) else refused(said, answer)
    if len(entries) != 1:
        raise unreadable(answer)
    return _receipt(answer, entries[0])


def _receipt(answer: HttpAnswer, entry: Mapping[str, Any]) -> PaymentReceipt:
    status, transaction_id = str(entry.get("status", "")), str(entry.get("transactionId") or "")
    said = words(entry.get("errorMessage")) or words(entry.get("description"))
    if says_duplicate(status) or says_duplicate(said):
        raise already_submitted(said or status, answer)
    word = status.strip().lower()
    if word in REFUSED_WORDS:
        raise refused(f"{status}: {said}" if said else status, answer)
    if no_id(transaction_id):
        if said and not word:
            raise refused(said, answer)
        # A word that is not known may mean that it was taken.
        raise unreadable(answer)
    return PaymentReceipt(transaction_id, quoted(status), quoted(said))
