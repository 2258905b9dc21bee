"""No phone number in clear."""

import pytest
from hypothesis import given, strategies as st

from telemetry.masking import mask_msisdn, mask_text, mask_value


@pytest.mark.parametrize(
    ("msisdn", "masked"),
    [
        ("+254711000001", "+2547*****001"),
        ("254711000001", "2547*****001"),
        ("0711000001", "07*****001"),
        ("+2348012345678", "+2348******678"),
        ("12345678", "*****678"),
        ("1234567", "*******"),
        ("", ""),
    ],
)
def test_the_middle_of_a_number_is_masked(msisdn: str, masked: str) -> None:
    assert mask_msisdn(msisdn) == masked


@given(st.text("0123456789", min_size=7, max_size=15))
def test_at_least_five_digits_are_hidden_and_the_length_stays(digits: str) -> None:
    masked = mask_msisdn(f"+{digits}")

    assert len(masked) == len(digits) + 1
    assert masked.count("*") >= 5


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +254711000001, then +254722000002", "to +2547*****001, then +2547*****002"),
        ("+254 711 000-001", "+254 ********001"),
        ("GET /api/sessions?msisdn=%2B254711000001&x=1", "GET /api/sessions?msisdn=%2B25*******001&x=1"),
        ("sip:254711000001@ke", "sip:2547*****001@ke"),
        ("call 0711000001.", "call 07*****001."),
        ('{"msisdn":"254711000001"}', '{"msisdn":"2547*****001"}'),
    ],
)
def test_numbers_inside_of_a_text_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T08:30:00.123Z",
        "0190b5d2-7a61-7c3e-8a4d-123456789012",
        "exec_01HZX4T9V0123456789",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "1*2*384",
        "12345",
        "0.123456789012",
        "workflow version 12, 34567 ms",
    ],
)
def test_ids_times_and_short_codes_stay(text: str) -> None:
    assert mask_text(text) == text


def test_values_are_masked_wherever_they_are() -> None:
    number = "+254711000001"
    value = {"a": [number, {number: (number, 5, None, True)}], "e": ValueError(number), "b": number.encode()}

    assert mask_value(value) == {
        "a": ["+2547*****001", {"+2547*****001": ["+2547*****001", 5, None, True]}],
        "e": "+2547*****001",
        "b": "+2547*****001",
    }
