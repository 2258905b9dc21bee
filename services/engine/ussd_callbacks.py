"""What comes in from a phone that dialled a code, and what goes back."""

from dataclasses import dataclass

from services.engine.core.state import Reply


@dataclass(frozen=True, slots=True)
class UssdCallback:
    """A USSD callback as the adapter read it; `text` is all that was typed, joined by *."""

    session_id: str
    msisdn: str
    service_code: str
    network_code: str
    text: str


@dataclass(frozen=True, slots=True)
class UssdAnswer:
    """What a USSD callback is answered."""

    reply: Reply
    execution_id: str
    repeated: bool
