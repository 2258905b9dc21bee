"""One airtime order and what became of it."""

from dataclasses import dataclass
from hashlib import sha256

import orjson

from services.at_adapter.outgoing.money import Money, check_money
from services.at_adapter.outgoing.numbers import check_number


@dataclass(frozen=True, slots=True)
class AirtimeOrder:
    """
    Airtime for one phone: one recipient a request, so that one key at their side stands for one amount.

    Attributes:
        number: Phone number in E.164.
        money: How much.
    """

    number: str
    money: Money

    def digest(self) -> str:
        """Returns what tells two orders under one key apart, 64 hexadecimal digits."""
        return sha256(orjson.dumps(["airtime", self])).hexdigest()

    def check(self) -> None:
        """Raises SendRefused: INVALID_PHONE_NUMBER, INVALID_AMOUNT or INVALID_REQUEST."""
        check_number(self.number, "number")
        check_money(self.money)


@dataclass(frozen=True, slots=True)
class AirtimeReceipt:
    """
    What became of an order that was taken, in their words.

    Attributes:
        request_id: Id that status callbacks carry.
        status: Such as Sent: handed to the network.
        amount: Such as "KES 10.0000".
        discount: Such as "KES 0.4000".
    """

    request_id: str
    status: str
    amount: str
    discount: str
