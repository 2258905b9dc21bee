"""What refusals of airtime and payments have in common: they come as words, not as codes."""

from services.at_adapter.outgoing.answers import quoted
from services.at_adapter.outgoing.faults import Fault, SendRefused, fault_of_word


def says_duplicate(words: str) -> bool:
    """Whether they say that they have seen the request before, by its key or by what it asks for."""
    return "duplicate" in words.lower()


def already_submitted(words: str) -> SendRefused:
    """
    Returns the refusal for a request that they have seen before.

    They do not give the first answer again. That this service asks them means that it does not know that answer
    either, so all that is known is that the request was submitted.
    """
    return SendRefused(
        Fault.SEND_OUTCOME_UNKNOWN,
        f"Africa's Talking has this request already, so it was submitted before: {quoted(words)}; "
        "its status callback or its record there says what became of it",
        details={"atStatus": quoted(words), "duplicate": "true"},
    )


def refused(words: str) -> SendRefused:
    """Returns the refusal that their words amount to."""
    said = words.partition(":")[0]
    fault = Fault.INSUFFICIENT_BALANCE if "insufficient" in words.lower() else fault_of_word(said)
    if fault.may_be_retried:
        # The words that may be retried are of SMS; nothing says that they mean the same here.
        fault = Fault.REJECTED
    return SendRefused(
        fault, f"Africa's Talking refused the request: {quoted(words)}", details={"atStatus": quoted(words)}
    )
