"""The parts of the adapter, and how they hang together."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from opentelemetry.trace import TracerProvider

from njia.at_adapter.v1.at_adapter_service_pb2_grpc import add_AtAdapterServiceServicer_to_server
from njia.engine.v1.engine_service_pb2_grpc import EngineServiceStub
from rpc.callers import caller_name
from rpc.channels import open_channel
from rpc.http_server import serve_http
from rpc.scraping import scraped
from rpc.server import start_server
from rpc.tasks import end_task
from services.at_adapter.access import SCOPES
from services.at_adapter.airtime import Airtime
from services.at_adapter.audited import AUDITED
from services.at_adapter.callbacks.airtime import AirtimeStatusCallback, ValidationCallback
from services.at_adapter.callbacks.app import App, callback_app
from services.at_adapter.callbacks.consent import OptOutCallback, SubscriptionCallback
from services.at_adapter.callbacks.delivery import DeliveryCallback
from services.at_adapter.callbacks.outbox import ReportOutbox
from services.at_adapter.callbacks.outbox_worker import hand_over_reports
from services.at_adapter.callbacks.payments import PaymentCallback, PaymentValidationCallback
from services.at_adapter.callbacks.reporting import Reporting
from services.at_adapter.callbacks.screen_times import timed_screens
from services.at_adapter.callbacks.sms import SmsCallback
from services.at_adapter.callbacks.ussd import UssdCallback
from services.at_adapter.callbacks.ussd_events import UssdEndCallback
from services.at_adapter.callbacks.voice import VoiceCallback, VoiceEventsCallback
from services.at_adapter.config import AtAdapterConfig
from services.at_adapter.consent.changes import ConsentChanges
from services.at_adapter.consent.opt_outs import OptOuts, telling_of_left_out
from services.at_adapter.consent.subscriptions import Subscriptions
from services.at_adapter.idempotency.ledger import SendLedger
from services.at_adapter.once import SendOnce, Unhindered
from services.at_adapter.outgoing.account import AtEnvironment
from services.at_adapter.outgoing.airtime import AirtimeOrder, AirtimeReceipt
from services.at_adapter.outgoing.airtime_requests import AirtimeRequests
from services.at_adapter.outgoing.call_gateway import CallGateway, CallRequests
from services.at_adapter.outgoing.calls import CallOrder, CallReceipt
from services.at_adapter.outgoing.exchange import Exchange
from services.at_adapter.outgoing.measured import Measured
from services.at_adapter.outgoing.payment_requests import PaymentRequests
from services.at_adapter.outgoing.payments import PaymentOrder, PaymentReceipt, RefundOrder
from services.at_adapter.outgoing.rate_limit import NoLimit, SendRate, SharedRate
from services.at_adapter.outgoing.sdk import SmsRequests
from services.at_adapter.outgoing.slots import SendSlots
from services.at_adapter.outgoing.sms import SmsOrder, SmsReceipt
from services.at_adapter.outgoing.sms_gateway import SmsGateway
from services.at_adapter.outgoing.transport import AtTransport
from services.at_adapter.payments import Payments, Refunds
from services.at_adapter.records.payments import PaymentRecord
from services.at_adapter.records.requested import AIRTIME, B2C, Requested
from services.at_adapter.refusals import REFUSALS
from services.at_adapter.servicer import AtAdapterServicer, Consent
from storage.audit import AuditLog, noting
from storage.connection import Client, connect, disconnect
from storage.outages import Store
from telemetry.instruments import OUTBOX_DEPTH
from telemetry.metrics import Meters

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
        meters = await parts.enter_async_context(scraped("at_adapter", environ))
        redis = connect(config.redis_url)
        parts.push_async_callback(disconnect, redis)
        opt_outs = OptOuts(redis)
        servicer = _servicer(parts, config, redis, opt_outs, tracer_provider, meters)

        ready = Store(redis, config.redis_url).answers

        app = None
        if config.engine_target is not None:
            consent = ConsentChanges(opt_outs, Subscriptions(redis))
            app = _callbacks(parts, config, config.engine_target, redis, consent, ready, tracer_provider, meters)
        stops: list[Callable[[], Awaitable[None]]] = []
        parts.push_async_callback(_stop_together, stops)
        server = await start_server(
            listen=config.listen,
            register=lambda server: add_AtAdapterServiceServicer_to_server(servicer, server),
            services=(SERVICE_NAME,),
            errors=REFUSALS,
            tracer_provider=tracer_provider,
            ready=ready,
            protection=config.protection,
            scopes=SCOPES,
            afterwards=noting(AuditLog(redis), AUDITED, caller_name, _now_ms),
            meters=meters,
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
                meters=meters,
            )
            stops.append(http.stop)
            _log.info("taking callbacks", port=http.port)
        await stop.wait()


def _servicer(
    parts: AsyncExitStack,
    config: AtAdapterConfig,
    redis: Client,
    opt_outs: OptOuts,
    tracer_provider: TracerProvider,
    meters: Meters,
) -> AtAdapterServicer:
    """Each product has connections and places of its own, so that a slow one keeps no other waiting."""

    def transport() -> AtTransport:
        opened = AtTransport(config.account, config.timeouts, config.concurrent_sends)
        parts.push_async_callback(opened.close)
        return opened

    measured = Measured(meters)

    def slots(product: str) -> SendSlots:
        return measured.slots(product, SendSlots(config.concurrent_sends, config.queued_sends))

    def rate(product: str, per_second: int | None) -> SendRate:
        return NoLimit() if per_second is None else SharedRate(redis, product, per_second, config.account.username)

    gateway = SmsGateway(SmsRequests(config.account), Exchange(transport(), tracer_provider))
    lease_ms = int(config.timeouts.whole * 1000) + SETTLE_MARGIN_MS
    messages = SendLedger(redis, lease_ms, config.idempotency_ttl_seconds)
    money = SendLedger(redis, lease_ms, config.money_ttl_seconds)
    sms_rate = rate("sms", config.sms_rate_per_second)
    sms: SendOnce[SmsOrder, SmsReceipt] = SendOnce(
        telling_of_left_out(measured.sms(lambda _, order: gateway.deliver(order))),
        lambda *_: sms_rate.admit(),
        messages,
        slots("sms"),
        SmsReceipt,
        opt_outs,
    )
    call_gateway = CallGateway(CallRequests(config.account), Exchange(transport(), tracer_provider))
    call_rate = rate("voice", config.call_rate_per_second)
    calls: SendOnce[CallOrder, CallReceipt] = SendOnce(
        measured.delivery("voice", call_gateway.deliver),
        lambda *_: call_rate.admit(),
        messages,
        slots("voice"),
        CallReceipt,
        Unhindered(),
    )
    airtime = Airtime(
        AirtimeRequests(config.account),
        Exchange(transport(), tracer_provider),
        rate("airtime", config.airtime_rate_per_second),
        Requested(redis, AIRTIME),
    )
    record = PaymentRecord(redis, config.payment_record_seconds)
    payments = Payments(
        PaymentRequests(config.account),
        Exchange(transport(), tracer_provider),
        rate("payment", config.payment_rate_per_second),
        Requested(redis, B2C),
        record,
    )
    refunds = Refunds(payments, record)
    airtime_once: SendOnce[AirtimeOrder, AirtimeReceipt] = SendOnce(
        measured.airtime(airtime.deliver),
        airtime.prepare,
        money,
        slots("airtime"),
        AirtimeReceipt,
        Unhindered(),
    )
    payment_slots = slots("payment")
    payments_once: SendOnce[PaymentOrder, PaymentReceipt] = SendOnce(
        measured.delivery("payment", payments.deliver),
        payments.prepare,
        money,
        payment_slots,
        PaymentReceipt,
        Unhindered(),
    )
    refunds_once: SendOnce[RefundOrder, PaymentReceipt] = SendOnce(
        measured.delivery("refund", refunds.deliver),
        refunds.prepare,
        money,
        payment_slots,
        PaymentReceipt,
        Unhindered(),
    )
    for drain in (sms.drain, calls.drain, airtime_once.drain, payments_once.drain, refunds_once.drain):
        parts.push_async_callback(drain)
    return AtAdapterServicer(
        Consent(opt_outs, Subscriptions(redis)),
        sms,
        calls,
        airtime_once,
        payments_once,
        refunds_once,
        voice_number=config.voice_number,
        callbacks_are_protected=config.callbacks_are_protected,
    )


def _callbacks(
    parts: AsyncExitStack,
    config: AtAdapterConfig,
    engine_target: str,
    redis: Client,
    consent: ConsentChanges,
    ready: Callable[[], Awaitable[bool]],
    tracer_provider: TracerProvider,
    meters: Meters,
) -> App:
    if config.callback_token is None and config.account.environment is AtEnvironment.PRODUCTION:
        _log.warning("anyone who finds the callback addresses can post to them: set NJIA_AT_CALLBACK_TOKEN")
    channel = open_channel(engine_target, tracer_provider, config.protection)
    parts.push_async_callback(channel.close)
    engine = EngineServiceStub(channel)
    outbox = ReportOutbox(redis, config.outbox_capacity)
    parts.push_async_callback(end_task, asyncio.create_task(hand_over_reports(outbox, engine)))
    _show_depth(outbox, meters)
    reporting = Reporting(engine, outbox)
    airtime, b2c = ValidationCallback(Requested(redis, AIRTIME)), ValidationCallback(Requested(redis, B2C))
    record = PaymentRecord(redis, config.payment_record_seconds)
    parts.push_async_callback(end_task, asyncio.create_task(consent.serve()))
    return callback_app(
        {
            "/ussd": timed_screens(UssdCallback(engine, config.ussd_budget_ms), meters),
            "/ussd/events": UssdEndCallback(reporting),
            "/sms": SmsCallback(engine),
            "/sms/delivery": DeliveryCallback(reporting),
            "/sms/opt-out": OptOutCallback(consent),
            "/sms/subscriptions": SubscriptionCallback(consent),
            "/voice": VoiceCallback(engine, reporting, config.ussd_budget_ms, config.public_url),
            "/voice/events": VoiceEventsCallback(reporting),
            "/airtime/status": AirtimeStatusCallback(reporting),
            "/airtime/validation": airtime,
            "/payments": PaymentCallback(reporting, record, trusted=config.callbacks_are_protected),
            "/payments/validation": PaymentValidationCallback(b2c),
        },
        ready=ready,
        token=config.callback_token,
    )


def _show_depth(outbox: ReportOutbox, meters: Meters) -> None:
    depth: int | None = None

    async def look_up() -> None:
        nonlocal depth
        # What was true at the last scrape is not shown as true now.
        depth = None
        depth = await outbox.depth()

    meters.before_each_scrape(look_up)
    meters.read(OUTBOX_DEPTH, lambda: depth)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _stop_together(stops: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """One after the other could take longer than a process that is told to stop is given."""
    await asyncio.gather(*(stop() for stop in stops))
