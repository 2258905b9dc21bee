"""What the phone of a session is shown, in Redis, beside what its execution writes."""

from services.engine import ids
from services.engine.core.state import Reply
from services.engine.store import keys, records
from services.engine.store.execution_store import Continued, Interrupted, Newest
from services.engine.store.lifetimes import CLOSED_LEDGER_LIFE_MS, LEDGER_LIFE_MS
from services.engine.store.redis.calls import answer_of, redis_calls
from services.engine.store.scripts import script
from storage.connection import Client

_ANSWER_LATE = script("answer_late")
_OFFER = script("offer")
_CONTINUE = script("continue")


class RedisLedgers:
    """A part of RedisStore."""

    _client: Client

    async def live_on(self, session_id: str) -> str | None:
        with redis_calls():
            found = await self._client.hget(keys.ledger(ids.partition_of_session(session_id), session_id), "execution")
        return found.decode() if isinstance(found, bytes) else None

    async def answer_of(self, session_id: str, mark: str) -> Reply | None:
        partition = ids.partition_of_session(session_id)
        with redis_calls():
            answer = await self._client.hget(keys.ledger(partition, session_id), f"a:{mark}")
        return records.reply_from_bytes(answer) if isinstance(answer, bytes) else None

    async def newest_of(self, session_id: str) -> Newest | None:
        partition = ids.partition_of_session(session_id)
        with redis_calls():
            last, reply = await self._client.hmget(keys.ledger(partition, session_id), ["last", "reply"])
        if not isinstance(last, bytes):
            return None
        mark = last.decode()
        return Newest(mark, isinstance(reply, bytes) and records.reply_from_bytes(reply).turn == mark)

    async def answer_late(self, session_id: str, mark: str, reply: Reply) -> Reply:
        answer = await answer_of(
            _ANSWER_LATE.run(
                self._client,
                [keys.ledger(ids.partition_of_session(session_id), session_id)],
                [mark, records.reply_to_bytes(reply), int(reply.kind == "end"), CLOSED_LEDGER_LIFE_MS],
            )
        )
        return records.reply_from_bytes(answer)

    async def offer(self, session_id: str, mark: str, interrupted: Interrupted, prompt: Reply) -> Reply:
        answer = await answer_of(
            _OFFER.run(
                self._client,
                [keys.ledger(ids.partition_of_session(session_id), session_id)],
                [mark, records.interrupted_to_bytes(interrupted), records.reply_to_bytes(prompt), LEDGER_LIFE_MS],
            )
        )
        return records.reply_from_bytes(answer)

    async def continue_with(self, session_id: str, mark: str, continued: Continued, screen: Reply) -> None:
        earlier = continued.interrupted.session_id
        with redis_calls():
            # The phone of the earlier session may have been told that it is over.
            await self._client.hdel(keys.ledger(ids.partition_of_session(earlier), earlier), "closed", "hung_up")
        await answer_of(
            _CONTINUE.run(
                self._client,
                [keys.ledger(ids.partition_of_session(session_id), session_id)],
                [mark, records.continued_to_bytes(continued), records.reply_to_bytes(screen), LEDGER_LIFE_MS],
            )
        )
