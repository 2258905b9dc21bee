"""What comes in from a phone that dialled a code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UssdCallback:
    """A USSD callback as the adapter read it; `text` is all that was typed, joined by *."""

    session_id: str
    msisdn: str
    service_code: str
    network_code: str
    text: str
