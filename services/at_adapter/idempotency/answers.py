"""The answers that are kept under a key, as bytes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

from services.at_adapter.outgoing.faults import Fault, SendRefused

Receipt = TypeVar("Receipt")


class AnswerState(StrEnum):
    """How a send ended, as far as its answer is kept."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """
    A first answer.

    Attributes:
        state: How the send ended.
        body: JSON of the receipt or of the refusal; empty for a send whose sender died.
    """

    state: AnswerState
    body: bytes


def receipt_answer(receipt: Any) -> StoredAnswer:
    """Returns what is kept of a send that was taken."""
    return StoredAnswer(AnswerState.DONE, orjson.dumps(receipt))


def refusal_answer(refusal: SendRefused) -> StoredAnswer:
    """Returns what is kept of a send that was refused for good or whose outcome is unknown."""
    state = AnswerState.UNKNOWN if refusal.fault is Fault.SEND_OUTCOME_UNKNOWN else AnswerState.REFUSED
    document = {"fault": refusal.fault.name, "message": refusal.message, "details": refusal.details}
    return StoredAnswer(state, orjson.dumps(document))


def repeat(answer: StoredAnswer, receipts: TypeAdapter[Receipt]) -> Receipt:
    """Gives the first answer again: returns the receipt or raises the refusal (SendRefused)."""
    if answer.state is AnswerState.DONE:
        return receipts.validate_json(answer.body)
    if not answer.body:
        raise SendRefused(
            Fault.SEND_OUTCOME_UNKNOWN,
            "the adapter stopped while this send was under way; it may have been carried out or not",
        )
    document = orjson.loads(answer.body)
    raise SendRefused(Fault[document["fault"]], document["message"], details=document["details"])
