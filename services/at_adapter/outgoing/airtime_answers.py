"""Reads the answer to an airtime request: a receipt, or the refusal that it amounts to."""

from collections.abc import Mapping
from typing import Any

from services.at_adapter.outgoing.airtime import AirtimeReceipt
from services.at_adapter.outgoing.answers import json_object, no_id, quoted, refused_by_status, unreadable, words
from services.at_adapter.outgoing.money_refusals import already_submitted, refused, says_duplicate
from services.at_adapter.outgoing.transport import HttpAnswer

REFUSED_WORDS = frozenset({"failed", "rejected"})


def read_airtime_answer(answer: HttpAnswer) -> AirtimeReceipt:
    """
    Returns the receipt of a request for one phone that was taken.

    Raises:
        SendRefused: By the HTTP status or by their words; SEND_OUTCOME_UNKNOWN when they have seen the request before,
            or when a successful status comes with something that is no such answer.
    """
    if not 200 <= answer.status < 300:
        raise refused_by_status(answer)
    document = json_object(answer)
    general = words(document.get("errorMessage"))
    if says_duplicate(general):
        raise already_submitted(general, answer)
    rows = document.get("responses")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refused(general, answer) if general else unreadable(answer)
    if len(rows) != 1:
        raise refused(general, answer) if general and not rows else unreadable(answer)
    return _receipt(answer, rows[0])


def _receipt(answer: HttpAnswer, row: Mapping[str, Any]) -> AirtimeReceipt:
    status, request_id = str(row.get("status", "")), str(row.get("requestId", ""))
    said = words(row.get("errorMessage"))
    if says_duplicate(said):
        raise already_submitted(said, answer)
    if status.strip().lower() in REFUSED_WORDS or (no_id(request_id) and said):
        raise refused(said or status, answer)
    if no_id(request_id):
        raise unreadable(answer)
    return AirtimeReceipt(request_id, quoted(status), str(row.get("amount", "")), str(row.get("discount", "")))
