"""What an incoming SMS begins with, and which waiting node it answers."""

from collections.abc import Mapping, Sequence
from typing import Any

_AROUND = "\"'`“”„‘’‚«»‹›.,:;!?¡¿…()[]<>#*-_"  # noqa: RUF001 (phones set such quotes)
"""What people write around a keyword: it ends a sentence, or is copied with its quotes from a poster."""


def keywords(message: str) -> Sequence[str]:
    """Returns what a message may begin with: its first word as it stands, and without marks around it (`Price.`)."""
    word = next(iter(message.split(maxsplit=1)), "")
    return word, word.strip(_AROUND)


def reply_name(msisdn: str, short_code: str) -> str:
    """Names what waits for an SMS of a phone; without a short code it takes one to whatever number."""
    return f"sms-from:{msisdn}:{short_code}"


def is_reply(memory: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """Whether a message is what a waiting node asked for; `memory` is what it left in its wait."""
    keyword = memory["keyword"]
    return (
        memory["msisdn"] == message["msisdn"]
        and memory["shortCode"] in ("", message["shortCode"])
        and (keyword is None or keyword.casefold() in keywords(message["message"].casefold()))
    )
