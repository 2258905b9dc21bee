"""
The fields of a callback.

They come as a form; some of their products post JSON, and proxies change the content type, so the body itself decides.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import orjson
import phonenumbers
from starlette.requests import Request

MAX_BODY_BYTES = 64 * 1024
MAX_FIELDS = 100

MAX_REQUIRED_CHARACTERS = 256
"""Ids, numbers and words of theirs have some forty; they become names of keys, so their length has a bound."""

LONGEST_SHORT_CODE_DIGITS = 8
"""Short codes have 3 to 6 digits, some networks give up to 8; a phone number with its country code has more."""


class BodyTooLarge(Exception):
    """The body is longer than MAX_BODY_BYTES."""


class UnusableCallback(Exception):
    """The body cannot be read, or a field that must be there is missing. The text says which, without its content."""


class CallbackFields:
    """The fields of one callback by their names at Africa's Talking."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """Returns a field as it came; empty when there is none."""
        return self._values.get(name, "")

    def required(self, name: str) -> str:
        """Returns a field without surrounding blanks. Raises UnusableCallback when there is none or it is too long."""
        value = self.optional(name)
        if not value:
            raise UnusableCallback(f"the field {name} is missing")
        return value

    def optional(self, name: str) -> str:
        """Returns a field without surrounding blanks; empty when there is none. Raises UnusableCallback: too long."""
        value = self.text(name).strip()
        if len(value) > MAX_REQUIRED_CHARACTERS:
            raise UnusableCallback(f"the field {name} has more than {MAX_REQUIRED_CHARACTERS} characters")
        return value

    def moment(self, name: str) -> datetime | None:
        """Returns a time, taken as UTC where it does not say; None when it is missing or no time."""
        text = self.text(name).strip()
        if text[10:11] == "+":
            # A blank that was encoded once and decoded never.
            text = f"{text[:10]} {text[11:]}"
        try:
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            # An offset may lead beyond the years 1 to 9999.
            return None


async def read_fields(request: Request) -> CallbackFields:
    """
    Reads the body of a callback.

    Raises:
        BodyTooLarge: It is longer than MAX_BODY_BYTES.
        UnusableCallback: It is neither a form nor a JSON object.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
    return CallbackFields(_json_fields(body) if body.lstrip().startswith(b"{") else _form_fields(body))


def phone_number(text: str) -> str:
    """
    Returns a phone number in E.164; short codes and sender names as they came.

    A plus sign that was not encoded arrives as a blank, so a number may come without it.
    """
    trimmed = text.strip()
    digits = trimmed.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) <= LONGEST_SHORT_CODE_DIGITS:
        return trimmed
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return trimmed
    if not phonenumbers.is_possible_number(number):
        return trimmed
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _form_fields(body: bytearray) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as problem:
        raise UnusableCallback("the body is not a form") from problem
    return dict(pairs)


def _json_fields(body: bytearray) -> Mapping[str, str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise UnusableCallback("the body is not JSON") from problem
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in document.items()
        if value is not None
    }
