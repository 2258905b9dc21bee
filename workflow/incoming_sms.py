"""What an incoming SMS begins with, and which waiting node it answers."""

from collections.abc import Mapping
from typing import Any


def first_word(message: str) -> str:
    """Returns the first word of a message; empty where it has none."""
    return next(iter(message.split(maxsplit=1)), "")


def reply_name(msisdn: str, short_code: str) -> str:
    """Names what waits for an SMS of a phone; without a short code it takes one to whatever number."""
    return f"sms-from:{msisdn}:{short_code}"


def is_reply(memory: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """Whether a message is what a waiting node asked for; `memory` is what it left in its wait."""
    keyword = memory["keyword"]
    return (
        memory["msisdn"] == message["msisdn"]
        and memory["shortCode"] in ("", message["shortCode"])
        and (keyword is None or first_word(message["message"]).casefold() == keyword.casefold())
    )
