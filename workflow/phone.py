"""Phone numbers in E.164 (ITU-T E.164: a + and at most 15 digits)."""

import phonenumbers

from workflow.errors import NodeFailure, invalid


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
        raise _unusable(text, str(problem)) from None
    if not phonenumbers.is_possible_number(parsed):
        raise _unusable(text, "its length is not possible in its country")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _unusable(text: str, reason: str) -> NodeFailure:
    return invalid("INVALID_PHONE_NUMBER", f"{text[:20]!r} is not a phone number: {reason}")
