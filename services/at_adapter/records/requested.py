"""
What was asked for a moment ago, so that Africa's Talking can ask back whether it was us: one sorted set in Redis for
each product, number and amount, njia:at:requested:{digest}.

Members are requests (r:<digest of the key>) and validated transactions (t:<id>), by when. A request stands for one
transaction: its first validation turns it into that transaction, and the same transaction is validated again.
"""

from hashlib import sha256

from services.at_adapter.outgoing.money import Money
from storage.connection import Client, store_errors
from storage.scripts import Script

KEY_PREFIX = "njia:at:requested:"

AIRTIME, B2C = "airtime", "b2c"

WINDOW_MS = 600_000
"""How long after a request its transaction may be validated."""


class Requested:
    """
    Args:
        client: Where they are kept.
        product: AIRTIME or B2C.
    """

    def __init__(self, client: Client, product: str) -> None:
        self._client = client
        self._product = product
        self._note = Script.load(__package__, "note")
        self._validate = Script.load(__package__, "validate")

    async def note(self, key: str, number: str, money: Money) -> None:
        """Notes that the request of this idempotency key is about to go out. Raises StoreUnavailable."""
        member = f"r:{sha256(key.encode()).hexdigest()}"
        with store_errors():
            await self._note.run(self._client, [self._name(number, money)], [member, WINDOW_MS])

    async def validates(self, transaction_id: str, number: str, money: Money) -> bool:
        """Tells whether a transaction was requested within WINDOW_MS, each request once. Raises StoreUnavailable."""
        with store_errors():
            found = await self._validate.run(
                self._client, [self._name(number, money)], [f"t:{transaction_id}", WINDOW_MS]
            )
        return bool(found)

    def _name(self, number: str, money: Money) -> str:
        what = f"{self._product} {number} {money.currency} {money.units}"
        return f"{KEY_PREFIX}{{{sha256(what.encode()).hexdigest()}}}"
