"""Sizes of texts on GSM networks, and phone numbers."""

import re

import pytest
from hypothesis import given, strategies as st

from workflow.errors import NodeFailure
from workflow.gsm import BASIC, EXTENSION, septets, sms_segments, ucs2_units
from workflow.phone import normalised


def test_the_alphabet_is_whole() -> None:
    """128 places in the basic table, one of which is the escape to the extension table of ten characters."""
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 0), ("Habari", 6), ("€", 2), ("{}", 4), ("line\nline", 9), ("ñ@£", 3), ("ç", None), ("😀", None)],
)
def test_septets(text: str, size: int | None) -> None:
    assert septets(text) == size


@pytest.mark.parametrize(("text", "units"), [("", 0), ("abc", 3), ("ç", 1), ("😀", 2)])
def test_ucs2_units(text: str, units: int) -> None:
    assert ucs2_units(text) == units


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "GSM7", 1),
        ("x" * 160, "GSM7", 1),
        ("x" * 161, "GSM7", 2),
        ("x" * 306, "GSM7", 2),
        ("x" * 307, "GSM7", 3),
        ("€" * 80, "GSM7", 1),
        ("€" * 81, "GSM7", 2),
        # 153 is odd: the escape and its character stay together, so that a part holds 76 of them.
        ("€" * 153, "GSM7", 3),
        ("ç" * 70, "UCS2", 1),
        ("ç" * 71, "UCS2", 2),
        ("ç" * 134, "UCS2", 2),
        ("ç" * 135, "UCS2", 3),
        # 67 is odd: the two halves of a pair stay together.
        ("😀" * 35, "UCS2", 1),
        ("😀" * 67, "UCS2", 3),
    ],
)
def test_segments(text: str, encoding: str, segments: int) -> None:
    size = sms_segments(text)
    assert (size.encoding, size.segments) == (encoding, segments)


def test_ucs2_can_be_asked_for() -> None:
    assert (sms_segments("x" * 71, "UCS2").encoding, sms_segments("x" * 71, "UCS2").segments) == ("UCS2", 2)


@given(st.text(max_size=400))
def test_a_message_always_has_room(text: str) -> None:
    size = sms_segments(text)
    rooms = {"GSM7": (160, 153), "UCS2": (70, 67)}[size.encoding]
    assert size.segments >= 1
    assert size.units <= (rooms[0] if size.segments == 1 else rooms[1] * size.segments)


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("+254711000001", None),
        (" +254 711-000 001 ", None),
        ("0711000001", "KE"),
        ("711000001", "KE"),
        ("254711000001", "KE"),
        ("+254711000001", "UG"),
    ],
)
def test_a_number_becomes_e164(written: str, country: str | None) -> None:
    assert normalised(written, country) == "+254711000001"


@pytest.mark.parametrize(
    ("written", "country"), [("", None), ("0711000001", None), ("+", None), ("+1", None), ("hello", "KE"), ("12", "KE")]
)
def test_what_is_no_number_is_refused(written: str, country: str | None) -> None:
    with pytest.raises(NodeFailure, match="INVALID_PHONE_NUMBER"):
        normalised(written, country)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("+2547", "it has too few digits"),
        ("+" + "2547" * 6, "it has too many digits"),
        ("+999711000001", "no country has the code"),
        ("+hello", "one looks like +254711000001"),
        ("0711", "start it with +"),
    ],
)
def test_what_a_number_lacks_is_told_in_plain_words(written: str, words: str) -> None:
    with pytest.raises(NodeFailure) as refusal:
        normalised(written, None)
    assert words in refusal.value.error.message


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        number = normalised(text, "KE")
    except NodeFailure:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{1,16}", number)
