"""
What a person typed in a turn.

Africa's Talking sends all that was typed in a USSD session, joined by *: what is new is what follows the text of the
callback before, not what follows the last *, since a person can type a * too. A session's first callback may carry
entries already, when a longer code was dialled (*384*1*2#).
"""

from services.engine.core.state import Turn
from workflow.templates import as_text


def first_entries(turn: Turn) -> list[str]:
    """Returns what a first turn brings for the screens to come."""
    return turn.key.split("*") if turn.key else []


def next_entry(turn: Turn, previous_text: str) -> str:
    """Returns the newest entry of a later turn; `previous_text` is the cumulative text of the turn before."""
    if turn.key is not None:
        return _newest(turn.key, previous_text)
    # A caller of the API may send a number where a phone sends its digits.
    typed = turn.payload.get("input")
    if typed not in (None, ""):
        return as_text(typed)
    text = turn.payload.get("text")
    if isinstance(text, str) and text:
        return _newest(text, previous_text)
    return as_text(turn.payload.get("message") or "")


def _newest(text: str, previous_text: str) -> str:
    return text.removeprefix(f"{previous_text}*") if previous_text else text
