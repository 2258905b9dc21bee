"""Identifiers as Africa's Talking makes them: a prefix that names the product and 32 hexadecimal digits."""

import secrets


def new_message_id() -> str:
    """Returns the id of a sent SMS, such as ATXid_7468c9a251f9e9efcc6b2f7ea756a56c."""
    return f"ATXid_{secrets.token_hex(16)}"


def new_airtime_id() -> str:
    """Returns the id of an airtime request, such as ATQid_7468c9a251f9e9efcc6b2f7ea756a56c."""
    return f"ATQid_{secrets.token_hex(16)}"


def new_transaction_id() -> str:
    """Returns the id of a payment, such as ATPid_7468c9a251f9e9efcc6b2f7ea756a56c."""
    return f"ATPid_{secrets.token_hex(16)}"


def new_call_id() -> str:
    """Returns the id of a call, such as ATVId_7468c9a251f9e9efcc6b2f7ea756a56c."""
    return f"ATVId_{secrets.token_hex(16)}"


def new_session_id() -> str:
    """Returns the id of a USSD session, such as ATUid_7468c9a251f9e9efcc6b2f7ea756a56c."""
    return f"ATUid_{secrets.token_hex(16)}"
