"""A whole engine but for its connections: use cases, runs, sessions, takeover, store. It dies with its power."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any, cast

from services.engine.adapters.encryption import FernetCipher
from services.engine.adapters.sessions_grpc import SessionsClient
from services.engine.core.program import Program
from services.engine.core.surroundings import Surroundings
from services.engine.executions.executions import Executions
from services.engine.executions.flow_places import FlowPlaces
from services.engine.executions.live_runs import LiveRuns
from services.engine.executions.run_sessions import RunSessions
from services.engine.executions.settlements import DeliveryReports, EarlyReports
from services.engine.executions.takeover import keep_leases, watch_due, watch_turns
from services.engine.executions.tracing import NoTraces
from services.engine.flows.programs import Programs
from services.engine.flows.routes import Route, Routes
from services.engine.store.execution_store import ExecutionStore
from services.engine.store.typed_text import TypedText
from services.engine.triggers.redials import Redials
from services.engine.triggers.sms_turns import SmsTurns
from services.engine.triggers.timely_turns import TimelyTurns
from services.engine.triggers.unclaimed import Unclaimed
from services.engine.triggers.ussd_turns import UssdTurns
from services.engine.triggers.voice_turns import VoiceTurns
from services.sessions.memory_store import MemorySessionStore
from tests.engine.core.outside import AfricasTalking, NobodyLooks, NoMoney, Rates, Telephone, Web
from tests.engine.core.virtual_time import now_ms
from tests.engine.restarts.power import STORE_WRITES, Cut, Power, Powered
from tests.engine.restarts.sessions_in_process import SessionsInProcess
from tests.engine.restarts.stores import LEASE_MS, Stores
from workflow.node_type import Ports
from workflow.ports import RateLimiter, SmsSender

SCAN_SECONDS = 5.0
SETTLE_MS = 60_000
"""Longer by far than it takes until another engine has taken over."""
BUDGET_MS = 8000
"""Of flows whose person may check again; shorter by far than it takes until another engine has taken over."""
NO_BUDGET_MS = 3_600_000
"""Apologies are told elsewhere: a turn takes as long as its nodes take, and an engine may die on the way."""
KEY = base64.urlsafe_b64encode(bytes(32)).decode()
CIPHER = FernetCipher((KEY,))


class Engine:
    """
    One engine with one published flow.

    Attributes:
        power: What its writes need.
    """

    def __init__(
        self,
        name: str,
        program: Program,
        stores: Stores,
        sessions: MemorySessionStore,
        network: AfricasTalking,
        rates: Rates,
        cut: Cut | None,
    ) -> None:
        self.power = Power(cut)
        client = SessionsClient(cast("Any", SessionsInProcess(sessions)))
        reached = cast("SessionsClient", Powered(client, self.power, {"open", "commit"}))
        self.store = cast("ExecutionStore", Powered(stores.of(name), self.power, STORE_WRITES))
        routes, run_sessions = _OneRoute(program), RunSessions(reached)
        # Asked by flows that limit their executions alone, and these do not.
        places = FlowPlaces(cast("Any", None), rates)
        around = Surroundings(
            ports=Ports(
                sms=cast("SmsSender", Powered(network, self.power, {"send"})),
                calls=Telephone(),
                http=Web(),
                airtime=NoMoney(),
                payments=NoMoney(),
                rates=cast("RateLimiter", Powered(rates, self.power, {"reserve"})),
                cipher=CIPHER,
            ),
            sessions=reached,
            reports=EarlyReports(self.store, now_ms),
            observer=NobodyLooks(),
            now_ms=now_ms,
            random=lambda: 0.5,
            sleep=asyncio.sleep,
            settle_ms=SETTLE_MS,
            max_output_bytes=256 * 1024,
        )
        self.runs = LiveRuns(self.store, _OneProgram(program), run_sessions, around, NoTraces(), places, 100)
        typed = TypedText((KEY,))
        # Asked where no flow claims what comes in, and this one does.
        unclaimed = Unclaimed(cast("Any", None), typed, 0, now_ms)
        self.executions = Executions(self.store, routes, run_sessions, places, self.runs, typed, now_ms)
        self.sms_turns = SmsTurns(self.store, routes, self.executions, self.runs, unclaimed)
        redials = Redials(self.store, typed, now_ms)
        turns = TimelyTurns(self.store, places, self.runs, now_ms, _budget_ms(program))
        self.ussd_turns = UssdTurns(routes, turns, self.runs, redials, typed, unclaimed, now_ms)
        self.voice_turns = VoiceTurns(self.store, routes, turns, self.runs, typed, unclaimed, now_ms)
        self.reports = DeliveryReports(self.store, self.runs)
        self._watching: list[asyncio.Task[None]] = []

    def watch(self) -> None:
        """Begins to look after leases and timers."""
        self._watching = [
            asyncio.create_task(watch_due(self.runs, self.store, SCAN_SECONDS)),
            asyncio.create_task(watch_turns(self.runs, self.store)),
            asyncio.create_task(self.reports.serve()),
            asyncio.create_task(keep_leases(self.runs, self.store, LEASE_MS)),
        ]

    def is_at_rest(self) -> bool:
        """Whether no execution runs in it."""
        return not self.runs.ids()


def _budget_ms(program: Program) -> int:
    return BUDGET_MS if program.graph.settings.ussd.when_busy == "checkAgain" else NO_BUDGET_MS


class _OneRoute(Routes):
    """This flow is published and takes whatever comes."""

    def __init__(self, program: Program) -> None:
        self._route = Route(program.graph.workflow_id, program)

    async def find(self, channel: str, payload: Mapping[str, Any]) -> Route | None:
        return self._route


class _OneProgram(Programs):
    """A library of compiled flows with this one in it."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def of_digest(self, digest: str) -> Program | None:
        return self._program
