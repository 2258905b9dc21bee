"""
Which sends were made: one Redis hash a key, njia:at:send:{digest of the key}.

Fields: `order` (digest of the request), `state` (sending, or an AnswerState), and either `owner` and `lease_until_ms`
while it is being sent or `answer` afterwards. The time is the server's, so that replicas need no equal clocks.
"""

from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from redis.asyncio import Redis, RedisCluster

from services.at_adapter.idempotency.answers import AnswerState, StoredAnswer
from storage.connection import store_errors

KEY_PREFIX = "njia:at:send:"

_CLAIM = """
local entry = redis.call('HMGET', KEYS[1], 'order', 'state', 'lease_until_ms', 'answer')
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if not entry[2] then
  redis.call('HSET', KEYS[1], 'order', ARGV[1], 'state', 'sending', 'owner', ARGV[2])
  redis.call('HSET', KEYS[1], 'lease_until_ms', now_ms + ARGV[3])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  return {'claimed', ''}
end
if entry[1] ~= ARGV[1] then
  return {'reused', ''}
end
if entry[2] ~= 'sending' then
  return {entry[2], entry[4] or ''}
end
local left_ms = entry[3] - now_ms
if left_ms > 0 then
  return {'sending', tostring(left_ms)}
end
redis.call('HSET', KEYS[1], 'state', 'unknown')
redis.call('HDEL', KEYS[1], 'owner', 'lease_until_ms')
return {'unknown', ''}
"""

_SETTLE = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'state', ARGV[2], 'answer', ARGV[3])
  redis.call('HDEL', KEYS[1], 'owner', 'lease_until_ms')
end
return 1
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """
    The send is ours to make.

    Attributes:
        key: Redis key of the entry.
        owner: Proves that it is ours when we settle it.
    """

    key: str
    owner: str


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


Claim = Claimed | UnderWay | KeyReused | StoredAnswer


class SendLedger:
    """
    The sends of all replicas. One trip to claim, one to settle.

    Args:
        redis: Where they are kept.
        lease_ms: How long a claim holds; longer than any send takes, or two answers could be given to one key.
        keep_seconds: How long a key is remembered, from its claim.
    """

    def __init__(self, redis: Redis | RedisCluster, lease_ms: int, keep_seconds: int) -> None:
        self._claim = redis.register_script(_CLAIM)
        self._settle = redis.register_script(_SETTLE)
        self._lease_ms = lease_ms
        self._keep_seconds = keep_seconds

    async def claim(self, key: str, order_digest: str) -> Claim:
        """
        Claims the send under this key, or says why it is not to be made.

        Raises:
            StoreUnavailable: Nothing was claimed as far as we know.
        """
        entry = f"{KEY_PREFIX}{{{sha256(key.encode()).hexdigest()}}}"
        owner = uuid4().hex
        with store_errors():
            word, value = await self._claim(
                keys=[entry], args=[order_digest, owner, self._lease_ms, self._keep_seconds]
            )
        match word:
            case b"claimed":
                return Claimed(entry, owner)
            case b"reused":
                return KeyReused()
            case b"sending":
                return UnderWay(int(value))
            case _:
                return StoredAnswer(AnswerState(word.decode()), value)

    async def settle(self, claimed: Claimed, answer: StoredAnswer) -> None:
        """
        Keeps the answer. Does nothing when the lease ran out and the send was already called unknown.

        Raises:
            StoreUnavailable: The answer is perhaps not kept.
        """
        with store_errors():
            await self._settle(keys=[claimed.key], args=[claimed.owner, answer.state.value, answer.body])

    async def free(self, claimed: Claimed) -> None:
        """
        Forgets the claim, so that the key may be used for the next attempt. Nothing was sent.

        Raises:
            StoreUnavailable: The key is perhaps not free; it then counts as unknown once the lease runs out.
        """
        with store_errors():
            await self._settle(keys=[claimed.key], args=[claimed.owner, "", b""])
