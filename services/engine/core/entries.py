"""
What a person typed in a turn.

Africa's Talking sends all that was typed in a USSD session, joined by *: what is new is what follows the text of the
callback before, not what follows the last *, since a person can type a * too. A session's first callback may carry
entries already, when a longer code was dialled (*384*1*2#).

It is read as the person means it. The text itself stays as it came: it names the turn.
"""

from collections.abc import Mapping
from typing import Any

from workflow.entry import as_meant
from workflow.templates import as_text


def dialled_entries(payload: Mapping[str, Any], skip: int) -> list[str]:
    """
    Returns what the first callback of a USSD session brings for the screens to come.

    Args:
        skip: Characters at the beginning of its text that were not for the flow.
    """
    text = payload.get("text")
    return [as_meant(entry) for entry in text[skip:].split("*")] if isinstance(text, str) and text[skip:] else []


def next_entry(payload: Mapping[str, Any], previous_text: str) -> str:
    """Returns the newest entry of a later turn; `previous_text` is the cumulative text of the turn before."""
    # A caller of the API may send a number where a phone sends its digits.
    typed = payload.get("input")
    if typed not in (None, ""):
        return as_meant(as_text(typed))
    text = payload.get("text")
    if isinstance(text, str) and text:
        return as_meant(text.removeprefix(f"{previous_text}*") if previous_text else behind_empty(text))
    return as_meant(as_text(payload.get("message") or ""))


def behind_empty(text: str) -> str:
    """
    Returns what was typed behind an empty text.

    Who sends an empty answer to the first screen leaves the text as it was, so that callback is a repetition; the next
    answer comes behind a * that nobody typed.
    """
    return text.lstrip("*")
