"""The parts of the adapter, and how they hang together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from opentelemetry.trace import TracerProvider

from njia.at_adapter.v1.at_adapter_service_pb2_grpc import add_AtAdapterServiceServicer_to_server
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from rpc.channels import open_channel
from rpc.http_server import serve_http
from rpc.server import start_server
from rpc.tasks import end_task
from services.at_adapter.callbacks.app import App, callback_app
from services.at_adapter.callbacks.delivery import DeliveryCallback
from services.at_adapter.callbacks.outbox import ReportOutbox
from services.at_adapter.callbacks.outbox_worker import hand_over_reports
from services.at_adapter.callbacks.reporting import Reporting
from services.at_adapter.callbacks.sms import SmsCallback
from services.at_adapter.callbacks.ussd import UssdCallback
from services.at_adapter.callbacks.ussd_events import UssdEndCallback
from services.at_adapter.callbacks.voice import VoiceCallback, VoiceEventsCallback
from services.at_adapter.config import AtAdapterConfig
from services.at_adapter.errors import ERRORS
from services.at_adapter.idempotency.ledger import SendLedger
from services.at_adapter.once import SendOnce
from services.at_adapter.outgoing.account import AtEnvironment
from services.at_adapter.outgoing.call_gateway import CallGateway, CallRequests
from services.at_adapter.outgoing.calls import CallOrder, CallReceipt
from services.at_adapter.outgoing.exchange import Exchange
from services.at_adapter.outgoing.rate_limit import NoLimit, SendRate, SharedRate
from services.at_adapter.outgoing.sdk import SmsRequests
from services.at_adapter.outgoing.slots import SendSlots
from services.at_adapter.outgoing.sms import SmsOrder, SmsReceipt
from services.at_adapter.outgoing.sms_gateway import SmsGateway
from services.at_adapter.outgoing.transport import AtTransport
from services.at_adapter.servicer import AtAdapterServicer
from storage.connection import Client, connect
from storage.outages import Store

SERVICE_NAME = "njia.at_adapter.v1.AtAdapterService"
GRACE_SECONDS = 10.0
"""How long calls and callbacks that run may take to finish after the stop."""

SETTLE_MARGIN_MS = 15_000
"""What a claim holds beyond the longest request: the limit before it, and writing its answer with a few attempts."""

_log = structlog.get_logger()


async def serve(environ: Mapping[str, str], tracer_provider: TracerProvider, stop: asyncio.Event) -> None:
    """
    Serves until `stop` is set, then drains.

    Raises:
        ConfigError: The environment does not make a configuration.
        ListenFailed: An address is taken.
    """
    config = AtAdapterConfig.from_env(environ)
    async with AsyncExitStack() as parts:
        redis = connect(config.redis_url)
        parts.push_async_callback(redis.aclose)
        transport = AtTransport(config.account, config.timeouts, config.concurrent_sends)
        parts.push_async_callback(transport.close)
        gateway = SmsGateway(SmsRequests(config.account), transport, tracer_provider)
        call_gateway = CallGateway(CallRequests(config.account), Exchange(transport, tracer_provider))
        ledger = SendLedger(redis, int(config.timeouts.whole * 1000) + SETTLE_MARGIN_MS, config.idempotency_ttl_seconds)
        rate = _rate(config, redis, "sms", config.sms_rate_per_second)
        call_rate = _rate(config, redis, "voice", config.call_rate_per_second)
        sender: SendOnce[SmsOrder, SmsReceipt] = SendOnce(
            lambda _, order: gateway.deliver(order),
            lambda *_: rate.admit(),
            ledger,
            SendSlots(config.concurrent_sends, config.queued_sends),
            SmsReceipt,
        )
        calls: SendOnce[CallOrder, CallReceipt] = SendOnce(
            call_gateway.deliver,
            lambda *_: call_rate.admit(),
            ledger,
            SendSlots(config.concurrent_sends, config.queued_sends),
            CallReceipt,
        )
        servicer = AtAdapterServicer(sender, calls, config.voice_number)
        parts.push_async_callback(sender.drain)
        parts.push_async_callback(calls.drain)

        ready = Store(redis, config.redis_url).answers

        app = None
        if config.engine_target is not None:
            app = _callbacks(parts, config, config.engine_target, redis, ready, tracer_provider)
        stops: list[Callable[[], Awaitable[None]]] = []
        parts.push_async_callback(_stop_together, stops)
        server = await start_server(
            listen=config.listen,
            register=lambda server: add_AtAdapterServiceServicer_to_server(servicer, server),
            services=(SERVICE_NAME,),
            errors=ERRORS,
            tracer_provider=tracer_provider,
            ready=ready,
        )
        stops.append(lambda: server.stop(GRACE_SECONDS))
        _log.info("serving", port=server.port, africas_talking=config.account.environment.value)
        if app is not None:
            http = await serve_http(
                app,
                listen=config.callbacks_listen,
                stop=stop,
                tracer_provider=tracer_provider,
                grace_seconds=GRACE_SECONDS,
            )
            stops.append(http.stop)
            _log.info("taking callbacks", port=http.port)
        await stop.wait()


def _callbacks(
    parts: AsyncExitStack,
    config: AtAdapterConfig,
    engine_target: str,
    redis: Client,
    ready: Callable[[], Awaitable[bool]],
    tracer_provider: TracerProvider,
) -> App:
    if config.callback_token is None and config.account.environment is AtEnvironment.PRODUCTION:
        _log.warning("anyone who finds the callback addresses can post to them: set NJIA_AT_CALLBACK_TOKEN")
    channel = open_channel(engine_target, tracer_provider)
    parts.push_async_callback(channel.close)
    engine = EngineServiceStub(channel)
    outbox = ReportOutbox(redis, config.outbox_capacity)
    parts.push_async_callback(end_task, asyncio.create_task(hand_over_reports(outbox, engine)))
    reporting = Reporting(engine, outbox)
    return callback_app(
        {
            "/ussd": UssdCallback(engine, config.ussd_budget_ms),
            "/ussd/events": UssdEndCallback(reporting),
            "/sms": SmsCallback(engine),
            "/sms/delivery": DeliveryCallback(reporting),
            "/voice": VoiceCallback(engine, reporting, config.ussd_budget_ms, config.public_url),
            "/voice/events": VoiceEventsCallback(reporting),
        },
        ready=ready,
        token=config.callback_token,
    )


async def _stop_together(stops: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """One after the other could take longer than a process that is told to stop is given."""
    await asyncio.gather(*(stop() for stop in stops))


def _rate(config: AtAdapterConfig, redis: Client, product: str, per_second: int | None) -> SendRate:
    if per_second is None:
        return NoLimit()
    return SharedRate(redis, product, per_second, config.account.username)
