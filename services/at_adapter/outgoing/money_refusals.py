"""What refusals of airtime and payments have in common: they come as words, not as codes."""

from services.at_adapter.outgoing.answers import quoted
from services.at_adapter.outgoing.faults import Fault, SendRefused, fault_of_word
from services.at_adapter.outgoing.transport import HttpAnswer


def says_duplicate(words: str) -> bool:
    """Whether they say that they have seen the request before, by its key or by what it asks for."""
    return "duplicate" in words.lower()


def already_submitted(words: str, answer: HttpAnswer) -> SendRefused:
    """
    Returns the refusal for a request that they have seen before.

    They do not give the first answer again. That this service asks them means that it does not know that answer
    either, so all that is known is that the request was submitted.
    """
    said = quoted(words, answer.told)
    return SendRefused(
        Fault.SEND_OUTCOME_UNKNOWN,
        f"Africa's Talking has this request already, so it was submitted before: {said}; "
        "its status callback or its record there says what became of it",
        details={"atStatus": said, "duplicate": "true"},
    )


def refused(words: str, answer: HttpAnswer) -> SendRefused:
    """Returns the refusal that their words amount to."""
    word = words.partition(":")[0]
    fault = Fault.INSUFFICIENT_BALANCE if "insufficient" in words.lower() else fault_of_word(word)
    if fault.may_be_retried:
        # The words that may be retried are of SMS; nothing says that they mean the same here.
        fault = Fault.REJECTED
    said = quoted(words, answer.told)
    return SendRefused(fault, f"Africa's Talking refused the request: {said}", details={"atStatus": said})
