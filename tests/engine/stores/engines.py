"""Engines that share a store, as seen by its contract, and the values that they write."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.engine import ids
from services.engine.core.ports import Entry, Journal, Unsettled
from services.engine.core.state import Commit, ExecutionState, ExecutionStatus, Options, Reply, Waiting
from services.engine.store.execution_store import ExecutionStore, TakenUp
from services.engine.store.lifetimes import Retention
from services.engine.store.memory.contents import Memory
from services.engine.store.memory.store import MemoryStore
from services.engine.store.redis.store import RedisStore
from services.engine.store.typed_text import TypedText
from storage.connection import Client
from workflow.outcome import WaitKind
from workflow.session import TurnSession

LONG_MS = 60_000
SHORT_MS = 20
"""A lease or a retention that a test lets run out."""

SESSION = "ATUid_1"
MARKS = TypedText(()).marks


@dataclass
class Engines:
    """
    Stores over the same data.

    Attributes:
        store: Makes the store of an engine, by its name, the life of its leases and the retention, both ms.
        elapse: Lets so many milliseconds pass.
        now_ms: Unix time of the stores.
    """

    store: Callable[[str, int, int], ExecutionStore]
    elapse: Callable[[int], Awaitable[None]]
    now_ms: Callable[[], int]

    def __call__(self, name: str = "a", lease_ms: int = LONG_MS, retention_ms: int = LONG_MS) -> ExecutionStore:
        """Returns the store of an engine."""
        return self.store(name, lease_ms, retention_ms)


def in_memory() -> Engines:
    """Engines in one process; their clock stands until it is moved."""
    memory, clock = Memory(), [1_800_000_000_000]

    async def elapse(ms: int) -> None:
        clock[0] += ms

    def store(name: str, lease_ms: int, retention_ms: int) -> ExecutionStore:
        return MemoryStore(memory, name, lease_ms, Retention(retention_ms, retention_ms, margin_ms=0), lambda: clock[0])

    return Engines(store, elapse, lambda: clock[0])


def in_redis(client: Client, now_ms: Callable[[], int]) -> Engines:
    """Engines over a real server; its clock is the real one."""

    async def elapse(ms: int) -> None:
        await asyncio.sleep((ms + 5) / 1000)

    def store(name: str, lease_ms: int, retention_ms: int) -> ExecutionStore:
        return RedisStore(client, name, lease_ms, Retention(retention_ms, retention_ms, margin_ms=0))

    return Engines(store, elapse, now_ms)


def fresh(number: int = 1, session_id: str | None = None, workflow_id: str = "flow") -> ExecutionState:
    """An execution that has not begun."""
    partition = number % ids.PARTITIONS if session_id is None else ids.partition_of_session(session_id)
    return ExecutionState(
        execution_id=f"exe_{partition:x}{number:024x}",
        workflow_id=workflow_id,
        workflow_version=1,
        graph_digest="digest",
        started_at_ms=1,
        options=Options(max_active_ms=1000, continue_on_error=False, dry_run=False),
        payload={"a": 1},
        session_id=session_id,
    )


def turn(text: str = "") -> dict[str, Any]:
    """What is recorded of a turn."""
    return {"key": None, "payload": {"text": text}}


def entry(
    state: ExecutionState,
    *,
    released: bool = True,
    answered: str | None = None,
    correlations: Sequence[str] = (),
    results: Sequence[Any] = (),
    unsettled: Sequence[Unsettled] = (),
) -> Entry:
    """A write that takes the first turn where none was taken."""
    state.turns = max(state.turns, 1)
    return Entry(state, results, answered, correlations, unsettled, released)


def waiting(state: ExecutionState, until_ms: int, kind: WaitKind = WaitKind.INPUT) -> ExecutionState:
    """The state with a node that waits."""
    state.waits["ask"] = Waiting(kind, until_ms, {}, 1)
    return state


def on_ussd(state: ExecutionState, reply: Reply | None) -> ExecutionState:
    """The state with a session of a phone and what it shows."""
    state.session = TurnSession(SESSION, "ussd", "+254711000001", 3, {})
    state.reply = reply
    return state


def with_commit(state: ExecutionState) -> ExecutionState:
    """The state with a commit that is not confirmed."""
    state.commits.append(Commit(f"{state.execution_id}:1", {}, 0, end=False))
    return state


def ended(state: ExecutionState, status: ExecutionStatus = ExecutionStatus.COMPLETED) -> ExecutionState:
    """The state at its end."""
    state.status = status
    return state


def taken(begun: object) -> TakenUp:
    """The execution that was taken."""
    assert isinstance(begun, TakenUp)
    return begun


async def begin(store: ExecutionStore, state: ExecutionState) -> Journal:
    """Begins an execution without a session; returns its journal."""
    return taken(await store.create(turn(), state)).journal


async def dial(store: ExecutionStore, text: str, state: ExecutionState | None = None) -> object:
    """Records a USSD callback."""
    return await store.begin_turn(SESSION, MARKS(SESSION, text), turn(text), state)


def mark(text: str) -> str:
    """Mark of a text in the session."""
    return MARKS(SESSION, text).own
