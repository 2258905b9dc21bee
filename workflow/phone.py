"""Phone numbers in E.164 (ITU-T E.164: a + and at most 15 digits)."""

import phonenumbers

from workflow.errors import NodeFailure, invalid

_NO_NUMBER = "one looks like +254711000001"
_REASONS = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: "no country has the code that it starts with",
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: "it has too few digits",
    phonenumbers.NumberParseException.TOO_SHORT_NSN: "it has too few digits",
    phonenumbers.NumberParseException.TOO_LONG: "it has too many digits",
}
"""The library's own words are for programmers."""


def normalised(number: str, default_country: str | None) -> str:
    """
    Returns `number` in E.164.

    Numbers that start with + need no country. Others are read as national numbers of `default_country`.

    Raises:
        NodeFailure: INVALID_PHONE_NUMBER, with what to do.
    """
    text = number.strip()
    if not text.startswith("+") and default_country is None:
        raise _unusable(text, "start it with + and the country code, or set settings.defaultCountry")
    try:
        parsed = phonenumbers.parse(text, default_country)
    except phonenumbers.NumberParseException as problem:
        raise _unusable(text, _REASONS.get(problem.error_type, _NO_NUMBER)) from None
    if not phonenumbers.is_possible_number(parsed):
        raise _unusable(text, "its length is not possible in its country")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _unusable(text: str, reason: str) -> NodeFailure:
    return invalid("INVALID_PHONE_NUMBER", f"{text[:20]!r} is not a phone number: {reason}")
