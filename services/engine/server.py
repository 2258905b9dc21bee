"""The parts of the engine, and how they hang together."""

import asyncio
import random
import secrets
import time
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from opentelemetry.trace import TracerProvider

from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceStub
from njia.engine.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from njia.engine.v1.engine_service_pb2_grpc import add_EngineServiceServicer_to_server
from njia.engine.v1.workflow_service_pb2_grpc import add_WorkflowServiceServicer_to_server
from njia.sessions.v1.sessions_service_pb2_grpc import SessionServiceStub
from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceStub
from rpc.callers import caller_name
from rpc.channels import open_channel
from rpc.scraping import scraped
from rpc.server import GrpcServer, start_server
from rpc.tasks import end_task
from services.engine.access import SCOPES
from services.engine.adapters.at_adapter_grpc import AtAdapterSms
from services.engine.adapters.at_adapter_money import AtAdapterAirtime, AtAdapterPayments
from services.engine.adapters.at_adapter_voice import AtAdapterVoice
from services.engine.adapters.callback_access import CallbackAccess
from services.engine.adapters.encryption import FernetCipher, NoCipher
from services.engine.adapters.http.client import WebClient
from services.engine.adapters.http.exchange import Exchange
from services.engine.adapters.http.tokens import AccessTokens
from services.engine.adapters.measured_nodes import observer_for
from services.engine.adapters.sessions_grpc import SessionsClient
from services.engine.adapters.spans import observer_of_spans
from services.engine.adapters.validator_grpc import ValidatorClient
from services.engine.audited import AUDITED
from services.engine.config import EngineConfig
from services.engine.core.ports import Observer
from services.engine.core.program import warm_up
from services.engine.core.surroundings import Surroundings
from services.engine.executions.erasure import Erasure
from services.engine.executions.error_webhooks import ErrorWebhooks
from services.engine.executions.executions import Executions
from services.engine.executions.flow_places import FlowPlaces
from services.engine.executions.follow_ups import FollowUps
from services.engine.executions.live_runs import LiveRuns
from services.engine.executions.run_metrics import turns_for
from services.engine.executions.run_sessions import RunSessions
from services.engine.executions.settlements import DeliveryReports, EarlyReports
from services.engine.executions.takeover import keep_leases, watch_due, watch_turns
from services.engine.executions.tracing import traces_for
from services.engine.executions.watching import Watches
from services.engine.flows.programs import Programs
from services.engine.flows.registry import Registry
from services.engine.flows.routes import Routes
from services.engine.flows.secrets import FlowSecrets
from services.engine.key_changes import KeyChanges
from services.engine.replays.replays import Replays
from services.engine.servicers.admin import AdminServicer
from services.engine.servicers.engine import EngineServicer
from services.engine.servicers.refusals import REFUSALS
from services.engine.servicers.workflows import WorkflowServicer
from services.engine.store.lifetimes import Retention
from services.engine.store.redis.rate_limits import SharedRates
from services.engine.store.redis.store import RedisStore
from services.engine.store.redis.upkeep import Upkeep
from services.engine.store.typed_text import TypedText
from services.engine.triggers.payment_notifications import PaymentNotifications
from services.engine.triggers.redials import Redials
from services.engine.triggers.schedules import Schedules
from services.engine.triggers.sms_turns import SmsTurns
from services.engine.triggers.timely_turns import TimelyTurns
from services.engine.triggers.unclaimed import Unclaimed
from services.engine.triggers.ussd_turns import UssdTurns
from services.engine.triggers.voice_turns import VoiceTurns
from services.engine.triggers.webhooks import Webhooks
from storage.audit import AuditLog, noting
from storage.connection import connect, disconnect
from storage.outages import Store
from telemetry.instruments import GRAPH_LOOKUPS, GRAPHS_READY, LIVE_RUNS, LIVE_RUNS_ROOM
from telemetry.metrics import Meters
from workflow.node_type import Ports

if TYPE_CHECKING:
    from njia.at_adapter.v1.at_adapter_service_pb2_grpc import AtAdapterServiceAsyncStub

SERVICES = ("njia.engine.v1.EngineService", "njia.engine.v1.WorkflowService", "njia.engine.v1.AdminService")

LARGEST_ANSWER_PER_OUTPUT = 4
"""An answer may be so many times as long as an output: JSON shrinks as it is read. The output has its own bound."""

_log = structlog.get_logger()


async def serve(environ: Mapping[str, str], tracer_provider: TracerProvider, stop: asyncio.Event) -> None:
    """
    Serves until `stop` is set, then drains.

    Raises:
        ConfigError: The environment does not make a configuration.
        ListenFailed: The address is taken.
    """
    config = EngineConfig.from_env(environ)
    warm_up()
    async with AsyncExitStack() as parts:
        meters = await parts.enter_async_context(scraped("engine", environ))
        redis = connect(config.redis_url)
        parts.push_async_callback(disconnect, redis)

        async def channel(target: str) -> grpc.aio.Channel:
            opened = open_channel(target, tracer_provider, config.protection)
            parts.push_async_callback(opened.close)
            return opened

        validator = ValidatorClient(ValidatorServiceStub(await channel(config.validator_target)))
        sessions = SessionsClient(SessionServiceStub(await channel(config.sessions_target)))
        at_adapter = AtAdapterServiceStub(await channel(config.at_adapter_target))

        retention = Retention(config.retention_ms, config.settle_ms, config.retention_margin_ms)
        store = RedisStore(redis, f"engine-{secrets.token_hex(6)}", config.lease_ms, retention)
        flow_secrets = FlowSecrets(config.encryption_keys)
        programs = Programs(redis, validator, flow_secrets, retention, time.monotonic)
        registry = Registry(redis, programs, validator, flow_secrets, CallbackAccess(at_adapter).is_protected, _now_ms)
        routes = Routes(redis, registry)
        run_sessions = RunSessions(sessions)
        rates = SharedRates(redis)
        around = _surroundings(
            config,
            at_adapter,
            _web(config, parts),
            rates,
            sessions,
            EarlyReports(store, _now_ms),
            observer_for(observer_of_spans(tracer_provider), meters),
        )
        places = FlowPlaces(redis, rates)
        runs = LiveRuns(
            store,
            programs,
            run_sessions,
            around,
            turns_for(traces_for(tracer_provider), meters),
            places,
            config.max_live,
        )
        _show(meters, runs, programs)
        typed = TypedText(config.encryption_keys)
        unclaimed = Unclaimed(redis, typed, config.unclaimed_ms, _now_ms)
        executions = Executions(store, routes, run_sessions, places, runs, typed, _now_ms)
        in_time = TimelyTurns(store, places, runs, _now_ms, config.ussd_budget_ms)

        reports = DeliveryReports(store, runs)
        watches = Watches(store)

        servicer = EngineServicer(
            executions,
            SmsTurns(store, routes, executions, runs, unclaimed),
            UssdTurns(routes, in_time, runs, Redials(store, typed, _now_ms), typed, unclaimed, _now_ms),
            VoiceTurns(store, routes, in_time, runs, typed, unclaimed, _now_ms),
            reports,
            PaymentNotifications(executions, reports, store, unclaimed),
            watches,
            Replays(store, runs, _now_ms),
            unclaimed,
            Webhooks(store, routes, executions, typed, _now_ms, config.max_output_bytes),
            store,
            programs,
            registry,
            _now_ms,
        )

        audit = AuditLog(redis)
        _note_key_changes(parts, config, audit)
        admin = AdminServicer(audit, Erasure(redis, executions, sessions.erase), _now_ms)

        # Stopped in the opposite order: the drain, then what looks after the executions that it hands over.
        _kept_up(parts, keep_leases(runs, store, config.lease_ms))
        _kept_up(parts, reports.serve())
        _kept_up(parts, watch_turns(runs, store))
        scan_seconds = config.scan_ms / 1000
        follow_ups = FollowUps(redis, store, runs, executions, ErrorWebhooks(around.ports.http), _now_ms)
        looking = [
            _kept_up(parts, watch_due(runs, store, scan_seconds)),
            _kept_up(parts, Schedules(redis, registry, executions, _now_ms).watch(scan_seconds)),
            _kept_up(parts, follow_ups.serve()),
        ]
        upkeep = Upkeep(redis, retention)
        _kept_up(parts, upkeep.keep_forgetting())
        _kept_up(parts, upkeep.keep_prolonging())
        server = await start_server(
            listen=config.listen,
            register=lambda server: _register(server, servicer, WorkflowServicer(registry), admin),
            services=SERVICES,
            errors=REFUSALS,
            tracer_provider=tracer_provider,
            ready=Store(redis, config.redis_url).answers,
            protection=config.protection,
            scopes=SCOPES,
            afterwards=noting(audit, AUDITED, caller_name, _now_ms),
            meters=meters,
        )
        parts.push_async_callback(_drain, config, server, runs, looking)
        parts.callback(watches.stop)
        _log.info("serving", port=server.port, encrypts=bool(config.encryption_keys))
        await stop.wait()


def _register(
    server: grpc.aio.Server, engine: EngineServicer, workflows: WorkflowServicer, admin: AdminServicer
) -> None:
    add_EngineServiceServicer_to_server(engine, server)
    add_WorkflowServiceServicer_to_server(workflows, server)
    add_AdminServiceServicer_to_server(admin, server)


def _kept_up(parts: AsyncExitStack, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """
    Does something until the parts are closed.

    Each is a task of its own, no group: a group cancels its tasks once, and the Redis client may drop that (rpc.tasks).
    """
    task = asyncio.create_task(work)
    parts.push_async_callback(end_task, task)
    return task


def _note_key_changes(parts: AsyncExitStack, config: EngineConfig, audit: AuditLog) -> None:
    if config.protection.api_keys is not None:
        key_changes = KeyChanges(audit, _now_ms)
        parts.push_async_callback(key_changes.end)
        config.protection.api_keys.when_changed(key_changes.note)


def _web(config: EngineConfig, parts: AsyncExitStack) -> WebClient:
    exchange = Exchange(config.http_allow, LARGEST_ANSWER_PER_OUTPUT * config.max_output_bytes)
    parts.push_async_callback(exchange.close)
    return WebClient(exchange, AccessTokens(exchange))


def _show(meters: Meters, runs: LiveRuns, programs: Programs) -> None:
    meters.read(LIVE_RUNS, lambda: len(runs.ids()))
    meters.read(LIVE_RUNS_ROOM, lambda: runs.room)
    meters.read(GRAPHS_READY, lambda: programs.count)
    meters.read(GRAPH_LOOKUPS, lambda: programs.lookups)


async def _drain(
    config: EngineConfig, server: GrpcServer, runs: LiveRuns, looking: Iterable[asyncio.Task[None]]
) -> None:
    """
    Takes no calls and takes nothing up, lets what runs go on for a while, then hands it over.

    A caller that waits for the screen of what runs here gets it as long as it does; any other one is told to ask the
    engine that goes on, which may begin only when this one has ended.
    """
    runs.ending.set()
    until = time.monotonic() + config.drain_seconds
    stopping = asyncio.create_task(server.stop(config.drain_seconds + config.ussd_budget_ms / 1000))
    for task in looking:
        await end_task(task)
    # A call that has just come in still begins or resumes something: that runs here, like what runs already.
    await asyncio.wait({stopping}, timeout=config.drain_seconds)
    await runs.drain(max(0.0, until - time.monotonic()))
    await stopping
    await runs.end()


def _surroundings(
    config: EngineConfig,
    at_adapter: "AtAdapterServiceAsyncStub",
    web: WebClient,
    rates: SharedRates,
    sessions: SessionsClient,
    reports: EarlyReports,
    observer: Observer,
) -> Surroundings:
    return Surroundings(
        ports=Ports(
            sms=AtAdapterSms(at_adapter),
            calls=AtAdapterVoice(at_adapter),
            airtime=AtAdapterAirtime(at_adapter),
            payments=AtAdapterPayments(at_adapter),
            http=web,
            rates=rates,
            cipher=FernetCipher(config.encryption_keys) if config.encryption_keys else NoCipher(),
        ),
        sessions=sessions,
        reports=reports,
        observer=observer,
        now_ms=_now_ms,
        random=random.random,
        sleep=asyncio.sleep,
        settle_ms=config.settle_ms,
        max_output_bytes=config.max_output_bytes,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
