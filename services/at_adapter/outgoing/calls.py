"""One call to one number, and what became of it."""

from dataclasses import dataclass
from hashlib import sha256

import orjson

from rpc.status import FieldViolation
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.numbers import check_number


@dataclass(frozen=True, slots=True)
class CallOrder:
    """
    One call.

    Attributes:
        to: Phone number in E.164.
        caller_id: Number of the account that it comes from.
    """

    to: str
    caller_id: str

    def digest(self) -> str:
        """Returns what tells two orders under one key apart, 64 hexadecimal digits."""
        return sha256(orjson.dumps({"call": self}, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def check(self) -> None:
        """Raises SendRefused (INVALID_REQUEST or INVALID_PHONE_NUMBER) when it cannot be placed as it is."""
        if not self.caller_id:
            why = "a call comes from a number of the account: name it in the call, or set NJIA_AT_VOICE_NUMBER"
            raise SendRefused(Fault.INVALID_REQUEST, why, violations=(FieldViolation("caller_id", why),))
        check_number(self.to, "to")


@dataclass(frozen=True, slots=True)
class CallReceipt:
    """A call that was taken: their id of it, and their word, such as Queued."""

    session_id: str
    status: str
