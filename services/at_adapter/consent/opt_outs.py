"""
Who has opted out of the messages of a sender: one Redis hash a sender, njia:at:opted-out:{sender}, with the time by
number; njia:at:opted-out names the senders. Both are kept until the opt-out is lifted: forgetting one would make us
write again to somebody who asked us not to.

Africa's Talking tells of opt-outs and does not say that it keeps messages back by itself.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.at_adapter.consent.pages import Page, page_of
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.sms import Recipient, SmsOrder, SmsReceipt
from storage.batches import Call, run_in_stages
from storage.connection import Client, store_errors
from storage.scripts import Script

SENDERS_KEY = "njia:at:opted-out"
KEY_PREFIX = "njia:at:opted-out:"

ANY_SENDER = ""
"""Sender of an opt-out that names none: it holds for all of them."""

DEFAULT_SENDER = "AFRICASTKNG"
"""What a message goes out as that names no sender."""

OPTED_OUT = "OptedOut"
"""Status of a recipient that was left out."""

USER_IN_BLACKLIST = 406
"""Their code for somebody who refuses a sender."""


Deliver = Callable[[str, SmsOrder], Awaitable[SmsReceipt]]


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody who wants nothing more of a sender. `at_ms` is Unix time."""

    number: str
    at_ms: int


class OptOuts:
    """The opt-outs, of all replicas. Everything raises StoreUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lift_before = Script.load(__package__, "lift_before")
        self._unwritten: set[tuple[str, str]] = set()

    def asked(self, order: SmsOrder) -> Sequence[Call]:
        """
        Returns what must be known before an order goes out, to be asked together with other things.

        A premium message answers somebody, or goes to who has subscribed: there they decide themselves.
        """
        if order.premium is not None:
            return ()
        senders = (order.sender or DEFAULT_SENDER, ANY_SENDER)
        return [("HMGET", _key(sender), *order.to) for sender in senders]

    def cleared(self, order: SmsOrder, answers: Sequence[Any]) -> SmsOrder:
        """Returns the order as it may go out, by the answers. Raises SendRefused (OPTED_OUT) when to nobody."""
        senders = (order.sender or DEFAULT_SENDER, ANY_SENDER)
        refuse = {
            number
            for sender, answer in zip(senders, answers, strict=False)
            for number, opted_out_at in zip(order.to, answer, strict=True)
            if opted_out_at is not None or (_name(sender), number) in self._unwritten
        }
        if not refuse:
            return order
        if refuse.issuperset(order.to):
            raise SendRefused(
                Fault.OPTED_OUT,
                "everybody whom the message is for has opted out of this sender; LiftOptOut takes an opt-out back",
            )
        wanted = tuple(number for number in order.to if number not in refuse)
        return replace(order, to=wanted, left_out=tuple(number for number in order.to if number in refuse))

    async def add(self, sender: str, number: str, at_ms: int) -> None:
        """Keeps an opt-out that was told at this time, Unix ms; the time of the first one stands."""
        named = [("SADD", SENDERS_KEY, _name(sender))]
        with store_errors():
            await run_in_stages(self._client, named, [("HSETNX", _key(sender), number, at_ms)])

    def expect(self, sender: str, number: str) -> None:
        """Honours an opt-out, in this process, that waits to be kept."""
        self._unwritten.add((_name(sender), number))

    def expect_no_more(self, sender: str, number: str) -> None:
        """Forgets that an opt-out waits to be kept: it is kept now, or lost."""
        self._unwritten.discard((_name(sender), number))

    async def lift(self, sender: str, number: str) -> bool:
        """Forgets an opt-out; returns whether there was one."""
        with store_errors():
            [[removed]] = await run_in_stages(self._client, [("HDEL", _key(sender), number)])
        return bool(removed)

    async def lift_before(self, sender: str, number: str, at_ms: int) -> None:
        """Forgets an opt-out that was told of at this time, Unix ms, or before; one that came later stands."""
        with store_errors():
            await self._lift_before.run(self._client, [_key(sender)], [number, at_ms])

    async def senders(self) -> Sequence[str]:
        """Returns the senders that somebody has ever opted out of, upper case; ANY_SENDER may be among them."""
        with store_errors():
            [[found]] = await run_in_stages(self._client, [("SMEMBERS", SENDERS_KEY)])
        return sorted(name.decode() for name in found)

    async def page(self, sender: str, size: int, token: str) -> Page[OptOut]:
        """Lists the opt-outs of a sender, in no order."""
        return await page_of(self._client, _key(sender), size, token, lambda number, at: OptOut(number, int(at)))


def telling_of_left_out(deliver: Deliver) -> Deliver:
    """Wraps what delivers orders: the receipt tells also of those whom an order did not go out to."""

    async def delivered(key: str, order: SmsOrder) -> SmsReceipt:
        receipt = await deliver(key, order)
        rows = tuple(Recipient(number, OPTED_OUT, USER_IN_BLACKLIST, "", "0") for number in order.left_out)
        return replace(receipt, recipients=(*receipt.recipients, *rows))

    return delivered


def _name(sender: str) -> str:
    # Networks show a sender in the case that it was registered in, and callbacks name it in another.
    return sender.strip().upper()


def _key(sender: str) -> str:
    return KEY_PREFIX + _name(sender)
