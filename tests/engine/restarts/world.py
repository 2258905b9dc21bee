"""Engines that die and are replaced, and callers that ask again until they are answered."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from services.engine.core.program import Program
from services.sessions.memory_store import MemorySessionStore
from tests.engine.core.outside import AfricasTalking, Rates
from tests.engine.core.virtual_time import now_ms
from tests.engine.restarts.engine import Engine
from tests.engine.restarts.power import Cut
from tests.engine.restarts.stores import LEASE_MS, Stores

T = TypeVar("T")

SESSION_RETENTION_MS = 3_600_000
FIRST_LOOK_SECONDS = 1.0
LONGEST_SECONDS = 24 * 3600


class World:
    """
    What lives on when an engine dies, and the engine of the moment.

    Attributes:
        bystander: The store, as somebody sees it who is no engine.
        deaths: How many engines died.
        writes: What the first engine wrote, up to its death.
    """

    def __init__(self, program: Program, stores: Stores, network: AfricasTalking, cut: Cut | None) -> None:
        self.program = program
        self.network = network
        self.bystander = stores.of("bystander")
        self.sessions = MemorySessionStore(SESSION_RETENTION_MS, now_ms)
        self.rates = Rates()
        self.deaths = 0
        self._stores = stores
        # Who comes first when an engine has died, the new engine's own look or the caller, takes turns.
        self._caller_is_first = cut is not None and cut.number % 2 == 0
        self._first = self._engine = Engine("engine-1", program, stores, self.sessions, network, self.rates, cut)
        self._engine.watch()
        self._taken_over_at = self._time()

    @property
    def writes(self) -> int:
        return self._first.power.writes

    @property
    def engine(self) -> Engine:
        """The engine of the moment."""
        return self._engine

    async def answer(self, ask: Callable[[Engine], Awaitable[T]]) -> T:
        """What a caller is answered who asks again when the engine dies."""
        while True:
            call = asyncio.ensure_future(ask(self._engine))
            if await self._outlived(call):
                return call.result()

    async def rest(self) -> None:
        """Lets run what runs, and what a dead engine left."""
        while True:
            if (left := self._taken_over_at - self._time()) > 0:
                await self._outlived(asyncio.ensure_future(asyncio.sleep(left)))
            elif not self._engine.is_at_rest():
                await self._outlived(*(self._over(execution_id) for execution_id in self._engine.runs.ids()))
            else:
                return

    async def elapse(self, seconds: float) -> None:
        """Lets time pass."""
        await self._outlived(asyncio.ensure_future(asyncio.sleep(seconds)))
        await self.rest()

    async def stop(self) -> None:
        """Ends what only a story that goes on needs."""
        await self._end_tasks()

    def _over(self, execution_id: str) -> "asyncio.Future[Any]":
        return asyncio.ensure_future(self._engine.runs.over(execution_id, LONGEST_SECONDS * 1000))

    async def _outlived(self, *what: "asyncio.Future[Any]") -> bool:
        """Waits for the first of these. Returns whether the engine lives; else another one has taken its place."""
        died = asyncio.ensure_future(self._engine.power.failed.wait())
        await asyncio.wait({died, *what}, return_when=asyncio.FIRST_COMPLETED)
        if not self._engine.power.failed.is_set():
            died.cancel()
            return True
        self.deaths += 1
        await self._end_tasks()
        await self._replace()
        return False

    async def _end_tasks(self) -> None:
        """The engine's memory is gone. Nothing outside of it has tasks of its own."""
        # A library may take a cancellation that meets its own time-out for that time-out, so it is told until it ends.
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)

    async def _replace(self) -> None:
        self._engine = Engine(
            f"engine-{self.deaths + 1}", self.program, self._stores, self.sessions, self.network, self.rates, None
        )
        await asyncio.sleep(LEASE_MS / 1000 + 1)
        await self._stores.leases_run_out()
        if self._caller_is_first:
            asyncio.get_running_loop().call_later(FIRST_LOOK_SECONDS, self._engine.watch)
        else:
            self._engine.watch()
            await asyncio.sleep(FIRST_LOOK_SECONDS)
        self._taken_over_at = self._time() + 2 * FIRST_LOOK_SECONDS

    def _time(self) -> float:
        return asyncio.get_running_loop().time()
