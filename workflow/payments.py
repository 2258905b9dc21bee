"""What the node types that move money over payments share."""

from collections.abc import Iterable

from workflow.errors import NodeFailure, permanent
from workflow.node_type import Finding
from workflow.outcome import Settlement
from workflow.ports import PaymentReceipt
from workflow.unsupported import UNSUPPORTED


def address_finding(callback_url: str | None) -> Iterable[Finding]:
    """Yields what is to be said of an address for notifications."""
    if callback_url is not None:
        message = "Africa's Talking takes the address of notifications from the payment product; this has no effect"
        yield Finding(UNSUPPORTED, message, "callbackUrl", is_warning=True)


def settled_receipt(settlement: Settlement) -> PaymentReceipt:
    """Returns what a payment came to whose answer was lost and whose notification came. Raises NodeFailure."""
    if settlement.status == "Failed":
        message = "Africa's Talking had the request and notifies that the payment failed"
        raise NodeFailure(permanent("PAYMENT_FAILED", message, id=settlement.reference))
    return PaymentReceipt(settlement.reference, settlement.status)
