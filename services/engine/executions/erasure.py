"""
Erases what is kept of a phone number.

There is no index from numbers to executions: every execution that is kept is looked at, a bounded batch at a time.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from services.engine import ids
from services.engine.errors import EngineError, InvalidRequest
from services.engine.executions.executions import Executions
from services.engine.store import keys, records
from services.engine.store.redis.calls import redis_calls
from services.engine.store.scripts import script
from storage.batches import answers_of, run_in_stages
from storage.connection import Client
from storage.scripts import ScriptCall
from workflow.money import AIRTIME, PAYMENT

BATCH = 100
"""Executions of one partition that are read in one round trip."""

REPORTED = ("sms", AIRTIME, PAYMENT)
"""Channels of what is reported of a phone number."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_ERASE = script("prelude", "erase")

CALL = "call:"
"""What the name of a call begins with among those that the outside knows of an execution."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erased:
    """
    What was erased.

    Attributes:
        left: Executions that still end; a repeat erases them.
    """

    executions: int
    left: int
    sessions: int
    value_sets: int
    unclaimed: int


SessionsErasure = Callable[[str], Awaitable[tuple[int, int]]]
"""Erases the sessions of a number and the values that flows keep of it; returns how many of each."""


class Erasure:
    """Erases in the engine's own store, and has the sessions service do the same."""

    def __init__(self, client: Client, executions: Executions, erase_sessions: SessionsErasure) -> None:
        self._client = client
        self._executions = executions
        self._erase_sessions = erase_sessions

    async def erase(self, msisdn: str) -> Erased:
        """Raises InvalidRequest, SessionsUnavailable, StoreUnavailable."""
        if not _E164.fullmatch(msisdn):
            raise InvalidRequest("msisdn", "must be a phone number in E.164, such as +254711000001")
        names = re.compile(rb"(?<![0-9])" + msisdn[1:].encode() + rb"(?![0-9])")
        with redis_calls():
            found = [it for partition in range(ids.PARTITIONS) for it in await self._that_name(names, partition)]
            erased = [await self._erase(execution_id) for execution_id in found]
            unclaimed = await self._erase_unclaimed(names)
            await self._erase_reports(msisdn)
        # Executions first: the end of one may still write to its session.
        sessions, value_sets = await self._erase_sessions(msisdn)
        return Erased(erased.count(True), erased.count(False), sessions, value_sets, unclaimed)

    async def _that_name(self, names: "re.Pattern[bytes]", partition: int) -> Sequence[str]:
        found: list[str] = []
        start = 0
        while True:
            batch: Any = await self._client.zrange(keys.executions(partition, None), start, start + BATCH - 1)
            if not batch:
                return found
            execution_ids = [execution_id.decode() for execution_id in batch]
            pipeline = self._client.pipeline(transaction=False)
            for execution_id in execution_ids:
                pipeline.hget(keys.execution(partition, execution_id), "state")
                pipeline.lrange(keys.turns(partition, execution_id), 0, -1)
                pipeline.lrange(keys.results(partition, execution_id), 0, -1)
            texts = iter(await answers_of(pipeline))
            for execution_id in execution_ids:
                state, turns, results = next(texts), next(texts), next(texts)
                if any(names.search(text) for text in (state or b"", *turns, *results)):
                    found.append(execution_id)
            start += BATCH

    async def _erase(self, execution_id: str) -> bool:
        """Erases an execution; returns False where it has not ended yet."""
        partition = ids.partition_of_execution(execution_id)
        assert partition is not None
        execution = keys.execution(partition, execution_id)
        status = await self._client.hget(execution, "status")
        if status == b"running":
            try:
                await self._executions.cancel(execution_id)
            except EngineError as problem:
                _log.info("an execution to be erased has not ended", execution_id=execution_id, why=str(problem))
        state: Any = await self._client.hget(execution, "state")
        correlated: Any = await self._client.lrange(keys.correlations(partition, execution_id), 0, -1)
        names = [name.decode() for name in correlated]
        session_id = None if state is None else records.state_from_bytes(state).session_id
        ledger = execution if session_id is None else keys.ledger(partition, session_id)
        shared = [("UNLINK", key) for name in names for key in (keys.correlation(name), keys.reports(name))]
        # What was said in calls that it placed lies beside it, each call in a ledger of its own.
        calls = [name.removeprefix(CALL) for name in names if name.startswith(CALL)]
        shared += [("UNLINK", keys.ledger(partition, ids.line_of(execution_id, call))) for call in calls]
        erase = ScriptCall(_ERASE, [execution, ledger], [keys.prefix(partition), execution_id])
        answers = await run_in_stages(self._client, shared, [erase])
        return bool(answers[-1][0])

    async def _erase_unclaimed(self, names: "re.Pattern[bytes]") -> int:
        entries: Any = await self._client.hgetall(keys.UNCLAIMED_ENTRIES)
        named = [name for name, entry in entries.items() if names.search(entry)]
        if named:
            await run_in_stages(
                self._client, [("HDEL", keys.UNCLAIMED_ENTRIES, *named), ("ZREM", keys.UNCLAIMED_TIMES, *named)]
            )
        return len(named)

    async def _erase_reports(self, msisdn: str) -> None:
        kept = []
        for channel in REPORTED:
            name = f"{channel}:{msisdn}"
            unknown: Any = await self._client.zrange(keys.reported(name), 0, -1)
            names = [keys.reports(f"{channel}:{message_id.decode()}") for message_id in unknown]
            [newest] = await run_in_stages(self._client, [("LINDEX", key, -1) for key in names])
            # Airtime is known by its amount too, payments by what we called them.
            about = {name, *(records.report_from_bytes(report).about for report in newest if report is not None)}
            kept += [keys.reported(name), *names]
            kept += [key for each in about if each is not None for key in (keys.unsettled(each), keys.unmatched(each))]
        await run_in_stages(self._client, [("UNLINK", key) for key in kept])
