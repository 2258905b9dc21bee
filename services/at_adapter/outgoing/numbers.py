"""Phone numbers as requests carry them."""

import re

from rpc.status import FieldViolation
from services.at_adapter.outgoing.faults import Fault, SendRefused

# The SDK's own check takes letters of other scripts as digits, a trailing line feed and any length.
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def is_number(text: str) -> bool:
    """Whether this is a phone number in E.164. Whether anybody has it is not known here."""
    return _E164.fullmatch(text) is not None


def no_number(field: str) -> FieldViolation:
    """Returns the fault of a field that holds no phone number."""
    return FieldViolation(field, "not a phone number in E.164, such as +254711000001")


def check_number(number: str, field: str) -> None:
    """Raises SendRefused (INVALID_PHONE_NUMBER) for what is no phone number in E.164."""
    if not is_number(number):
        raise SendRefused(
            Fault.INVALID_PHONE_NUMBER,
            "the phone number is not in E.164, such as +254711000001",
            violations=(no_number(field),),
        )
