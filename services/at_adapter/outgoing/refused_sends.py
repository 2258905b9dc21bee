"""Tells of sends that were not taken: while Africa's Talking is in trouble every one is, and each is in its own log."""

from services.at_adapter.outgoing.faults import Fault, SendRefused
from storage.outages import Outage


class RefusedSends:
    """The log lines of one kind of send: for each fault some, and how many were in between."""

    def __init__(self) -> None:
        self._outages: dict[Fault, Outage] = {}

    def tell(self, operation: str, refusal: SendRefused) -> None:
        """
        A send failed.

        Args:
            operation: Name of its span, such as sms.send.
            refusal: Why; its message says what to do.
        """
        outage = self._outages.setdefault(refusal.fault, Outage("a send was not taken"))
        outage.goes_on(operation=operation, reason=refusal.fault.name, why=refusal.message, **refusal.details)
