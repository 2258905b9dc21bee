"""Sends one order under an idempotency key: check, claim, send, settle."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, Protocol, TypeVar

import structlog
from pydantic import TypeAdapter

from rpc.status import FieldViolation
from services.at_adapter.idempotency.answers import StoredAnswer, receipt_answer, refusal_answer, repeat
from services.at_adapter.idempotency.ledger import Claim, Granted, KeyReused, SendLedger, UnderWay, new_claim
from services.at_adapter.outgoing.faults import Fault, SendRefused
from services.at_adapter.outgoing.slots import SendSlots
from storage.batches import Call
from storage.connection import StoreUnavailable

MAX_KEY_CHARACTERS = 256
SEND_IN_PROGRESS_RETRY_MS = 500
SETTLE_DELAYS_SECONDS = (0.1, 0.4, 1.0)
"""Waits before the answer is written again. An answer that is never written makes the send unknown."""

_log = structlog.get_logger()


class Order(Protocol):
    """What is sent once, of whichever product."""

    def check(self) -> None:
        """Raises SendRefused when it cannot be sent as it is."""

    def digest(self) -> str:
        """Returns what tells two orders under one key apart, orders of other products too."""
        ...


T = TypeVar("T")
AnOrder = TypeVar("AnOrder", bound=Order)
Receipt = TypeVar("Receipt")


class Clearance(Protocol[AnOrder]):
    """What may stand between an order and those whom it is for."""

    def asked(self, order: AnOrder) -> Sequence[Call]:
        """Returns what is asked of Redis, in the trip that claims the key."""
        ...

    def cleared(self, order: AnOrder, answers: Sequence[Any]) -> AnOrder:
        """Returns the order as it may go out, by the answers. Raises SendRefused when it may not at all."""
        ...


class Unhindered(Generic[AnOrder]):
    """The clearance of what may always go out."""

    def asked(self, _: AnOrder) -> Sequence[Call]:
        """Nothing is asked."""
        return ()

    def cleared(self, order: AnOrder, _: Sequence[Any]) -> AnOrder:
        """Nothing is changed."""
        return order


class SendOnce(Generic[AnOrder, Receipt]):
    """
    The use case. `send` may be called by many at once.

    Args:
        deliver: Sends the order of this key to Africa's Talking; raises SendRefused.
        prepare: Asks the limit, and notes what must be known before the order of this key goes out; raises
            SendRefused or StoreUnavailable, and then nothing is sent.
        ledger: The sends of all replicas.
        slots: The bound of this process.
        receipt: Type of the receipts, a dataclass.
        clearance: Says to whom an order may go out.
    """

    def __init__(
        self,
        deliver: Callable[[str, AnOrder], Awaitable[Receipt]],
        prepare: Callable[[str, AnOrder], Awaitable[None]],
        ledger: SendLedger,
        slots: SendSlots,
        receipt: type[Receipt],
        clearance: Clearance[AnOrder],
    ) -> None:
        self._deliver = deliver
        self._prepare = prepare
        self._ledger = ledger
        self._slots = slots
        self._receipts = TypeAdapter(receipt)
        self._clearance = clearance
        self._under_way: set[asyncio.Task[Any]] = set()

    async def send(self, key: str, order: AnOrder) -> Receipt:
        """
        Sends the order once and returns its receipt; a repeated key gets the first answer.

        A caller that goes away does not stop a send that has begun, so that its answer is kept.

        Raises:
            SendRefused: It was refused, now or the first time.
            StoreUnavailable: Redis does not answer; nothing was sent.
        """
        if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
            violation = FieldViolation("idempotency_key", f"1 to {MAX_KEY_CHARACTERS} characters, not {len(key)}")
            raise SendRefused(Fault.INVALID_REQUEST, violation.description, violations=(violation,))
        order.check()
        return await asyncio.shield(self._track(self._send(key, order)))

    async def drain(self) -> None:
        """Waits until every send that has begun has ended; each is bounded by the time-outs of its requests."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _track(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Nobody may be left to ask; an exception that nobody asked for is reported as a fault of ours.
            task.exception()

    async def _send(self, key: str, order: AnOrder) -> Receipt:
        async with self._slots.place():
            claim = new_claim(key)
            granted = await self._ask_for(claim, order)
            match granted:
                case Granted(found):
                    return await self._send_claimed(key, claim, await self._cleared(claim, order, found))
                case StoredAnswer():
                    return repeat(granted, self._receipts)
                case UnderWay():
                    raise SendRefused(
                        Fault.SEND_IN_PROGRESS,
                        "a send with this key is under way; ask again for its answer",
                        retry_after_ms=min(granted.lease_left_ms, SEND_IN_PROGRESS_RETRY_MS),
                    )
                case KeyReused():
                    raise SendRefused(
                        Fault.IDEMPOTENCY_KEY_REUSED, "this idempotency key was used with another request"
                    )

    async def _ask_for(self, claim: Claim, order: AnOrder) -> Granted | UnderWay | KeyReused | StoredAnswer:
        try:
            return await self._ledger.claim(claim, order.digest(), self._clearance.asked(order))
        except StoreUnavailable:
            # It may have been granted and the answer lost; left alone it would count as unknown later on.
            self._track(self._persist(lambda: self._ledger.free(claim)))
            raise

    async def _cleared(self, claim: Claim, order: AnOrder, answers: Sequence[Any]) -> AnOrder:
        try:
            return self._clearance.cleared(order, answers)
        except SendRefused as refusal:
            answer = refusal_answer(refusal)
            await self._persist(lambda: self._ledger.settle(claim, answer))
            raise

    async def _send_claimed(self, key: str, claim: Claim, order: AnOrder) -> Receipt:
        try:
            await self._prepare(key, order)
        except (SendRefused, StoreUnavailable):
            await self._persist(lambda: self._ledger.free(claim))
            raise
        try:
            receipt = await self._deliver(key, order)
        except SendRefused as refusal:
            if refusal.fault.may_be_retried:
                await self._persist(lambda: self._ledger.free(claim))
            else:
                answer = refusal_answer(refusal)
                await self._persist(lambda: self._ledger.settle(claim, answer))
            raise
        except Exception as error:
            _log.exception("a send failed in a way that no one foresaw")
            unforeseen = SendRefused(
                Fault.SEND_OUTCOME_UNKNOWN, "the adapter failed while sending; it may have been carried out or not"
            )
            await self._persist(lambda: self._ledger.settle(claim, refusal_answer(unforeseen)))
            raise unforeseen from error
        await self._persist(lambda: self._ledger.settle(claim, receipt_answer(receipt)))
        return receipt

    async def _persist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Writes the outcome, with a few attempts. What cannot be written becomes unknown when the lease runs out."""
        for delay_seconds in SETTLE_DELAYS_SECONDS:
            try:
                return await write()
            except StoreUnavailable:
                await asyncio.sleep(delay_seconds)
        try:
            await write()
        except StoreUnavailable:
            _log.warning("the outcome of a send could not be kept; its key may count as unknown")
