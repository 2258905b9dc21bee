"""
Why a send was refused: the one table from their codes and words to ours.

Codes and words are those of the send response (https://developers.africastalking.com/docs/sms/sending/bulk).
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto

from grpc import StatusCode

from rpc.status import FieldViolation


class ErrorType(StrEnum):
    """What a caller may do about it: only transient and rate_limit are worth another attempt."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    RATE_LIMIT = "rate_limit"
    VALIDATION = "validation"


class Fault(Enum):
    """One kind of refusal; its name is the reason that the caller sees."""

    INVALID_REQUEST = auto()
    INVALID_PHONE_NUMBER = auto()
    INVALID_AMOUNT = auto()
    CURRENCY_MISMATCH = auto()
    IDEMPOTENCY_KEY_REUSED = auto()
    AUTHENTICATION_FAILED = auto()
    INVALID_SENDER_ID = auto()
    INSUFFICIENT_BALANCE = auto()
    RISK_HOLD = auto()
    UNSUPPORTED_NUMBER_TYPE = auto()
    USER_IN_BLACKLIST = auto()
    OPTED_OUT = auto()
    COULD_NOT_ROUTE = auto()
    DO_NOT_DISTURB_REJECTION = auto()
    REJECTED = auto()
    PAYMENT_NOT_FOUND = auto()
    PAYMENT_NOT_REFUNDABLE = auto()
    REFUND_TOO_LARGE = auto()
    RATE_LIMIT = auto()
    SERVER_ERROR = auto()
    NETWORK_ERROR = auto()
    SEND_IN_PROGRESS = auto()
    SEND_OUTCOME_UNKNOWN = auto()

    @property
    def error_type(self) -> ErrorType:
        """What the caller may do about it."""
        return _KINDS[self][0]

    @property
    def status(self) -> StatusCode:
        """Status of the failed call."""
        return _KINDS[self][1]

    @property
    def may_be_retried(self) -> bool:
        """True where another attempt may succeed and this one certainly sent nothing."""
        return self.error_type in (ErrorType.TRANSIENT, ErrorType.RATE_LIMIT)


_KINDS: Mapping[Fault, tuple[ErrorType, StatusCode]] = {
    Fault.INVALID_REQUEST: (ErrorType.VALIDATION, StatusCode.INVALID_ARGUMENT),
    Fault.INVALID_PHONE_NUMBER: (ErrorType.VALIDATION, StatusCode.INVALID_ARGUMENT),
    Fault.INVALID_AMOUNT: (ErrorType.VALIDATION, StatusCode.INVALID_ARGUMENT),
    Fault.CURRENCY_MISMATCH: (ErrorType.VALIDATION, StatusCode.INVALID_ARGUMENT),
    Fault.IDEMPOTENCY_KEY_REUSED: (ErrorType.VALIDATION, StatusCode.INVALID_ARGUMENT),
    Fault.AUTHENTICATION_FAILED: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.INVALID_SENDER_ID: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.INSUFFICIENT_BALANCE: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.RISK_HOLD: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.UNSUPPORTED_NUMBER_TYPE: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.USER_IN_BLACKLIST: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.OPTED_OUT: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.COULD_NOT_ROUTE: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.DO_NOT_DISTURB_REJECTION: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.REJECTED: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.PAYMENT_NOT_FOUND: (ErrorType.VALIDATION, StatusCode.NOT_FOUND),
    Fault.PAYMENT_NOT_REFUNDABLE: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.REFUND_TOO_LARGE: (ErrorType.PERMANENT, StatusCode.FAILED_PRECONDITION),
    Fault.RATE_LIMIT: (ErrorType.RATE_LIMIT, StatusCode.RESOURCE_EXHAUSTED),
    Fault.SERVER_ERROR: (ErrorType.TRANSIENT, StatusCode.UNAVAILABLE),
    Fault.NETWORK_ERROR: (ErrorType.TRANSIENT, StatusCode.UNAVAILABLE),
    Fault.SEND_IN_PROGRESS: (ErrorType.TRANSIENT, StatusCode.ABORTED),
    # Permanent, because repeating the key can only repeat this answer; what else to do is the caller's policy.
    Fault.SEND_OUTCOME_UNKNOWN: (ErrorType.PERMANENT, StatusCode.UNKNOWN),
}

_NAMED: Mapping[int, tuple[str, Fault]] = {
    401: ("RiskHold", Fault.RISK_HOLD),
    402: ("InvalidSenderId", Fault.INVALID_SENDER_ID),
    403: ("InvalidPhoneNumber", Fault.INVALID_PHONE_NUMBER),
    404: ("UnsupportedNumberType", Fault.UNSUPPORTED_NUMBER_TYPE),
    405: ("InsufficientBalance", Fault.INSUFFICIENT_BALANCE),
    406: ("UserInBlacklist", Fault.USER_IN_BLACKLIST),
    407: ("CouldNotRoute", Fault.COULD_NOT_ROUTE),
    409: ("DoNotDisturbRejection", Fault.DO_NOT_DISTURB_REJECTION),
    500: ("InternalServerError", Fault.SERVER_ERROR),
    501: ("GatewayError", Fault.SERVER_ERROR),
    502: ("RejectedByGateway", Fault.SERVER_ERROR),
}
_BY_WORD: Mapping[str, Fault] = {
    **{word.lower(): fault for word, fault in _NAMED.values()},
    # Of calls.
    "destinationnotsupported": Fault.UNSUPPORTED_NUMBER_TYPE,
    "insufficientcredit": Fault.INSUFFICIENT_BALANCE,
}


def fault_of_code(status_code: int) -> Fault:
    """Returns the fault of a recipient's code, 400 or more. An unknown 4xx is permanent, an unknown 5xx transient."""
    if status_code in _NAMED:
        return _NAMED[status_code][1]
    return Fault.SERVER_ERROR if status_code >= 500 else Fault.REJECTED


def fault_of_word(word: str) -> Fault:
    """Returns the fault of a word such as InvalidSenderId, case aside. An unknown word is permanent."""
    return _BY_WORD.get(word.strip().lower(), Fault.REJECTED)


class SendRefused(Exception):
    """
    A send did not succeed. Raised by everything in this package.

    Attributes:
        fault: Which kind.
        message: What went wrong and what to do; no phone number and no credential in clear.
        details: Further facts as text, such as httpStatus or atStatus.
        violations: Which fields of the request are at fault.
        retry_after_ms: How long to wait before another attempt, where known.
    """

    def __init__(
        self,
        fault: Fault,
        message: str,
        *,
        details: Mapping[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(f"{fault.name}: {message}")
        self.fault = fault
        self.message = message
        self.details = dict(details or {})
        self.violations = violations
        self.retry_after_ms = retry_after_ms
