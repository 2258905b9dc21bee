"""Reads the application's answer as the gateway does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from emulator.callbacks import CallbackAnswer
from emulator.networks import ussd_limits
from workflow.screens import screen_size

HOP_METADATA_HEADER = "at-ussd-hop-metadata"
MAX_HOP_METADATA = 99
"""Longest value of that header, in characters."""

BAD_START = "Response should start with a CON or an END"
"""The original's words."""


@dataclass(frozen=True, slots=True)
class Screen:
    """
    What the phone shows.

    Attributes:
        kind: CON when the session goes on.
        text: The words without CON or END.
        error: Why the network ended the session, None when the application did.
        error_code: callback_unreachable, callback_timeout, callback_answer_too_long, callback_status,
            callback_body, or None.
        warnings: What would look wrong on a real phone.
    """

    kind: Literal["CON", "END"]
    text: str
    error: str | None = None
    error_code: str | None = None
    warnings: tuple[str, ...] = ()


def failed(code: str, message: str) -> Screen:
    """Returns the end of a session that the application did not answer properly."""
    return Screen("END", "", error=message, error_code=code)


def read_screen(answer: CallbackAnswer, network_code: str) -> Screen:
    """Returns the screen that an answer makes on this network."""
    if not 200 <= answer.status < 300:
        return failed("callback_status", f"the application answered HTTP {answer.status}")
    body = answer.body.decode("utf-8", errors="replace")
    kind: Literal["CON", "END"] | None = "CON" if body.startswith("CON") else "END" if body.startswith("END") else None
    if kind is None:
        return failed("callback_body", BAD_START)
    text = body[3:].removeprefix(" ")
    return Screen(kind, text, warnings=tuple(_warnings(body, text, answer, network_code)))


def hop_metadata(headers: Mapping[str, str]) -> str | None:
    """Returns what the application wants to have back with the next callback, None when it is not carried."""
    value = headers.get(HOP_METADATA_HEADER)
    return value if value is not None and _carried(value) else None


def input_warnings(text: str, network_code: str) -> list[str]:
    """Returns what is wrong with an input on this network."""
    limits = ussd_limits(network_code)
    if len(text) > limits.input_characters:
        return [f"the input has {len(text)} characters; {limits.network} takes {limits.input_characters}"]
    return []


def _carried(value: str) -> bool:
    return len(value) <= MAX_HOP_METADATA and "|" not in value


def _warnings(body: str, text: str, answer: CallbackAnswer, network_code: str) -> list[str]:
    warnings = []
    limits = ussd_limits(network_code)
    size = screen_size(text, limits.screen_characters)
    if not size.fits:
        why = "" if size.is_gsm else " where one is beyond the GSM alphabet"
        warnings.append(f"the screen has {size.taken} characters; {limits.network} shows {size.room} at a time{why}")
    if not text.strip():
        warnings.append("the screen is empty")
    if body[3:4] not in (" ", ""):
        warnings.append("CON and END are followed by a space")
    if not answer.headers.get("content-type", "").startswith("text/plain"):
        warnings.append("the content type is not text/plain")
    value = answer.headers.get(HOP_METADATA_HEADER)
    if value is not None and not _carried(value):
        warnings.append(f"{HOP_METADATA_HEADER} is not carried: at most {MAX_HOP_METADATA} characters and no |")
    return warnings
