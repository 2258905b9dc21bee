"""
Which sends were made: one Redis hash a key, njia:at:send:{digest of the key}.

Fields: `order` (digest of the request), `state` (sending, or an AnswerState), and either `owner` and `lease_until_ms`
while it is being sent or `answer` afterwards. The time is the server's, so that replicas need no equal clocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from services.at_adapter.idempotency.answers import AnswerState, StoredAnswer
from storage.batches import Call, run_in_stages
from storage.connection import Client, store_errors
from storage.scripts import Script, ScriptCall

KEY_PREFIX = "njia:at:send:"


@dataclass(frozen=True, slots=True)
class Claim:
    """
    Our claim to a send, made before it is asked for.

    Attributes:
        entry: Redis key of the send.
        owner: Proves that the claim is ours, 32 hexadecimal digits.
    """

    entry: str
    owner: str


@dataclass(frozen=True, slots=True)
class Granted:
    """
    The send is ours to make.

    Attributes:
        found: Answers to what was asked beside the claim.
    """

    found: Sequence[Any]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """
    Somebody makes the send now.

    Attributes:
        lease_left_ms: At most how long until its outcome is known, one way or the other.
    """

    lease_left_ms: int


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key names another request."""


class SendLedger:
    """
    The sends of all replicas. One trip to claim, one to settle.

    Args:
        client: Where they are kept.
        lease_ms: How long a claim holds; longer than any send takes, or two answers could be given to one key.
        keep_seconds: How long a key is remembered, from its claim.
    """

    def __init__(self, client: Client, lease_ms: int, keep_seconds: int) -> None:
        self._client = client
        self._claim = Script.load(__package__, "claim")
        self._settle = Script.load(__package__, "settle")
        self._free = Script.load(__package__, "free")
        self._lease_ms = lease_ms
        self._keep_seconds = keep_seconds

    async def claim(
        self, claim: Claim, order_digest: str, beside: Sequence[Call]
    ) -> Granted | UnderWay | KeyReused | StoredAnswer:
        """
        Asks for the send, or says why it is not to be made; `beside` is asked in the same trip.

        Raises:
            StoreUnavailable: The claim may have been granted and its answer lost; it is to be freed.
        """
        with store_errors():
            asked = ScriptCall(
                self._claim, [claim.entry], [order_digest, claim.owner, self._lease_ms, self._keep_seconds]
            )
            [[*found, (word, value)]] = await run_in_stages(self._client, [*beside, asked])
        match word:
            case b"claimed":
                return Granted(found)
            case b"reused":
                return KeyReused()
            case b"sending":
                return UnderWay(int(value))
            case _:
                return StoredAnswer(AnswerState(word.decode()), value)

    async def settle(self, claim: Claim, answer: StoredAnswer) -> None:
        """
        Keeps the answer. Does nothing when the lease ran out and the send was already called unknown.

        Raises:
            StoreUnavailable: The answer is perhaps not kept.
        """
        with store_errors():
            await self._settle.run(self._client, [claim.entry], [claim.owner, answer.state.value, answer.body])

    async def free(self, claim: Claim) -> None:
        """
        Forgets the claim, so that the key may be used for the next attempt. Nothing was sent.

        Raises:
            StoreUnavailable: The key is perhaps not free; it then counts as unknown once the lease runs out.
        """
        with store_errors():
            await self._free.run(self._client, [claim.entry], [claim.owner])


def new_claim(key: str) -> Claim:
    """Returns a claim to the send under this idempotency key. Keys are hashed: they may hold anything."""
    return Claim(f"{KEY_PREFIX}{{{sha256(key.encode()).hexdigest()}}}", uuid4().hex)
