"""The filters that write numbers. They take numbers, and text that looks like a number."""

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from workflow.templates.errors import FilterError
from workflow.templates.signature import ArgumentError, Work, whole_number
from workflow.templates.values import as_text, number_in

_EXACT = Context(prec=5000, rounding=ROUND_HALF_UP)
_CODE = re.compile(r"[A-Z]{3}\Z")

_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the point of currencies that do not have two. Source: ISO 4217, list one, minor units."""


def number(decimals: Any = None) -> Work:
    """
    `number(decimals)` writes a number with commas between thousands and a point: 1234567.5 is `1,234,567.5`.

    `decimals` is 0 to 10 digits after the point, rounded half up; without it the number keeps the digits that it has.
    """
    digits = None if decimals is None else whole_number(decimals, "the decimals", 0, 10)
    return lambda value, _: _grouped(_decimal("number", value), digits)


def currency(code: Any, decimals: Any = None) -> Work:
    """
    `currency(code, decimals)` writes an amount with its currency in front: `KES 1,500.00`. The blank is a plain one.

    `code` is an ISO 4217 code in capitals. `decimals` is 0 to 10; without it the minor units of the currency (2 for
    KES, 0 for UGX). The value is in major units: 1500 is fifteen hundred shillings. Rounded half up.
    """
    if not isinstance(code, str) or not _CODE.match(code):
        raise ArgumentError('the currency is three capitals in quotes, such as "KES"')
    digits = _MINOR_DIGITS.get(code, 2) if decimals is None else whole_number(decimals, "the decimals", 0, 10)
    return lambda value, _: f"{code} {_grouped(_decimal('currency', value), digits)}"


def _decimal(name: str, value: object) -> Decimal:
    found: object = value
    if isinstance(value, str):
        found = number_in(value)
    if isinstance(found, bool) or not isinstance(found, int | float | Decimal):
        raise FilterError(name, "the value is no number")
    return Decimal(as_text(found)) if isinstance(found, float) else Decimal(found)


def _grouped(value: Decimal, decimals: int | None) -> str:
    if decimals is not None:
        value = _EXACT.quantize(value, _EXACT.scaleb(Decimal(1), -decimals))
    text = f"{value:,f}"
    if decimals is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if value else text.removeprefix("-")
